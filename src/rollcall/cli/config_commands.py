"""`rollback`, `adopt`, `eject`: config.yaml taken back, taken over, given up."""

from __future__ import annotations

from typing import Annotated

import typer

from rollcall.cli import options


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
