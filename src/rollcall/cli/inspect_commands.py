"""`models`, `explain`, `status`, `doctor`, `smoke`: looking, changing nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import options
from rollcall.cli.completing import known_names
from rollcall.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.inspect.inventory import ModelRow


def models(
    *,
    on: options.Asking,
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
    refresh: options.Refresh = False,
    columns: options.Columns = None,
    json: options.Json = False,
) -> None:
    """List every model known: in the config or not, ready or not.

    Each with the reason; from what the providers said last, or asked anew with --refresh.
    """
    from rollcall.inspect.inventory import inventory_of, look
    from rollcall.report.looking import model_columns, show_families, show_models
    from rollcall.report.plan import say_unanswered
    from rollcall.report.progress import live_progress
    from rollcall.store.store import open_store

    fields = options.columns_of(columns, model_columns())
    settings = on.settings()
    store = open_store(settings)
    watching = partial(live_progress, wanted=not json)
    inputs = look(settings, store, refresh=refresh, watching=watching)
    on.say_missing(settings)
    say_unanswered(inputs)
    known = inventory_of(inputs, store)
    _refuse_strangers(provider or (), {row.provider for row in known.rows} | {*inputs.providers})
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
        show_models(rows, as_json=json, columns=fields)


def _refuse_strangers(asked: Iterable[str], known: set[str]) -> None:
    from rollcall.errors import SettingsError

    for name in asked:
        if name not in known:
            hint = f"It has: {', '.join(sorted(known))}."
            raise SettingsError(f"--provider {name}: not in the policy.", hint)


def _mentions(row: ModelRow, word: str) -> bool:
    texts = (row.name, row.id, row.display_name, *row.aliases)
    return any(word.lower() in (text or "").lower() for text in texts)


def explain(
    name: Annotated[
        str, typer.Argument(help="A model, provider/id, or alias.", autocompletion=known_names)
    ],
    *,
    on: options.Asking,
    refresh: options.Refresh = False,
    json: options.Json = False,
) -> None:
    """Walk one model or alias through every stage.

    Where it was found, how its name is read, which rule admitted or stopped it, price, age, guard.
    """
    from rollcall.inspect.explain import explain as explain_name
    from rollcall.inspect.inventory import look
    from rollcall.plan.decide import decide
    from rollcall.providers.adapters import ADAPTERS
    from rollcall.report.looking import show_explanations
    from rollcall.report.plan import say_unanswered
    from rollcall.report.progress import live_progress
    from rollcall.store.store import open_store

    settings = on.settings()
    watching = partial(live_progress, wanted=not json)
    inputs = look(settings, open_store(settings), refresh=refresh, watching=watching)
    on.say_missing(settings)
    say_unanswered(inputs)
    where = {row.name: dict(ADAPTERS[row.protocol].sources) for row in inputs.providers.values()}
    found = explain_name(name, inputs, decide(inputs), where)
    show_explanations(found, as_json=json)


def status(
    *,
    on: options.Place,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when a provider, or rollcall, is overdue.")
    ] = False,
    ends_within: Annotated[
        str | None,
        typer.Option("--ends-within", help="A model that ends sooner is an alarm, too, e.g. 30d."),
    ] = None,
    columns: options.Columns = None,
    json: options.Json = False,
) -> None:
    """Show the last run, providers, what ends soon, alarms."""
    from rollcall.errors import Exit
    from rollcall.inspect.status import read_status
    from rollcall.report.looking import STATUS_RECORD, show_status

    fields = options.columns_of(columns, STATUS_RECORD)
    days = None if ends_within is None else _days("--ends-within", ends_within)
    status = read_status(on.settings(), days)
    show_status(status, as_json=json, columns=fields)
    raise typer.Exit(int(Exit.ERROR if check and status.alarms else Exit.OK))


def _days(flag: str, text: str) -> int:
    from rollcall.errors import SettingsError
    from rollcall.policy.words import parse_days

    try:
        return parse_days(text)
    except ValueError as error:
        raise SettingsError(f"{flag}: {error}.", f"For example {flag} 30d.") from None


def doctor(
    *,
    on: options.Place,
    litellm: options.Litellm = None,
    check_keys: Annotated[
        bool, typer.Option("--check-keys", help="Ask the providers whether they take the keys.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Look for what keeps a proxy from starting well.

    Each finding names its fix; exit 1 when one is an error.
    """
    from rollcall.errors import Exit, RollcallError
    from rollcall.inspect.doctor import examine
    from rollcall.inspect.findings import at_most, has_errors
    from rollcall.report.looking import show_findings
    from rollcall.settings import plain_settings

    try:
        settings, error = on.settings(), None
    except RollcallError as wrong:
        settings, error = plain_settings(on.config, on.policy, on.state_dir), wrong
    findings = examine(settings, litellm, settings_error=error, check_keys=check_keys)
    show_findings(at_most(findings), as_json=json)
    raise typer.Exit(int(Exit.ERROR if has_errors(findings) else Exit.OK))


def smoke(
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="[LITELLM_BASE_URL, localhost:4000]")
    ] = None,
    config: options.Config = None,
    key: options.Key = None,
    state_dir: options.StateDir = None,
    key_env: Annotated[
        str | None,
        typer.Option("--key-env", help="The variable that holds the proxy's key."),
    ] = None,
    all_models: Annotated[bool, typer.Option("--all", help="Call every model.")] = False,
    no_calls: Annotated[bool, typer.Option("--no-calls", help="Compare the lists only.")] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", help="Per call, e.g. 30s.  [default: 60s]")
    ] = None,
    json: options.Json = False,
) -> None:
    """Call a running proxy: its list, and one completion per alias.

    Exit 1 when something that stands in config.yaml is not served or does not answer.
    """
    from rollcall.errors import Exit
    from rollcall.inspect.smoke import SmokeOptions, proxy_key, proxy_url, read_promised, run_smoke
    from rollcall.report.looking import show_smoke

    settings = resolve(config=config, key=key, state_dir=state_dir, timeout=timeout)
    promised = read_promised(settings)
    report = run_smoke(
        proxy_url(settings, url),
        proxy_key(settings, promised.data, key_env),
        promised.view,
        SmokeOptions(
            all_models=all_models,
            calls=not no_calls,
            timeout_seconds=settings.timeout_seconds or 60.0,
        ),
    )
    show_smoke(report, as_json=json)
    raise typer.Exit(int(Exit.OK if report.ok else Exit.ERROR))
