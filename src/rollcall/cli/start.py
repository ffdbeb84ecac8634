"""`rollcall start`: discovery if asked for, then litellm, whatever happened before.

Nothing here may keep the proxy from starting: a known error becomes a warning of two lines, a bug
a log file, a hanging provider costs the deadline. Only Ctrl-C starts nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from rollcall.errors import ConfigRefused, RollcallError, SettingsError
from rollcall.files import read_regular
from rollcall.launch.find import find_litellm
from rollcall.launch.run import command, launch, needs_litellm, place_last_good, variables
from rollcall.report.text import say, say_error
from rollcall.settings import Mode, resolve
from rollcall.store import freshness

if TYPE_CHECKING:
    from pathlib import Path

    from rollcall.settings import Settings


LOCK_WAIT_SECONDS = 2.0
HINT = (
    "rollcall: discovery is off; LITELLM_ENABLE_DISCOVERY=1 or --discover asks the providers first."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """What `start` was asked for.

    Attributes:
        discover: --discover was given. or_last_good: start on the last good backup where
            config.yaml does not load. litellm: --litellm. args: what follows `--`.
        quiet: no remarks but warnings.
    """

    config: Path | None = None
    policy: Path | None = None
    state_dir: Path | None = None
    mode: str | None = None
    ttl: str | None = None
    timeout: str | None = None
    deadline: str | None = None
    discover: bool = False
    or_last_good: bool = False
    litellm: str | None = None
    args: tuple[str, ...] = ()
    quiet: bool = False


def start(options: StartOptions) -> int:
    """Discover if asked for, then hand off; returns litellm's exit code.

    Raises:
        LaunchError: litellm was not found or could not be started.
    """
    settings, discover = _settings(options)
    needed = needs_litellm(options.args)
    litellm = find_litellm(options.litellm, settings.environ) if needed else None
    config = _prepared(settings, options, discover=discover)
    argv = command(litellm, config, options.args)
    return launch(argv, variables(settings.environ, config, options.args))


def _prepared(settings: Settings, options: StartOptions, *, discover: bool | None) -> Path:
    """Everything before litellm: the config to start on. Whatever fails here, litellm starts."""
    try:
        fresh = freshness.is_fresh(settings)
        if discover and not fresh:
            _discover(settings, quiet=options.quiet)
        if discover is False and not options.quiet:
            say(HINT)
        if not fresh:
            return _config_to_start_on(settings, or_last_good=options.or_last_good)
    except RollcallError as error:
        say_error(error)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not keep the proxy down
        _tell_bug(error)
    return settings.config_path


def _tell_bug(error: Exception) -> None:
    """Report a bug, where there is any place to report it to."""
    with suppress(Exception):
        from rollcall.report.bugs import report_bug

        report_bug(error)
        say("          Starting litellm on config.yaml as it is.")


def _settings(options: StartOptions) -> tuple[Settings, bool | None]:
    """The settings, and whether to discover; None where they make no sense, which is said."""
    try:
        settings = resolve(
            config=options.config,
            policy=options.policy,
            state_dir=options.state_dir,
            mode=options.mode,
            ttl=options.ttl,
            timeout=options.timeout,
            deadline=options.deadline,
        )
    except SettingsError as error:
        say_error(error)
        say("          Starting litellm without discovery.")
        return _plain_settings(options), None
    return settings, options.discover or settings.discovery_enabled


def _plain_settings(options: StartOptions) -> Settings:
    """The paths alone, all else at its default; without `.env` where that cannot be read."""
    plain = partial(
        resolve,
        config=options.config,
        policy=options.policy,
        state_dir=options.state_dir,
        mode=Mode.ORCHESTRATOR,
        now=datetime.now(UTC),
    )
    try:
        return plain()
    except SettingsError:
        return plain(dotenv=False)


def _discover(settings: Settings, *, quiet: bool) -> None:
    """`apply`, with every failure turned into a warning."""
    try:
        from rollcall.report.plan import show_applied
        from rollcall.report.progress import live_progress
        from rollcall.report.text import result_on_stderr
        from rollcall.sync import apply

        with live_progress(wanted=not quiet) as observer:
            applied = apply.apply(settings, observer)
        if applied.plan.changed or applied.plan.refused or applied.plan.nobody or not quiet:
            with result_on_stderr():
                show_applied(applied.plan, applied.written, str(settings.config_path))
    except RollcallError as error:
        say_error(error)
        say("          Starting litellm on config.yaml as it is.")
    except Exception as error:  # noqa: BLE001 - a bug of ours must not keep the proxy down
        _tell_bug(error)


def _config_to_start_on(settings: Settings, *, or_last_good: bool) -> Path:
    """config.yaml, or with `or_last_good` the last good one where it does not load."""
    problem = _load_problem(settings)
    if problem is not None:
        _mend(settings)
        problem = _load_problem(settings)
    if problem is None:
        return settings.config_path
    say(f"rollcall: {settings.config_path} does not load: {problem}")
    if not or_last_good:
        say("          Starting litellm all the same; --or-last-good starts on the last backup.")
        return settings.config_path
    from rollcall.store.store import Store

    store = Store(settings.config_path, settings.state_dir)
    for backup in store.backups():
        try:
            content = store.read_backup(backup.id)
        except RollcallError:
            continue
        if _loads(content) is None:
            placed = place_last_good(settings.config_path, content)
            say(f"          STARTING ON THE LAST GOOD CONFIG of {backup.created}: {placed}")
            return placed
    say("          There is no backup that loads: starting litellm on it all the same.")
    return settings.config_path


def _mend(settings: Settings) -> None:
    """Undo a write in place that a kill left half-way, if that is what it is."""
    from rollcall.store.store import Store

    try:
        with Store(settings.config_path, settings.state_dir).locked(LOCK_WAIT_SECONDS) as notes:
            for note in notes:
                say(f"rollcall: {note}")
    except RollcallError as error:
        say_error(error)


def _load_problem(settings: Settings) -> str | None:
    try:
        content = read_regular(settings.config_path)
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return str(error.strerror or error)
    return _loads(content)


def _loads(content: bytes) -> str | None:
    """Why LiteLLM cannot load this text; None when it can."""
    from rollcall.litellm_config.text import LoadedYaml, decode

    try:
        loaded = LoadedYaml(decode(content).body)
        data = loaded.construct(loaded.root) if loaded.root is not None else None
    except ConfigRefused as refused:
        return refused.what
    return None if isinstance(data, dict) and data else "it is empty, or no mapping"
