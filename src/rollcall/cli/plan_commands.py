"""`plan` and `apply`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import options
from rollcall.errors import Exit, RollcallError
from rollcall.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rollcall.inspect.prove import ProxyProof, RunningProof
    from rollcall.plan.plan import Plan
    from rollcall.report.changes import ChangeFacts
    from rollcall.settings import Settings
    from rollcall.sync.apply import Applied, Planned


def run_on_change(command: str) -> None:
    """Run a command line in the system's shell; what it prints goes to stderr, as ours does.

    What it starts outlives us: a proxy, say.

    Raises:
        LaunchError: it failed. It is not run again by itself: the next run has no change.
    """
    import subprocess

    from rollcall.errors import LaunchError
    from rollcall.launch.windows import end_apart
    from rollcall.report.text import flush

    flush()
    end_apart()  # proxies of --prove have ended
    code = subprocess.run(command, shell=True, check=False, stdout=_stderr()).returncode  # noqa: S602 - asked for
    if code:
        raise LaunchError(
            f"The --on-change command ended with {code}; the new config is written.",
            "Run it by hand: the next apply finds nothing to change and does not run it again.",
        )


def _stderr() -> int | None:
    """The descriptor of stderr; None where there is no real one."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


AGAIN = "Make one with `rollcall plan --out FILE`, which writes it as UTF-8 in every shell."


def save(path: Path, plan: Plan, settings: Settings) -> None:
    """Write a plan where `--out` says.

    Raises:
        StoreError: it cannot be written there, or a file of the user's is there.
    """
    from rollcall.store.atomic import write_named

    refuse_own_files("--out", path, settings.config_path, settings.policy_path)
    write_named(path, plan.to_json().encode("ascii"))


def load(path: Path) -> Plan:
    """Read a saved plan.

    Raises:
        PlanError: it cannot be read, or is no plan.
    """
    from rollcall.errors import PlanError
    from rollcall.files import MOST_BYTES, NotUTF8, read_regular, text_of
    from rollcall.plan.plan import read_plan

    try:
        text = text_of(read_regular(path, MOST_BYTES))
    except NotUTF8 as error:
        raise PlanError(error.said_of(path), AGAIN) from None
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror or error}.", AGAIN) from None
    return read_plan(text, str(path))


def refuse_own_files(option: str, path: Path, *taken: Path) -> None:
    """Keep a result from going over a file of the user's that it is not.

    Raises:
        StoreError: `path` is one of `taken`.
    """
    from rollcall.errors import StoreError
    from rollcall.files import same_file

    for other in taken:
        if same_file(path, other):
            raise StoreError(f"{option} names {other}, which is yours.", "Name another file.")


def refuse_planning_options(given: Mapping[str, object]) -> None:
    """With a saved plan all is decided: options that would decide anew are a usage error.

    Raises:
        typer.BadParameter: one of them is set.
    """
    for option, value in given.items():
        if value:
            raise typer.BadParameter(
                f"{option} has no effect on a saved plan: give it to `rollcall plan`."
            )


def plan(
    config: options.Config = None,
    key: options.Key = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    mode: options.ModeName = None,
    provider: options.Providers = None,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    offline: options.Offline = False,
    force: options.Force = False,
    strict: options.Strict = False,
    accept: options.Accept = None,
    json: options.Json = False,
    columns: options.Columns = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown: a pull request's body.")
    ] = False,
    markdown_to: Annotated[
        Path | None,
        typer.Option("--markdown-out", help="Write that Markdown into a file, as UTF-8."),
    ] = None,
    save_to: Annotated[
        Path | None, typer.Option("--out", help="Save the plan, for `rollcall apply FILE`.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 4 when changes are pending.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="A big plan whole: every change, and the diff.")
    ] = False,
    trial: Annotated[
        bool,
        typer.Option("--trial", help="Call new models now, where guards.trial has apply do so."),
    ] = False,
) -> None:
    """Show what would change and why; write nothing.

    Asks the providers, decides, and prints a table and a diff of rollcall's own lines.
    """
    if json and markdown:
        raise typer.BadParameter("--json and --markdown are two results: ask for one.")
    from rollcall.plan.plan import text_after, text_before
    from rollcall.report.changes import RECORD, facts_of
    from rollcall.report.plan import show_plan
    from rollcall.report.progress import live_progress
    from rollcall.sync import apply

    fields = options.columns_of(columns, RECORD)
    settings = resolve(
        config=config, key=key, policy=policy, state_dir=state_dir, mode=mode,
        only_providers=tuple(provider or ()), timeout=timeout, deadline=deadline,
        offline=offline, force=force, strict=strict, accept=tuple(accept or ()),
    )  # fmt: skip
    with live_progress(wanted=not (quiet or json or markdown)) as observer:
        planned = apply.make_plan(settings, observer, trial=trial)
    result = planned.plan
    if config is not None and settings.address is None and not settings.config_path.exists():
        from rollcall.report.text import say

        say(f"{settings.config_path} is not there: apply would make it.")
    before = text_before(planned.inputs) if result.changed else ""
    after = text_after(result) if result.changed else ""
    if save_to is not None:
        save(save_to, result, settings)
    if verbose:
        _say_all_there_is(settings, planned)
    if markdown_to is not None:
        _save_markdown(markdown_to, result, before, after, facts_of(planned), settings)
    if json:
        _print_json(result)
    elif markdown:
        _print_markdown(result, before, after, facts_of(planned))
    else:
        show_plan(result, before, after, facts_of(planned), quiet=quiet, full=full, columns=fields)
    raise typer.Exit(int(_exit_code(settings, result, pending=check and result.changed)))


