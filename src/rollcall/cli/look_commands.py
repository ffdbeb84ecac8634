"""`models`, `explain`, `status`, `schema`: looking, changing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rollcall import settings as settings_module
from rollcall.cli import app, options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.inventory import ModelRow
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
    from rollcall import sync
    from rollcall.report.models import show_families, show_models

    settings = settings_module.resolve(
        config=config, policy=policy, state_dir=state_dir, mode=mode,
        timeout=timeout, deadline=deadline,
    )  # fmt: skip
    known = sync.read_inventory(settings, refresh=refresh)
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
    from rollcall.evidence import read_policy

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
    from rollcall import sync
    from rollcall.explain import explain as explain_name
    from rollcall.providers.adapters import ADAPTERS
    from rollcall.report.explain import show_explanations

    settings = settings_module.resolve(
        config=config, policy=policy, state_dir=state_dir, mode=mode,
        timeout=timeout, deadline=deadline, offline=not refresh,
    )  # fmt: skip
    planned = sync.make_plan(settings)
    where = {
        row.name: dict(ADAPTERS[row.protocol].sources)
        for row in planned.evidence.roll.providers.values()
    }
    found = explain_name(name, planned.situation, planned.decision, where)
    show_explanations(found, as_json=json)


@app.command()
def schema() -> None:
    """Print the policy's JSON Schema, for editors."""
    import json

    from rollcall.policy import json_schema
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
    from rollcall.errors import Exit, PolicyError
    from rollcall.evidence import read_policy
    from rollcall.policy import Defaults
    from rollcall.report.status import show_status
    from rollcall.standing import standing_of
    from rollcall.store import Store

    settings = settings_module.resolve(config=config, policy=policy, state_dir=state_dir)
    store = Store(settings.config_path, settings.state_dir)
    try:
        stale_after = read_policy(settings)[1].defaults.stale_after
    except PolicyError:
        stale_after = Defaults().stale_after
    standing = standing_of(
        store.read_state()[0],
        now=settings.now,
        stale_after_seconds=stale_after,
        backups=len(store.backups()),
    )
    show_status(standing, as_json=json)
    raise typer.Exit(int(Exit.ERROR if check and standing.alarms else Exit.OK))
