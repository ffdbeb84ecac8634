"""`plan`, `apply`, `rollback`, `adopt`, `eject`: what would be written, and whatever writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import options
from rollcall.cli.around_writing import Checks, Proving
from rollcall.errors import Exit, RollcallError

if TYPE_CHECKING:
    from rollcall.plan.plan import Plan
    from rollcall.settings import Settings
    from rollcall.sync.apply import Applied, Planned


AGAIN = "Make one with `rollcall plan --out FILE`, which writes it as UTF-8 in every shell."


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


def plan(
    *,
    on: options.Deciding,
    said: options.Said,
    columns: options.Columns = None,
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
    if said.json and markdown:
        raise typer.BadParameter("--json and --markdown are two results: ask for one.")
    from rollcall.report.changes import RECORD, facts_of
    from rollcall.report.markdown import plan_markdown
    from rollcall.report.plan import show_plan
    from rollcall.report.progress import live_progress
    from rollcall.report.text import out_file
    from rollcall.store.atomic import write_named
    from rollcall.sync import apply

    fields = options.columns_of(columns, RECORD)
    settings = on.settings()
    for option, path in (("--out", save_to), ("--markdown-out", markdown_to)):
        options.refuse_own_files(option, path, settings.config_path, settings.policy_path)
    with live_progress(wanted=not (said.quiet or said.json or markdown)) as observer:
        planned = apply.make_plan(settings, observer, trial=trial)
    result, facts = planned.plan, facts_of(planned)
    on.say_missing(settings)
    if save_to is not None:
        write_named(save_to, result.to_json().encode())
    if markdown_to is not None:
        write_named(markdown_to, plan_markdown(result, facts).encode())
    if said.verbose:
        _say_all_there_is(settings, planned)
    if markdown:
        out_file(plan_markdown(result, facts))
    elif not _printed_as_json(result, said):
        show_plan(result, facts, quiet=said.quiet, full=full, columns=fields)
    raise typer.Exit(int(_exit_code(settings, result, pending=check and result.changed)))


def _printed_as_json(plan: Plan, said: options.Said) -> bool:
    """Print a plan as JSON where that was asked for; whether it was."""
    from rollcall.report.text import out

    if said.json:
        out(plan.to_json().rstrip("\n"))
    return said.json


@options.group
class Output:
    """Where the result goes, if not into the config that was read."""

    write_to: Annotated[
        Path | None,
        typer.Option("--write-to", help="Only read the config; write the result here."),
    ] = None
    or_usable: Annotated[
        bool,
        typer.Option(
            "--or-usable",
            help="With --write-to: exit 0 whenever a config LiteLLM can start on stands there.",
        ),
    ] = False

    def ensure_usable(self, settings: Settings) -> bool:
        """With --or-usable see to it that a config that loads stands there, config.yaml's copy if
        need be. Returns whether the run ends well for that, whatever happened.
        """
        from rollcall.sync.apply import ensure_loadable

        if not self.or_usable or self.write_to is None:
            return False
        return ensure_loadable(settings, self.write_to)


def apply(
    saved: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="A plan saved by `plan --out`.")
    ] = None,
    *,
    on: options.Deciding,
    unsafe_store: options.UnsafeStore = False,
    said: options.Said,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing, run nothing: `rollcall plan`.")
    ] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 4 when changes were written.")
    ] = False,
    output: Output,
    proving: Proving,
) -> None:
    """Ask, decide and write; with a saved PLAN, exactly that plan.

    LiteLLM reads config.yaml at its start only: restart it, for example with --on-change.
    """
    if saved is not None:
        anew = {"--provider": on.only_providers, "--timeout": on.timeout, "--offline": on.offline,
                "--accept": on.accept, "--dry-run": dry_run}  # fmt: skip
        for option in filter(anew.get, anew):
            hint = "give it to `rollcall plan`"
            raise typer.BadParameter(f"{option} has no effect on a saved plan: {hint}.")
    if dry_run:
        return plan(on=on, said=said, check=detailed_exitcode)
    from rollcall.report.text import say, say_error

    settings = on.settings(unsafe_store=unsafe_store)
    checks = Checks(settings, proving, elsewhere=output.write_to is not None)
    try:
        applied = _applied(settings, saved, output, checks, watched=not (said.quiet or said.json))
    except RollcallError as error:
        if not output.ensure_usable(settings):
            raise
        say_error(error)
        say(f"{output.write_to} is usable all the same: exit 0, as --or-usable says.")
        raise typer.Exit from error
    checks.say_notes()
    checks.roll_out(applied)
    if said.verbose and applied.planned is not None:
        _say_all_there_is(settings, applied.planned)
    code = _exit_code(settings, applied.plan, pending=detailed_exitcode and applied.changed)
    if not code.is_well and output.ensure_usable(settings):
        code = Exit.OK
    try:
        _report(applied, settings, output, said, quiet=said.quiet and code.is_well)
    finally:
        checks.follow(applied)
    raise typer.Exit(int(code))


def _applied(
    settings: Settings,
    saved: Path | None,
    output: Output,
    checks: Checks,
    *,
    watched: bool,
) -> Applied:
    from rollcall.report.progress import live_progress
    from rollcall.sync import apply

    write_to, check = output.write_to, checks if checks.given else None
    options.refuse_own_files("--write-to", write_to, settings.policy_path)
    if saved is not None:
        return apply.apply_saved(settings, load(saved), write_to=write_to, check=check)
    with live_progress(wanted=watched) as observer:
        return apply.apply(settings, observer, write_to=write_to, check=check)


def _exit_code(settings: Settings, plan: Plan, *, pending: bool) -> Exit:
    """The one code that says most: a guard, then nobody, then pending changes."""
    if plan.refused:
        return Exit.GUARD
    if plan.nobody or (settings.strict and plan.unreachable):
        return Exit.NOBODY
    return Exit.PENDING if pending else Exit.OK


def _report(
    applied: Applied, settings: Settings, output: Output, said: options.Said, *, quiet: bool
) -> None:
    from rollcall.report.text import say_all

    if not _printed_as_json(applied.plan, said) and not quiet:
        from rollcall.report.plan import show_applied

        path = str(output.write_to or settings.config_name)
        show_applied(applied.plan, applied.written, path)
    say_all(applied.notes, mark="note: ")


def _say_all_there_is(settings: Settings, planned: Planned) -> None:
    from rollcall.report.progress import say_decisions, say_providers, say_surroundings

    say_surroundings(settings)
    say_providers(planned)
    say_decisions(planned.decision)


def rollback(
    backup_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An id of --list, or its number.")
    ] = None,
    *,
    on: options.Written,
    listing: Annotated[
        bool, typer.Option("--list", help="Show what there is to go back to.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Restore an earlier config.yaml.

    Without ID the one before the last write; a rollback is backed up like any other write.
    """
    from rollcall.report.changing import show_backups, show_restored
    from rollcall.store.store import open_store
    from rollcall.sync import apply

    settings = on.settings()
    if listing:
        show_backups(open_store(settings).backups(), as_json=json)
        return
    restored, written = apply.rollback(settings, backup_id)
    show_restored(restored, written, settings.config_name, as_json=json)


