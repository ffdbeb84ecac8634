"""`plan`, `apply`, `rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall import settings as settings_module
from rollcall.cli import app, options
from rollcall.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.plan import Plan
    from rollcall.report.change_facts import ChangeFacts
    from rollcall.settings import Settings
    from rollcall.sync import Applied


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
    """Dry run: ask, decide, show what would change and why; write nothing."""
    from rollcall import config_document, sync
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
    before = config_document.managed_text(planned.evidence.document.raw)
    after = config_document.managed_text(planned.result) if result.changed else before
    if save_to is not None:
        _save(save_to, result.to_json())
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
    """Ask, decide and write; with a saved PLAN write exactly that plan."""
    from rollcall import sync
    from rollcall.report.progress import live_progress

    settings = settings_module.resolve(
        config=config, policy=policy, state_dir=state_dir, mode=mode,
        only_providers=tuple(provider or ()), timeout=timeout, deadline=deadline,
        offline=offline, force=force, strict=strict, accept=tuple(accept or ()),
    )  # fmt: skip
    if saved is not None:
        applied = sync.apply_saved(settings, _load(saved), write_to=write_to)
    else:
        checker = _validator(settings) if validate else None
        with live_progress(wanted=not (quiet or json)) as observer:
            applied = sync.apply(settings, observer, write_to=write_to, check=checker)
    _report(applied, settings, write_to, json=json, quiet=quiet)
    changed = applied.written is not None and applied.plan.changed
    if changed and on_change:
        _run_on_change(on_change)
    code = _exit_code(settings, applied.plan, pending=detailed_exitcode and changed)
    raise typer.Exit(int(code))


@app.command()
def rollback(
    backup_id: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    config: options.Config = None,
    state_dir: options.StateDir = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Show what there is to go back to.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Restore an earlier config.yaml: the one before the last write, or the one named."""
    from rollcall import sync
    from rollcall.report.backups import show_backups, show_restored
    from rollcall.store import Store

    settings = settings_module.resolve(config=config, state_dir=state_dir)
    if listing:
        show_backups(Store(settings.config_path, settings.state_dir).backups(), as_json=json)
        return
    restored, written = sync.rollback(settings, backup_id)
    show_restored(restored, written, str(settings.config_path))


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
    elif not quiet or applied.plan.refused or applied.plan.nobody:
        show_applied(applied.plan, applied.written, str(write_to or settings.config_path))
    say_all(applied.notes, mark="note: ")


def _print_json(plan: Plan) -> None:
    from rollcall.report.text import out

    out(plan.to_json().rstrip("\n"))


def _print_markdown(plan: Plan, before: str, after: str, facts: ChangeFacts) -> None:
    from rollcall.report.markdown import plan_markdown
    from rollcall.report.text import out

    out(plan_markdown(plan, before, after, facts).rstrip("\n"))


def _save(path: Path, text: str) -> None:
    from rollcall.errors import StoreError

    try:
        path.write_text(text, encoding="ascii", newline="\n")
    except OSError as error:
        raise StoreError(
            f"The plan could not be saved to {path}: {error.strerror or error}.",
            "Name another file with --out.",
        ) from None


def _load(path: Path) -> Plan:
    from rollcall.errors import PlanError
    from rollcall.plan import read_plan

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise PlanError(
            f"{path} cannot be read: {reason}.", "Make one with `rollcall plan --out FILE`."
        ) from None
    return read_plan(text, str(path))


def _run_on_change(command: str) -> None:
    """Run the user's own command line in their shell; it failing is their command's affair."""
    import subprocess

    from rollcall.report.text import say

    code = subprocess.run(command, shell=True, check=False).returncode  # noqa: S602 - asked for
    if code:
        say(f"note: the --on-change command ended with {code}.")


def _validator(settings: Settings) -> Callable[[bytes], None]:
    from rollcall.validation import litellm_check

    return litellm_check(settings)
