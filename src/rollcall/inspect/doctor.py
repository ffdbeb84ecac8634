"""`rollcall doctor`: everything that keeps a proxy from starting well, each with its fix.

Reads and looks only: nothing of litellm is run, and nothing is asked over the network unless
--check-keys has the providers asked whether they take the keys.
"""

from __future__ import annotations

import locale
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from rollcall.errors import (
    ConfigRefused,
    LaunchError,
    NoPolicy,
    PolicyError,
    RollcallError,
    StoreError,
)
from rollcall.files import is_there, read_regular
from rollcall.inspect.checked_config import CheckedConfig
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.keys import master_key_findings, provider_findings
from rollcall.inspect.status import alarms, read_decision, told_store
from rollcall.inspect.surroundings import (
    code_page_findings,
    dotenv_findings,
    folder_findings,
    litellm_findings,
    mount_findings,
    other_config_findings,
    table_findings,
)
from rollcall.inspect.traps import find_traps
from rollcall.launch.find import find_install, find_litellm, import_folders
from rollcall.launch.port import port_taken
from rollcall.litellm_config.document import parse
from rollcall.plan.own_entries import fate_of
from rollcall.settings import hint_of, is_true
from rollcall.store.store import Store, open_store
from rollcall.sync.apply import refresh
from rollcall.sync.asking import find_keys
from rollcall.sync.gather import read_policy

if TYPE_CHECKING:
    from rollcall.launch.find import LiteLLMInstall
    from rollcall.litellm_config.document import ConfigDocument
    from rollcall.plan.decide import Decision
    from rollcall.policy.schema import Policy
    from rollcall.settings import Settings
    from rollcall.store.state import State

Check = Callable[["_Subject"], Iterator[Finding]]
MOUNTS = Path("/proc/self/mountinfo")


@dataclass
class _Subject:
    """What the checks look at, read when the first of them asks for it.

    Every property may raise: a check that needs what cannot be read is lost, the others are not.
    """

    settings: Settings
    litellm_option: str | None
    settings_error: RollcallError | None
    check_keys: bool

    @cached_property
    def litellm(self) -> Path | LaunchError:
        """The command, or why there is none."""
        try:
            return find_litellm(self.litellm_option, self.settings.environ)
        except LaunchError as error:
            return error

    @cached_property
    def install(self) -> LiteLLMInstall | None:
        """The installation it belongs to; None where there is none, or its files do not tell."""
        return None if isinstance(self.litellm, LaunchError) else find_install(self.litellm)

    @cached_property
    def store(self) -> Store:
        return open_store(self.settings)

    @cached_property
    def state(self) -> tuple[State, tuple[str, ...]]:
        """What earlier runs remember, and notes about reading it."""
        return self.store.memory.read_state()

    @cached_property
    def config(self) -> CheckedConfig:
        return checked_config(self.settings, self.store, self.store.read_config(), self.install)

    @cached_property
    def policy(self) -> Policy:
        return read_policy(self.settings)[1]

    @cached_property
    def decision(self) -> Decision | None:
        """What would be decided from what was kept of the last run; None where nothing can."""
        return read_decision(self.settings)[0]


def examine(
    settings: Settings,
    litellm_option: str | None = None,
    *,
    settings_error: RollcallError | None = None,
    check_keys: bool = False,
) -> tuple[Finding, ...]:
    """Every finding, in the order one would mend them: litellm, config, keys, providers.

    Args:
        litellm_option: the value of --litellm.
        settings_error: why `settings` are the defaults, where what was given makes no sense.
        check_keys: ask the providers now whether they take the keys.
    """
    subject = _Subject(settings, litellm_option, settings_error, check_keys)
    found: dict[str, Finding] = {}
    for check in CHECKS:
        for finding in _made(check, subject):  # what two checks stumble over is told once
            found.setdefault(f"{finding.where}: {finding.what}", finding)
    return tuple(found.values())


def _made(check: Check, subject: _Subject) -> Iterator[Finding]:
    """The findings of one check; one that cannot be made is a finding itself."""
    try:
        yield from check(subject)
    except NoPolicy as error:
        yield _no_policy(subject, error)
    except RollcallError as error:
        code = "policy" if isinstance(error, PolicyError) else "cannot_check"
        others = error.others if isinstance(error, PolicyError) else ()
        for one in (error, *others):
            yield Finding(Level.ERROR, code, one.what, fix=hint_of(one))
    except OSError as error:
        what = f"{error.filename or 'A file'} cannot be looked at: {error.strerror or error}."
        yield Finding(Level.ERROR, "cannot_check", what, fix="Check what it is, and who owns it.")
    except Exception as error:  # noqa: BLE001 - a bug in one check must not hide what others found
        place = extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        what = f"A check could not be made, because of a bug in rollcall: {where}."
        yield Finding(Level.ERROR, "cannot_check", what, fix="Please report it; the rest is whole.")