def adopt(
    *,
    on: options.Asking,
    unsafe_store: options.UnsafeStore = False,
    offline: options.Offline = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    write_policy: Annotated[
        bool,
        typer.Option(
            "--write-policy",
            help="First put the rules that keep what entries say into the policy.",
        ),
    ] = False,
    json: options.Json = False,
) -> None:
    """Take your entries over, losing nothing.

    Shows them first, and writes after a yes. The policy's other changes are those of `apply`.
    Entries of rollcall whose markers were lost come back too.
    """
    from rollcall.report.changing import (
        confirmed,
        show_adopted,
        show_adoption,
        show_new_rules,
    )
    from rollcall.sync.adopt import add_rules, apply_adoption, plan_adoption

    settings = on.settings(unsafe_store=unsafe_store, offline=offline)
    plan = plan_adoption(settings)
    if write_policy and any(row.rule for row in plan.left_alone):
        if not json:
            show_new_rules(plan, settings.policy_path)
        if confirmed(f"Write these rules into {settings.policy_path}?", yes=yes):
            add_rules(settings, plan)
            plan = plan_adoption(settings)
    if not json:
        show_adoption(plan, settings.config_name)
    wanted = plan.result != plan.before and confirmed("Write this?", yes=yes)
    written = apply_adoption(settings, plan) if wanted else None
    show_adopted(plan, written, settings.config_name, as_json=json)


def eject(
    *,
    on: options.Written,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the managed entries out instead.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Leave the managed entries as ordinary ones, or take them out.

    No markers stay; entries left as ordinary ones keep their names and ids.
    """
    from rollcall.report.changing import show_ejected
    from rollcall.sync import adopt

    settings = on.settings()
    written = adopt.eject(settings, remove=remove)
    show_ejected(written, settings.config_name, removed=remove, as_json=json)