def apply(
    saved: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="A plan saved by `plan --out`.")
    ] = None,
    config: options.Config = None,
    key: options.Key = None,
    unsafe_store: options.UnsafeStore = False,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    mode: options.ModeName = None,
    provider: options.Providers = None,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    offline: options.Offline = False,
    force: options.Force = False,
    strict: options.Strict = False,
    accept: options.Accept = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing, run nothing: `rollcall plan`.")
    ] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 4 when changes were written.")
    ] = False,
    on_change: Annotated[
        str | None,
        typer.Option("--on-change", help="Run this command after a change, e.g. a restart."),
    ] = None,
    write_to: Annotated[
        Path | None,
        typer.Option("--write-to", help="Only read the config; write the result here."),
    ] = None,
    or_usable: Annotated[
        bool,
        typer.Option(
            "--or-usable",
            help="With --write-to: exit 0 whenever a config LiteLLM can start on stands there.",
        ),
    ] = False,
    validate: Annotated[
        bool, typer.Option("--validate", help="Have LiteLLM itself check the new config first.")
    ] = False,
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Start LiteLLM's proxy on it first, and call every alias."),
    ] = False,
    prove_after: Annotated[
        str | None,
        typer.Option(
            "--prove-after",
            metavar="URL",
            help="After --on-change: smoke this proxy, and roll back if an alias died.",
        ),
    ] = None,
    prove_budget: Annotated[
        str, typer.Option("--prove-budget", help="Time for --prove and --prove-after.")
    ] = "2m",
    rollout: Annotated[
        str | None,
        typer.Option(
            "--rollout",
            metavar="deployment/NAME",
            help="Of a configmap://: roll it out and wait; put the old config back if that fails.",
        ),
    ] = None,
    rollout_timeout: Annotated[
        str, typer.Option("--rollout-timeout", help="How long to wait for it.")
    ] = "10m",
) -> None:
    """Ask, decide and write; with a saved PLAN, exactly that plan.

    LiteLLM reads config.yaml at its start only: restart it, for example with --on-change.
    """

    if saved is not None:
        refuse_planning_options(
            {"--provider": provider, "--timeout": timeout, "--offline": offline, "--accept": accept,
             "--dry-run": dry_run}
        )  # fmt: skip
    if dry_run:
        return plan(
            config=config, key=key, policy=policy, state_dir=state_dir, mode=mode,
            provider=provider, timeout=timeout, deadline=deadline, offline=offline, force=force,
            strict=strict, accept=accept, json=json, quiet=quiet, verbose=verbose,
            check=detailed_exitcode,
        )  # fmt: skip
    settings = resolve(
        config=config, key=key, unsafe_store=unsafe_store,
        policy=policy, state_dir=state_dir, mode=mode,
        only_providers=tuple(provider or ()), timeout=timeout, deadline=deadline,
        offline=offline, force=force, strict=strict, accept=tuple(accept or ()),
    )  # fmt: skip
    if prove_after and (not on_change or write_to):
        raise typer.BadParameter("--prove-after goes with --on-change, and not with --write-to.")
    if rollout and not (settings.address or "").startswith("configmap://"):
        raise typer.BadParameter("--rollout goes with -c configmap://NAMESPACE/NAME.")
    wait_seconds = _seconds(rollout_timeout)
    checks = _Checks(settings, prove_budget, validate=validate, prove=prove, after=prove_after)
    checker = checks if checks.given else None
    try:
        applied = _applied(settings, saved, write_to, checker, watched=not (quiet or json))
    except RollcallError as error:
        from rollcall.report.text import say, say_error

        if not (or_usable and write_to and _is_usable(settings, write_to)):
            raise
        say_error(error)
        say(f"{write_to} is usable all the same: exit 0, as --or-usable says.")
        raise typer.Exit from error
    if rollout and applied.changed:
        from rollcall.sync.rollout import rolled_out

        rolled_out(settings, applied, rollout, wait_seconds)
    if checks.proof is not None:
        from rollcall.report.text import say_all

        say_all(checks.proof.notes, mark="note: ")
    if verbose and applied.planned is not None:
        _say_all_there_is(settings, applied.planned)
    code = _exit_code(settings, applied.plan, pending=detailed_exitcode and applied.changed)
    if or_usable and write_to and not code.is_well and _is_usable(settings, write_to):
        code = Exit.OK
    try:
        _report(applied, settings, write_to, json=json, quiet=quiet and code.is_well)
    finally:
        if on_change and applied.changed:
            _changed(on_change, checks, applied)
    raise typer.Exit(int(code))