def _no_policy(subject: _Subject, error: NoPolicy) -> Finding:
    """The next step of a first day; where rollcall has written already, something that is lost."""
    if _document(subject).managed.models:
        return Finding(Level.ERROR, "policy", error.what, fix=error.hint)
    what = f"There is no policy at {subject.settings.policy_path} yet: rollcall changes nothing."
    return Finding(Level.WARNING, "policy", what, fix="Write a first one: rollcall init")


def _asking_check(subject: _Subject) -> Iterator[Finding]:
    """Ask the providers, where that is wanted; what they say stands in the state afterwards."""
    if subject.check_keys:
        refresh(subject.settings)
    yield from ()


def _port_check(subject: _Subject) -> Iterator[Finding]:
    """A port that litellm will not get. A proxy that runs already holds it rightly."""
    if taken := port_taken((), subject.settings.environ):
        fix = f"If that is not this proxy: {taken.fix}"
        yield Finding(Level.WARNING, "port_taken", taken.what, fix=fix)


def _settings_check(subject: _Subject) -> Iterator[Finding]:
    """Flags, variables and lines of `.env` that make no sense, or that no process can be given."""
    if error := subject.settings_error:
        yield Finding(Level.ERROR, "settings", error.what, fix=hint_of(error))
    for row in subject.settings.left_out:
        yield Finding(Level.ERROR, "variable_left_out", row.what, row.where, row.fix)
    if unread := subject.settings.unread:
        where = str(unread.path)
        yield Finding(Level.WARNING, "dotenv_elsewhere", unread.what, where, unread.fix)


def _dotenv_check(subject: _Subject) -> Iterator[Finding]:
    path = subject.settings.dotenv_path
    yield from dotenv_findings(path, _mode(path), subject.install)


def _last_days_check(subject: _Subject) -> Iterator[Finding]:
    """What ends soon, whose word that is, and what to do about it."""
    today = subject.settings.now.date()
    for row in subject.decision.last_days if subject.decision else ():
        if subject.policy.is_told(row.ends, today):
            where = f"{subject.settings.config_name}:{row.line}" if row.line else None
            yield Finding(Level.WARNING, "last_day", f"{row.told(today)}.", where, row.advice)


def _dead_check(subject: _Subject) -> Iterator[Finding]:
    """Hand-written entries whose provider no longer lists their model."""
    for one in subject.decision.own if subject.decision else ():
        if one.gone:
            what = f"{one.name}: {fate_of(one, subject.settings.now.date())}, so its calls fail."
            where = f"{subject.settings.config_path.name}:{one.line}"
            fix = "Let it call a model that is listed, or delete it. See: rollcall models"
            yield Finding(Level.ERROR, "dead_entry", what, where, fix)


def _folder_check(subject: _Subject) -> Iterator[Finding]:
    """config.yaml or `.env` that is a folder."""
    config = subject.settings.config_path
    yield from folder_findings((config, config.parent / ".env", Path(".env").absolute()))


def _code_page_check(subject: _Subject) -> Iterator[Finding]:
    """Text that the code page of this system misreads."""
    if is_true(subject.settings.environ.get("PYTHONUTF8")):
        return
    files = {file.name: file.raw for file in subject.config.files}
    if path := subject.settings.dotenv_path:
        files[str(path)] = read_regular(path)
    yield from code_page_findings(files, locale.getpreferredencoding(do_setlocale=False))


def _store_check(subject: _Subject) -> Iterator[Finding]:
    """Which config it is, and who wrote it last, or that there is none yet; one that cannot be read
    is told below.
    """
    with suppress(ConfigRefused, StoreError):
        told = told_store(subject.settings, subject.store, subject.state[0])
        if subject.config.raw:
            yield Finding(Level.OK, "store", f"{told}.")
        else:
            fix = "rollcall init, then rollcall apply"
            yield Finding(Level.WARNING, "no_config", f"{told}.", fix=fix)


