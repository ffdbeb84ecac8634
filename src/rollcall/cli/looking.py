"""`models`, `explain`, `status`, `schema`, `rollback`, `adopt`, `eject`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import app, options
from rollcall.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.inspect.inventory import ModelRow
    from rollcall.settings import Settings


@app.command()
def models(
    config: options.Config = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    mode: options.ModeName = None,
    provider: options.Providers = None,
    family: Annotated[str | None, typer.Option("--family", help="Only this family.")] = None,
    ready: Annotated[
        bool | None, typer.Option("--ready/--not-ready", help="Only those a client can call.")
    ] = None,
    in_config: Annotated[
        bool, typer.Option("--in-config", help="Only those in the config.")
    ] = False,
    search: Annotated[
        str | None, typer.Option("--search", help="Only names that hold this.")
    ] = None,
    families: Annotated[
        bool, typer.Option("--families", help="Group by family, newest first; * is in the config.")
    ] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the providers anew.")] = False,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    json: options.Json = False,
) -> None:
    """List every model known: in the config or not, ready or not.

    Each with the reason; from what the providers said last, or asked anew with --refresh.
    """
    from rollcall.inspect import inventory
    from rollcall.report.looking import show_families, show_models

    settings = resolve(
        config=config, policy=policy, state_dir=state_dir, mode=mode,
        timeout=timeout, deadline=deadline,
    )  # fmt: skip
    known = inventory.read_inventory(settings, refresh=refresh)
    _refuse_strangers(settings, provider or (), {row.provider for row in known.rows})
    rows = [
        row
        for row in known.rows
        if (not provider or row.provider in provider)
        and (family is None or row.family == family)
        and (ready is None or row.ready is ready)
        and (row.in_config or not in_config)
        and (search is None or _mentions(row, search))
    ]
    if families:
        show_families(rows)
    else:
        show_models(rows, as_json=json)


def _refuse_strangers(settings: Settings, asked: Iterable[str], listed: set[str]) -> None:
    from rollcall.errors import SettingsError
    from rollcall.sync.gather import read_policy

    known = sorted(listed | set(read_policy(settings)[1].providers))
    for name in asked:
        if name not in known:
            raise SettingsError(
                f"--provider {name}: not in the policy.", f"It has: {', '.join(known)}."
            )


def _mentions(row: ModelRow, word: str) -> bool:
    texts = (row.name, row.id, row.display_name, *row.aliases)
    return any(word.lower() in (text or "").lower() for text in texts)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="A model, provider/id, or alias.")],
    config: options.Config = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    mode: options.ModeName = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the providers anew.")] = False,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    json: options.Json = False,
) -> None:
    """Walk one model or alias through every stage.

    Where it was found, how its name is read, which rule admitted or stopped it, price, age, guard.
    """
    from rollcall.inspect.explain import explain as explain_name
    from rollcall.plan.decide import decide
    from rollcall.providers.adapters import ADAPTERS
    from rollcall.report.looking import show_explanations
    from rollcall.store.store import Store
    from rollcall.sync.gather import gather

    settings = resolve(
        config=config, policy=policy, state_dir=state_dir, mode=mode,
        timeout=timeout, deadline=deadline, offline=not refresh,
    )  # fmt: skip
    inputs = gather(settings, Store(settings.config_path, settings.state_dir))
    where = {row.name: dict(ADAPTERS[row.protocol].sources) for row in inputs.providers.values()}
    found = explain_name(name, inputs, decide(inputs), where)
    show_explanations(found, as_json=json)


@app.command()
def schema() -> None:
    """Print the policy's JSON Schema, for editors."""
    import json

    from rollcall.policy.schema import json_schema
    from rollcall.report.text import out

    out(json.dumps(json_schema(), indent=2))


@app.command()
def status(
    config: options.Config = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when a provider, or rollcall, is overdue.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Show the last run, each provider's last good answer, alarms."""
    from rollcall.errors import Exit
    from rollcall.inspect.status import read_status
    from rollcall.report.looking import show_status

    status = read_status(resolve(config=config, policy=policy, state_dir=state_dir))
    show_status(status, as_json=json)
    raise typer.Exit(int(Exit.ERROR if check and status.alarms else Exit.OK))


@app.command()
def adopt(
    config: options.Config = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    mode: options.ModeName = None,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    offline: options.Offline = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Turn entries the policy would produce into managed ones.

    Entries of rollcall whose markers were lost come back too.
    """
    from rollcall.report.changing import show_adopted
    from rollcall.sync import adopt

    settings = resolve(
        config=config, policy=policy, state_dir=state_dir, mode=mode, timeout=timeout,
        deadline=deadline, offline=offline, force=force,
    )  # fmt: skip
    show_adopted(adopt.adopt(settings), str(settings.config_path), as_json=json)


@app.command()
def eject(
    config: options.Config = None,
    state_dir: options.StateDir = None,
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

    settings = resolve(config=config, state_dir=state_dir)
    written = adopt.eject(settings, remove=remove)
    show_ejected(written, str(settings.config_path), removed=remove, as_json=json)


@app.command()
def rollback(
    backup_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An id of --list, or its number.")
    ] = None,
    config: options.Config = None,
    state_dir: options.StateDir = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Show what there is to go back to.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Restore an earlier config.yaml.

    Without ID the one before the last write; a rollback is backed up like any other write.
    """
    from rollcall.report.changing import show_backups, show_restored
    from rollcall.store.store import Store
    from rollcall.sync import apply

    settings = resolve(config=config, state_dir=state_dir)
    if listing:
        show_backups(Store(settings.config_path, settings.state_dir).backups(), as_json=json)
        return
    restored, written = apply.rollback(settings, backup_id)
    show_restored(restored, written, str(settings.config_path), as_json=json)
