"""`rollcall start`: discovery if asked for, then litellm, whatever happened before.

Nothing here may keep the proxy from starting: a known error becomes a warning of two lines, a bug
a log file, a hanging provider costs the deadline. Only Ctrl-C starts nothing.
"""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rollcall.errors import ConfigRefused, LaunchError, RollcallError
from rollcall.files import is_file, read_regular
from rollcall.inspect.shells import assignment
from rollcall.launch.find import bad_release, find_install, find_litellm
from rollcall.launch.port import port_taken
from rollcall.launch.run import (
    UnpassableError,
    command,
    config_given,
    launch,
    needs_litellm,
    place_last_good,
    serving_at,
    variables,
)
from rollcall.report.text import printable, say, say_error, say_two
from rollcall.settings import Variables, plain_settings
from rollcall.store import freshness

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.cli.proxy_commands import StartOptions
    from rollcall.inspect.shells import Shell
    from rollcall.settings import Settings


LOCK_WAIT_SECONDS = 2.0
MOST_PATH = 4096
"""Characters; no system opens a longer one."""
HINT = (
    "rollcall: discovery is off; LITELLM_ENABLE_DISCOVERY=1 or --discover asks the providers first."
)


def start(options: StartOptions) -> int:
    """Discover if asked for, then hand off; returns litellm's exit code.

    Raises:
        LaunchError: litellm was not found or could not be started.
        typer.BadParameter: --watch is no duration.
    """
    every = options.watch_seconds
    settings, discover = _anyway(partial(_settings, options), None) or _defaults(options)
    needed = needs_litellm(options.words)
    litellm = _trusted_litellm(settings, options) if needed else None
    before = partial(_config_after_discovery, settings, options, discover=discover)
    config = _anyway(before, settings.config_path)
    if needed:
        _anyway(partial(_say_port, settings, options), None)
    argv = command(litellm, config, options.words)
    if every is not None:
        return _watched(argv, config, settings, options, every)
    return _launched(argv, litellm, config, settings, options)


def prepare(options: StartOptions, shell: Shell) -> list[str]:
    """All that `start` does before litellm, and the lines by which a script of `shell` takes over.

    They set the variables `start` would hand on, and ROLLCALL_CONFIG and ROLLCALL_LITELLM, the
    latter only where one was found; or, where it must not be started, ROLLCALL_REFUSED.
    """
    settings, discover = _anyway(partial(_settings, options), None) or _defaults(options)
    found = Variables()
    try:
        found["ROLLCALL_LITELLM"] = str(_trusted_litellm(settings, options))
    except KnownBadRelease as error:
        say_error(error)
        return [assignment("ROLLCALL_REFUSED", "1", shell)]
    except LaunchError:
        pass  # the script looks for itself
    before = partial(_config_after_discovery, settings, options, discover=discover)
    config = _anyway(before, settings.config_path)
    _anyway(partial(_say_port, settings, options), None)
    given = Variables(variables(settings.environ, config, options.words), found)
    return [
        assignment(name, value, shell)
        for name, value in given.items()
        if os.environ.get(name) != value and _NAME.fullmatch(name)
    ]


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What every shell takes as a variable's name; python-dotenv takes more."""


def _say_port(settings: Settings, options: StartOptions) -> None:
    if taken := port_taken(options.words, settings.environ):
        say_two(taken.what, taken.fix)


_T = TypeVar("_T")


AS_IT_IS = "Starting litellm on config.yaml as it is."
AS_BEFORE = "The proxy goes on with the config it was started on."


def _anyway(step: Callable[[], _T], otherwise: _T, then: str = AS_IT_IS) -> _T:
    """What a step gives; where it fails, for whatever reason, that is told and we go on."""
    try:
        return step()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - nothing of ours may keep the proxy down
        try:
            _tell(error, then)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001, S110 - there may be no place left to tell it
            pass
        return otherwise


def _tell(error: BaseException, then: str) -> None:
    if isinstance(error, RollcallError):
        say_error(error)
    else:
        from rollcall.report.bugs import report_bug

        report_bug(error)
    say(f"          {then}")


def _settings(options: StartOptions) -> tuple[Settings, bool | None]:
    """The settings, and whether to discover.

    Raises:
        SettingsError: they make no sense.
    """
    settings = options.settings(config=_named_config(options), bucket=True)
    _anyway(partial(_say_left_out, settings), None)
    return settings, options.discover or settings.discovery_enabled


def _named_config(options: StartOptions) -> str | None:
    """The config that was named: for litellm, or else for us."""
    return config_given(options.words) or options.config or None


def _defaults(options: StartOptions) -> tuple[Settings, bool | None]:
    """The paths alone, and no discovery: it might write what the settings were to keep out."""
    config = _anyway(partial(_named_config, options), options.config)
    settings = plain_settings(config, options.policy, options.state_dir)
    _anyway(partial(_say_left_out, settings), None)
    return settings, None


def _say_left_out(settings: Settings) -> None:
    for row in settings.left_out:
        say_two(f"{row.where}: {row.what}", row.fix)
    if unread := settings.unread:
        say_two(unread.what, unread.fix)


class KnownBadRelease(LaunchError):
    """The litellm that was found is a release that is known to steal keys."""


def _trusted_litellm(settings: Settings, options: StartOptions) -> Path:
    """The litellm to start.

    Raises:
        LaunchError: there is none, or it is a release that is known to steal keys.
    """
    litellm = find_litellm(options.litellm, settings.environ)
    install = _anyway(partial(find_install, litellm), None)
    if install and install.known_bad and not options.litellm_anyway:
        what, fix = bad_release(install, install.known_bad)
        raise KnownBadRelease(what, f"{fix} --litellm-anyway starts it all the same.")
    return litellm