def _config_check(subject: _Subject) -> Iterator[Finding]:
    """What is wrong with config.yaml, for LiteLLM and for us."""
    try:
        config = subject.config
    except StoreError as error:
        if not subject.settings.config_path.is_dir():  # which is told already
            yield Finding(Level.ERROR, "config_unreadable", error.what, fix=hint_of(error))
        return
    if config.raw:
        yield from find_traps(config)
        value = config.root.reading.value
        if config.root.reading.refused is None and (not value or isinstance(value, dict)):
            yield from _editing_findings(config)


def _keys_check(subject: _Subject) -> Iterator[Finding]:
    """What is wrong with the policy, and the keys its providers need."""
    keys = find_keys(subject.policy, subject.settings, _document(subject))
    yield from provider_findings(keys, subject.state[0], asked=subject.check_keys)


def _history_check(subject: _Subject) -> Iterator[Finding]:
    """Providers, or rollcall itself, that have been silent for too long."""
    late = alarms(
        subject.state[0],
        now=subject.settings.now,
        stale_after_seconds=subject.policy.defaults.stale_after,
    )
    for alarm in late:
        yield Finding(Level.WARNING, "overdue", f"{alarm}.", fix="See why with: rollcall plan")


def _state_check(subject: _Subject) -> Iterator[Finding]:
    """Whether what earlier runs remember, and their backups, can be read."""
    folder = subject.settings.state_dir
    if is_there(folder) and not os.path.isdir(folder):  # noqa: PTH112  never raises
        what = (
            f"{folder.name} is a file, not a folder: rollcall can remember nothing and back up"
            " nothing."
        )
        fix = "Move it out of the way, or name another folder with --state-dir."
        told = hint_of(StoreError(f"{folder}: {what}", fix))
        yield Finding(Level.ERROR, "state_no_folder", what, str(folder), told)
        return
    for note in subject.state[1]:
        yield Finding(Level.WARNING, "state", note)
    subject.store.backups()


CHECKS: tuple[Check, ...] = (
    _asking_check,
    lambda subject: litellm_findings(subject.litellm, subject.install),
    lambda subject: table_findings(subject.install, subject.settings.environ),
    _port_check,
    _settings_check,
    lambda subject: other_config_findings(subject.settings),
    _dotenv_check,
    lambda subject: mount_findings(subject.settings.config_path, _text(MOUNTS)),
    _folder_check,
    _store_check,
    _config_check,
    _code_page_check,
    lambda subject: master_key_findings(subject.config),
    _keys_check,
    _history_check,
    _last_days_check,
    _dead_check,
    _state_check,
)


def checked_config(
    settings: Settings, store: Store, raw: bytes, install: LiteLLMInstall | None = None
) -> CheckedConfig:
    """config.yaml and what surrounds it, for the traps."""
    name = settings.config_path.name
    data = CheckedConfig(name, raw).data
    return CheckedConfig(
        name,
        raw,
        settings.environ,
        store.included_texts(data),
        store.missing_includes(data),
        settings.config_path.parent if settings.address is None and settings.key is None else None,
        import_folders(install, Path.cwd(), settings.environ) if install else (),
        install.version if install else None,
    )


def _editing_findings(config: CheckedConfig) -> Iterator[Finding]:
    """Whether rollcall itself can edit a file that LiteLLM can load."""
    try:
        document = parse(config.raw)
    except ConfigRefused as error:
        yield _cannot_edit(config, error)
        return
    if document.refusal is not None and not document.strays:
        yield _cannot_edit(config, document.refusal)
    for stray in document.strays:
        what = f"The entry {stray.model_name} is managed, but stands outside rollcall's markers."
        yield config.root.warning("stray_entry", what, stray.line, "rollcall adopt")


def _cannot_edit(config: CheckedConfig, refused: ConfigRefused) -> Finding:
    what = f"rollcall leaves it alone: {refused.why}."
    return config.root.error("cannot_edit", what, refused.line, refused.hint)


def _document(subject: _Subject) -> ConfigDocument:
    """config.yaml as far as it can be read; a refused one counts as empty here."""
    try:
        return parse(subject.config.raw)
    except RollcallError:
        return parse(b"")


def _mode(path: Path | None) -> int | None:
    if path is None or os.name == "nt":
        return None
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return None


def _text(path: Path) -> str:
    try:
        return read_regular(path).decode("utf-8", "replace")
    except OSError:
        return ""