class _Checks:
    """What a new text has to pass before it replaces config.yaml, in order."""

    def __init__(
        self, settings: Settings, budget: str, *, validate: bool, prove: bool, after: str | None
    ) -> None:
        self.settings = settings
        self.given: list[Callable[[bytes], None]] = []
        self.running: RunningProof | None = None
        self.proof: ProxyProof | None = None
        if validate:
            self.given.append(_validator(settings))
        if prove or after:
            from rollcall.inspect.prove import ProxyProof, RunningProof

            seconds = _seconds(budget)
            if prove:
                self.proof = ProxyProof(settings, seconds)
                self.given.append(self.proof)
            if after:
                self.running = RunningProof(settings, after, seconds)
                self.given.append(self.running)

    def __call__(self, content: bytes) -> None:
        for check in self.given:
            check(content)


def _seconds(text: str) -> float:
    from rollcall.settings import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"--prove-budget: {error}.") from None


def _changed(command: str, checks: _Checks, applied: Applied) -> None:
    """Run --on-change, and with --prove-after look at what became of the proxy.

    Raises:
        LaunchError: the command failed, or an alias that answered before was dead: then the old
            config.yaml is back, and the command was run again.
    """
    from rollcall.errors import LaunchError

    if checks.running is None:
        run_on_change(command)
        return
    failed: LaunchError | None = None
    try:
        run_on_change(command)
    except LaunchError as error:
        failed = error
    dead = checks.running.dead_after()
    if dead:
        _take_back(command, checks.settings, applied, dead)
    if failed is not None:
        raise failed


def _take_back(command: str, settings: Settings, applied: Applied, dead: Mapping[str, str]) -> None:
    from rollcall.errors import LaunchError
    from rollcall.report.text import printable
    from rollcall.sync.apply import rollback

    backup = applied.written.backup_id if applied.written else None
    restored, _ = rollback(settings, backup)
    name, why = next(iter(dead.items()))
    others = f" and {len(dead) - 1} more" if len(dead) > 1 else ""
    try:
        run_on_change(command)
        then = "the command was run again"
    except LaunchError:
        then = "the command was run again, and failed: look at the proxy now"
    raise LaunchError(
        printable(f"{name}{others} answered before and is dead now: {why.rstrip('.')}.", limit=600),
        f"config.yaml is rolled back to {restored}, and {then}.",
    )


def _applied(
    settings: Settings,
    saved: Path | None,
    write_to: Path | None,
    check: Callable[[bytes], None] | None,
    *,
    watched: bool,
) -> Applied:
    from rollcall.report.progress import live_progress
    from rollcall.sync import apply

    if write_to is not None:
        refuse_own_files("--write-to", write_to, settings.policy_path)
    if saved is not None:
        return apply.apply_saved(settings, load(saved), write_to=write_to, check=check)
    with live_progress(wanted=watched) as observer:
        return apply.apply(settings, observer, write_to=write_to, check=check)


def _is_usable(settings: Settings, target: Path) -> bool:
    """Whether a config that loads stands at `target`, config.yaml copied there if need be."""
    from rollcall.sync.apply import copy_as_it_is

    return copy_as_it_is(settings, target)


def _exit_code(settings: Settings, plan: Plan, *, pending: bool) -> Exit:
    """The one code that says most: a guard, then nobody, then pending changes."""
    if plan.refused:
        return Exit.GUARD
    if plan.nobody or (settings.strict and plan.unreachable):
        return Exit.NOBODY
    return Exit.PENDING if pending else Exit.OK


def _report(
    applied: Applied, settings: Settings, write_to: Path | None, *, json: bool, quiet: bool
) -> None:
    from rollcall.report.plan import show_applied
    from rollcall.report.text import say_all

    if json:
        _print_json(applied.plan)
    elif not quiet:
        show_applied(applied.plan, applied.written, str(write_to or settings.config_name))
    say_all(applied.notes, mark="note: ")


def _say_all_there_is(settings: Settings, planned: Planned) -> None:
    from rollcall.report.progress import say_decisions, say_providers, say_surroundings

    say_surroundings(settings)
    say_providers(planned)
    say_decisions(planned.decision)


def _print_json(plan: Plan) -> None:
    from rollcall.report.text import out

    out(plan.to_json().rstrip("\n"))


def _save_markdown(
    path: Path, plan: Plan, before: str, after: str, facts: ChangeFacts, settings: Settings
) -> None:
    from rollcall.report.markdown import plan_markdown
    from rollcall.store.atomic import write_named

    refuse_own_files("--markdown-out", path, settings.config_path, settings.policy_path)
    write_named(path, plan_markdown(plan, before, after, facts).encode())


def _print_markdown(plan: Plan, before: str, after: str, facts: ChangeFacts) -> None:
    from rollcall.report.markdown import plan_markdown
    from rollcall.report.text import out_file

    out_file(plan_markdown(plan, before, after, facts))


def _validator(settings: Settings) -> Callable[[bytes], None]:
    from rollcall.launch.validation import litellm_check

    return litellm_check(settings)
