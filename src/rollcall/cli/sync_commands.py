"""`plan` and `apply`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall import settings as settings_module
from rollcall.cli import app, options, plan_file
from rollcall.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.plan import Plan
    from rollcall.report.change_facts import ChangeFacts
    from rollcall.settings import Settings
    from rollcall.sync import Applied, Planned


@app.command()
def plan(
    config: options.Config = None,
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
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown: a pull request's body.")
    ] = False,
    save_to: Annotated[
        Path | None, typer.Option("--out", help="Save the plan, for `rollcall apply FILE`.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 4 when changes are pending.")
    ] = False,
) -> None:
    """Show what would change and why; write nothing.

    Asks the providers, decides, and prints a table and a diff of rollcall's own lines.
    """
    if json and markdown:
        raise typer.BadParameter("--json and --markdown are two results: ask for one.")
    from rollcall import sync
    from rollcall.outcome import text_after, text_before
    from rollcall.report.change_facts import facts_of
    from rollcall.report.plan import show_plan
    from rollcall.report.progress import live_progress

    settings = settings_module.resolve(
        config=config, policy=policy, state_dir=state_dir, mode=mode,
        only_providers=tuple(provider or ()), timeout=timeout, deadline=deadline,
        offline=offline, force=force, strict=strict, accept=tuple(accept or ()),
    )  # fmt: skip
    with live_progress(wanted=not (quiet or json or markdown)) as observer:
        planned = sync.make_plan(settings, observer)
    result = planned.plan
    before = text_before(planned.evidence)
    after = text_after(result) if result.changed else before
    if save_to is not None:
        plan_file.save(save_to, result, settings)
    if verbose:
        _say_all_there_is(planned)
    if json:
        _print_json(result)
    elif markdown:
        _print_markdown(result, before, after, facts_of(planned))
    else:
        show_plan(result, before, after, facts_of(planned), quiet=quiet)
    raise typer.Exit(int(_exit_code(settings, result, pending=check and result.changed)))


@app.command()
def apply(
    saved: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="A plan saved by `plan --out`.")
    ] = None,
    config: options.Config = None,
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
    validate: Annotated[
        bool, typer.Option("--validate", help="Have LiteLLM itself check the new config first.")
    ] = False,
) -> None:
    """Ask, decide and write; with a saved PLAN, exactly that plan.

    LiteLLM reads config.yaml at its start only: restart it, for example with --on-change.
    """
    from rollcall.cli.on_change import run_on_change

    if saved is not None:
        plan_file.refuse_planning_options(
            {"--provider": provider, "--timeout": timeout, "--offline": offline, "--accept": accept}
        )
    settings = settings_module.resolve(
        config=config, policy=policy, state_dir=state_dir, mode=mode,
        only_providers=tuple(provider or ()), timeout=timeout, deadline=deadline,
        offline=offline, force=force, strict=strict, accept=tuple(accept or ()),
    )  # fmt: skip
    checker = _validator(settings) if validate else None
    applied = _applied(settings, saved, write_to, checker, watched=not (quiet or json))
    if verbose and applied.planned is not None:
        _say_all_there_is(applied.planned)
    code = _exit_code(settings, applied.plan, pending=detailed_exitcode and applied.changed)
    try:
        _report(applied, settings, write_to, json=json, quiet=quiet and code.is_well)
    finally:
        if on_change and applied.changed:
            run_on_change(on_change)
    raise typer.Exit(int(code))


def _applied(
    settings: Settings,
    saved: Path | None,
    write_to: Path | None,
    check: Callable[[bytes], None] | None,
    *,
    watched: bool,
) -> Applied:
    from rollcall import sync
    from rollcall.report.progress import live_progress

    if write_to is not None:
        plan_file.refuse_own_files("--write-to", write_to, settings.policy_path)
    if saved is not None:
        return sync.apply_saved(settings, plan_file.load(saved), write_to=write_to, check=check)
    with live_progress(wanted=watched) as observer:
        return sync.apply(settings, observer, write_to=write_to, check=check)


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
        show_applied(applied.plan, applied.written, str(write_to or settings.config_path))
    say_all(applied.notes, mark="note: ")


def _say_all_there_is(planned: Planned) -> None:
    from rollcall.report.verbose import say_decisions, say_providers, say_surroundings

    say_surroundings(planned.evidence.settings)
    say_providers(planned)
    say_decisions(planned.decision)


def _print_json(plan: Plan) -> None:
    from rollcall.report.text import out

    out(plan.to_json().rstrip("\n"))


def _print_markdown(plan: Plan, before: str, after: str, facts: ChangeFacts) -> None:
    from rollcall.report.markdown import plan_markdown
    from rollcall.report.text import out

    out(plan_markdown(plan, before, after, facts).rstrip("\n"))


def _validator(settings: Settings) -> Callable[[bytes], None]:
    from rollcall.handoff.validation import litellm_check

    return litellm_check(settings)