def _config_after_discovery(
    settings: Settings, options: StartOptions, *, discover: bool | None
) -> Path:
    """Everything before litellm: discovery if asked for, then the config to start on."""
    fresh = freshness.is_fresh(settings) if settings.address is None else _fetched(settings)
    if discover and not fresh:
        _anyway(partial(_discover, settings, quiet=options.quiet), None)
    if discover is False and not options.quiet:
        say(HINT)
    if fresh:
        return settings.config_path
    return _config_to_start_on(settings, or_last_good=options.or_last_good)


def _fetched(settings: Settings) -> bool:
    """Lay a copy of a config in a store beside us, for litellm to start on; whether it is fresh."""
    from rollcall.store.remote import open_remote

    def fetch() -> bool:
        store = open_remote(settings)
        content = store.read_config()
        store.place_copy(store.copy_of(content))
        return freshness.still_stands(settings, store.memory.read(freshness.STAMP) or b"", content)

    return _anyway(fetch, False)


def _launched(
    argv: list[str], litellm: Path | None, config: Path, settings: Settings, options: StartOptions
) -> int:
    """Hand over; where the system does not take all we hand on, with what we were given alone."""
    try:
        return launch(argv, variables(settings.environ, config, options.words))
    except UnpassableError as error:
        plain = Path(options.config or "config.yaml")
        argv = command(litellm, plain if len(str(config)) > MOST_PATH else config, options.words)
        told = f"{error.what.rstrip('.')}; once more without the variables of .env."
        _anyway(partial(say, f"rollcall: {printable(told)}"), None)
        return launch(argv, os.environ)


def _watched(
    argv: list[str], config: Path, settings: Settings, options: StartOptions, every_seconds: float
) -> int:
    """Stay as the parent, and look for a new config at intervals."""
    import sys

    from rollcall.launch.watch import Watch, watch

    given = ["--config", settings.config_name, "--state-dir", str(settings.state_dir)]
    more = ["--policy", str(settings.policy_path), "--mode", settings.mode.value]
    for name, value in (("--timeout", options.timeout), ("--deadline", options.deadline)):
        more += [name, value] if value else []
    ours = [sys.executable, "-m", "rollcall"]
    host, port = serving_at(options.words, settings.environ)
    return watch(
        Watch(
            argv=argv,
            environ=variables(settings.environ, config, options.words),
            look=[*ours, "apply", *given, *more, "--prove", "--detailed-exitcode"],
            back=[*ours, "rollback", *given],
            host=host,
            port=port,
            every_seconds=every_seconds,
            say=lambda line: say(f"rollcall: {line}"),
            copy=None if settings.address is None else _StoreCopy(settings),
        )
    )


class _StoreCopy:
    """The copy of a config in a store that litellm is started on."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seen: dict[Path, bytes] = {}
        """What was in the store at the last look."""
        self.before: dict[Path, bytes] = {}
        """What lay here before the last copy was laid."""

    def _fetch(self) -> bool:
        """Lay a copy of what is in the store now here, where that is new, loads and is another one
        than lies here; whether it was so.

        Raises:
            StoreError: the store cannot be reached, or the copy not be written.
        """
        from rollcall.store.remote import open_remote

        store = open_remote(self.settings)
        content = store.read_config()
        found = store.copy_of(content)
        if not content or found == self.seen:
            return False
        self.seen = found
        if problem := _loads(content):
            say(f"rollcall: {self.settings.config_name} does not load: {problem}")
            return False
        here = {path: read_regular(path) for path in found if is_file(path)}
        if here == found:
            return False
        store.place_copy(found)
        self.before = here
        return True

    def renew(self) -> bool:
        """As `_fetch`, whatever happens."""
        return _anyway(self._fetch, False, AS_BEFORE)

    def restore(self) -> None:
        """Lay the one before here again; what is in the store stays, for whoever wrote it."""
        from rollcall.store.remote import open_remote

        _anyway(lambda: open_remote(self.settings).place_copy(self.before), None, AS_BEFORE)


def _discover(settings: Settings, *, quiet: bool) -> None:
    """`apply`; what it says goes to stderr."""
    from rollcall.report.plan import show_applied
    from rollcall.report.progress import live_progress
    from rollcall.report.text import result_on_stderr
    from rollcall.sync import apply

    with live_progress(wanted=not quiet) as observer:
        applied = apply.apply(settings, observer)
    if applied.plan.changed or applied.plan.stands_still or not quiet:
        with result_on_stderr():
            show_applied(applied.plan, applied.written, settings.config_name, starting=True)


def _config_to_start_on(settings: Settings, *, or_last_good: bool) -> Path:
    """config.yaml, or with `or_last_good` the last good one where it does not load."""
    problem = _load_problem(settings)
    if problem is not None:
        _mend(settings)
        problem = _load_problem(settings)
    if problem is None:
        return settings.config_path
    say(f"rollcall: {settings.config_name} does not load: {problem}")
    if not or_last_good:
        say("          Starting litellm all the same; --or-last-good starts on the last backup.")
        return settings.config_path
    from rollcall.store.store import open_store

    store = open_store(settings)
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
    from rollcall.store.store import open_store

    try:
        with open_store(settings).locked(LOCK_WAIT_SECONDS) as notes:
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
        return f"{f'line {refused.line}: ' if refused.line else ''}{refused.why}"
    return None if isinstance(data, dict) and data else "it is empty, or no mapping"
