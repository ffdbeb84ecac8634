"""`rollcall doctor`: everything that keeps a proxy from starting well, each with its fix.

Reads and looks only: nothing of litellm is run, and nothing is asked over the network unless
--check-keys has the providers asked whether they take the keys.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from rollcall.errors import ConfigRefused, LaunchError, PolicyError, RollcallError, StoreError
from rollcall.files import is_file, is_there, read_regular
from rollcall.inspect.checked_config import CheckedConfig
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.status import alarms, read_last_days
from rollcall.inspect.traps import find_traps
from rollcall.launch.find import bad_release, find_install, find_litellm
from rollcall.litellm_config.document import parse
from rollcall.litellm_config.effective import mapping, master_key
from rollcall.secrets import key_mark
from rollcall.settings import Variables, is_true
from rollcall.store.store import Store, open_store
from rollcall.sync.apply import refresh
from rollcall.sync.asking import find_keys, missing_key
from rollcall.sync.gather import read_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.launch.find import LiteLLMInstall
    from rollcall.litellm_config.document import ConfigDocument
    from rollcall.policy.schema import Policy
    from rollcall.providers.builtin import Provider
    from rollcall.settings import Settings
    from rollcall.store.state import State
    from rollcall.sync.apply import refresh
from rollcall.sync.asking import ProviderKeys

Check = Callable[["_Subject"], Iterator[Finding]]
_OCTAL = re.compile(r"\\([0-7]{3})")


def litellm_findings(
    found: Path | LaunchError, install: LiteLLMInstall | None
) -> Iterator[Finding]:
    """Whether litellm is there, and is a version that can be trusted."""
    if isinstance(found, LaunchError):
        yield Finding(Level.ERROR, "no_litellm", found.what, fix=found.hint)
    elif install is None:
        what = "litellm is there; which version cannot be told from its files."
        yield Finding(Level.OK, "litellm", what, str(found), f"Ask it: {found} --version")
    elif install.known_bad:
        what, fix = bad_release(install, install.known_bad)
        yield Finding(Level.ERROR, "litellm_malicious", what, str(install.library), fix)
    else:
        what = f"litellm {install.version} is installed."
        yield Finding(Level.OK, "litellm", what, str(found))


def other_config_findings(config_path: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that make LiteLLM read another config than `--config` says."""
    other = environ.get("CONFIG_FILE_PATH")
    if other and os.path.abspath(other) != os.path.abspath(config_path):  # noqa: PTH100  no link followed
        what = f"CONFIG_FILE_PATH outranks --config: LiteLLM reads {other}, not {config_path}."
        yield Finding(Level.ERROR, "config_file_path", what, fix="Unset CONFIG_FILE_PATH.")
    if environ.get("LITELLM_CONFIG_BUCKET_NAME"):
        what = f"LITELLM_CONFIG_BUCKET_NAME is set: LiteLLM reads a bucket, not {config_path}."
        fix = "Unset LITELLM_CONFIG_BUCKET_NAME, or upload config.yaml after each rollcall apply."
        yield Finding(Level.ERROR, "config_bucket", what, fix=fix)


def dotenv_findings(
    dotenv_path: Path | None, mode: int | None, install: LiteLLMInstall | None
) -> Iterator[Finding]:
    """Who can read `.env`, and whether litellm on its own would.

    Args:
        mode: its permission bits; None where they mean nothing (Windows).
    """
    if dotenv_path is None:
        return
    if mode is not None and mode & 0o077:
        what = f"Others on this machine can read the keys in {dotenv_path}."
        fix = f"chmod 600 {dotenv_path}"
        yield Finding(Level.WARNING, "dotenv_readable", what, str(dotenv_path), fix)
    if install is not None and dotenv_path.parent not in install.library.parents:
        what = (
            f"litellm started by itself does not read {dotenv_path}: it looks for .env from its"
            " own installation upward."
        )
        fix = "Start it with `rollcall start` or scr/start-proxy, which pass the variables on."
        yield Finding(Level.WARNING, "dotenv_unread", what, str(dotenv_path), fix)


def mount_findings(config_path: Path, mountinfo: str) -> Iterator[Finding]:
    """Whether config.yaml is a single file mounted into a container.

    Args:
        mountinfo: the text of /proc/self/mountinfo; "" where there is none.
    """
    points = {
        _OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4])
        for line in mountinfo.splitlines()
        if len(fields := line.split()) > 4
    }
    if str(config_path.absolute()) in points:
        what = f"{config_path} is mounted as a single file, which cannot be replaced in one step."
        fix = "Mount its folder instead: rollcall then swaps the file whole."
        yield Finding(Level.WARNING, "mounted_file", what, str(config_path), fix)


EXAMPLE_KEY = "sk-1234"
PERMIT = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"
NEW_KEY = (
    "python -c \"import secrets; print('LITELLM_MASTER_KEY=sk-' + secrets.token_hex(24))\" >> .env"
)


def master_key_findings(config: CheckedConfig) -> Iterator[Finding]:
    """Whether LiteLLM would start with its master key: not unset, empty or the example's."""
    general = mapping(config.merged.get("general_settings"))
    given = mapping(config.merged.get("environment_variables"))
    environ = Variables(config.environ, {k: v for k, v in given.items() if isinstance(v, str)})
    key = (master_key(config.merged, environ) or "").strip()
    if key and key != EXAMPLE_KEY:
        yield Finding(Level.OK, "master_key", "The proxy has a master key.")
        return
    problem = "is the example's sk-1234, which everybody knows" if key else "is not set"
    path = ("general_settings", "master_key")
    permitted = general.get("dangerously_permit_weak_or_unset_master_key") is True
    if permitted or is_true(config.environ.get(PERMIT)):
        what = f"The master key {problem}; LiteLLM starts all the same, because it is told to."
        yield config.warning("master_key", what, path, f"Make one: {NEW_KEY}")
    elif not key and general.get("key_management_system"):
        what = "The master key is not set here; it must come from the key_management_system."
        yield config.warning("master_key", what, path, "Check that it is there.")
    else:
        what = f"The master key {problem}: LiteLLM does not start."
        yield config.error("master_key", what, path, f"Make one: {NEW_KEY}")


def provider_findings(keys: ProviderKeys, state: State, *, asked: bool) -> Iterator[Finding]:
    """Each provider's key: set, well-formed, accepted when it was last asked.

    Args:
        asked: the providers were asked just now, to learn that.
    """
    for name, provider in keys.providers.items():
        if name in keys.proxied:
            what = (
                f"{provider.title} is not asked: {keys.proxied[name]}. LiteLLM would call itself."
            )
            fix = (
                "Start rollcall and the proxy in a shell without it: it is for the proxy's clients."
            )
            yield Finding(Level.ERROR, "own_proxy", what, fix=fix)
        elif not provider.needs_key:
            yield Finding(Level.OK, "key", f"{provider.title} needs no key.")
        elif name in keys.keys:
            yield _with_key(keys, state, provider, asked=asked)
        elif name in keys.elsewhere:
            yield Finding(Level.OK, "key", f"{provider.title}: {keys.elsewhere[name]}.")
        else:
            yield _without_key(keys, provider)


def _with_key(
    keys: ProviderKeys,
    state: State,
    provider: Provider,
    *,
    asked: bool,
) -> Finding:
    variable = keys.key_envs[provider.name] or provider.key_env[0]
    known = state.providers.get(provider.name)
    if problem := keys.odd.get(provider.name):
        return Finding(
            Level.ERROR, "key_odd", f"{problem}.", fix=f"Set {variable} to the bare key."
        )
    if known is not None and known.key_mark not in ("", key_mark(keys.keys[provider.name])):
        if not asked:
            what = f"{provider.title}: {variable} is set, to a key not asked with yet."
            return Finding(Level.OK, "key", what)
        known = None
    if known is not None and known.verdict == "auth":
        what = f"{provider.title} refused {variable} at {known.last_asked}: {known.detail}"
        fix = f"Make a new key at {provider.key_url} and set {variable}."
        return Finding(Level.ERROR, "key_refused", what, fix=fix)
    if asked and (known is None or known.verdict != "ok"):
        why = f"{known.verdict}: {known.detail}" if known else "it was not asked"
        what = f"{variable} is set; whether {provider.title} takes it is not known: {why}"
        return Finding(Level.WARNING, "key_unchecked", what, fix="See why with: rollcall plan")
    accepted = f", accepted at {known.last_good}" if known and known.verdict == "ok" else ""
    return Finding(Level.OK, "key", f"{provider.title}: {variable} is set{accepted}.")


def _without_key(keys: ProviderKeys, provider: Provider) -> Finding:
    variable = keys.key_envs[provider.name] or provider.key_env[0]
    what = f"{provider.title}: {variable} is not set, so nothing new of it is admitted."
    words = missing_key(provider, None)
    fix = f"{words[0].upper()}{words[1:]}, or take {provider.name} out of policy.yaml."
    return Finding(Level.WARNING, "no_key", what, fix=fix)


MOUNTS = Path("/proc/self/mountinfo")


class _Subject:
    """What the checks look at, read when the first of them asks for it.

    Every property may raise: a check that needs what cannot be read is lost, the others are not.
    """

    def __init__(
        self,
        settings: Settings,
        litellm_option: str | None,
        settings_error: RollcallError | None,
        *,
        check_keys: bool,
    ) -> None:
        self.settings = settings
        self.settings_error = settings_error
        self.check_keys = check_keys
        self._litellm_option = litellm_option

    @cached_property
    def litellm(self) -> Path | LaunchError:
        """The command, or why there is none."""
        try:
            return find_litellm(self._litellm_option, self.settings.environ)
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
        return self.store.read_state()

    @cached_property
    def config(self) -> CheckedConfig:
        return checked_config(self.settings, self.store, self.store.read_config())

    @cached_property
    def policy(self) -> Policy:
        return read_policy(self.settings)[1]


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
    subject = _Subject(settings, litellm_option, settings_error, check_keys=check_keys)
    found: dict[str, Finding] = {}
    for check in CHECKS:
        for finding in _made(check, subject):  # what two checks stumble over is told once
            found.setdefault(f"{finding.where}: {finding.what}", finding)
    return tuple(found.values())


def _made(check: Check, subject: _Subject) -> Iterator[Finding]:
    """The findings of one check; one that cannot be made is a finding itself."""
    try:
        yield from check(subject)
    except RollcallError as error:
        code = "policy" if isinstance(error, PolicyError) else "cannot_check"
        yield Finding(Level.ERROR, code, error.what, fix=error.hint)
    except OSError as error:
        what = f"{error.filename or 'A file'} cannot be looked at: {error.strerror or error}."
        yield Finding(Level.ERROR, "cannot_check", what, fix="Check what it is, and who owns it.")
    except Exception as error:  # noqa: BLE001 - a bug in one check must not hide what others found
        place = extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        what = f"A check could not be made, because of a bug in rollcall: {where}."
        yield Finding(Level.ERROR, "cannot_check", what, fix="Please report it; the rest is whole.")


def _asking_check(subject: _Subject) -> Iterator[Finding]:
    """Ask the providers, where that is wanted; what they say stands in the state afterwards."""
    if subject.check_keys:
        refresh(subject.settings)
    yield from ()


def _litellm_check(subject: _Subject) -> Iterator[Finding]:
    yield from litellm_findings(subject.litellm, subject.install)


def _other_config_check(subject: _Subject) -> Iterator[Finding]:
    yield from other_config_findings(subject.settings.config_path, subject.settings.environ)


def _settings_check(subject: _Subject) -> Iterator[Finding]:
    """Flags, variables and lines of `.env` that make no sense, or that no process can be given."""
    if error := subject.settings_error:
        yield Finding(Level.ERROR, "settings", error.what, fix=error.hint)
    for row in subject.settings.left_out:
        yield Finding(Level.ERROR, "variable_left_out", row.what, row.where, row.fix)


def _dotenv_check(subject: _Subject) -> Iterator[Finding]:
    path = subject.settings.dotenv_path
    yield from dotenv_findings(path, _mode(path), subject.install)


def _last_days_check(subject: _Subject) -> Iterator[Finding]:
    """What ends soon, whose word that is, and what to do about it."""
    today, notice = subject.settings.now.date(), subject.policy.defaults.warn_before
    for row in read_last_days(subject.settings)[0]:
        if notice and row.days_left(today) <= notice[0]:
            where = f"{subject.settings.config_path}:{row.line}" if row.line else None
            yield Finding(Level.WARNING, "last_day", f"{row.told(today)}.", where, row.advice)


def _mount_check(subject: _Subject) -> Iterator[Finding]:
    yield from mount_findings(subject.settings.config_path, _text(MOUNTS))


def _config_check(subject: _Subject) -> Iterator[Finding]:
    """What is wrong with config.yaml, for LiteLLM and for us."""
    try:
        config = subject.config
    except StoreError as error:
        yield Finding(Level.ERROR, "config_unreadable", error.what, fix=error.hint)
        return
    if not config.raw:
        what = f"There is no {subject.settings.config_path} yet."
        yield Finding(Level.WARNING, "no_config", what, fix="rollcall init, then rollcall apply")
        return
    yield from find_traps(config)
    if config.root.reading.refused is None:
        yield from _editing_findings(config)


def _master_key_check(subject: _Subject) -> Iterator[Finding]:
    yield from master_key_findings(subject.config)


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
            f"{folder} is a file, not a folder: rollcall can remember nothing and back up nothing."
        )
        fix = "Move it out of the way, or name another folder with --state-dir."
        yield Finding(Level.ERROR, "state_no_folder", what, str(folder), fix)
        return
    for note in subject.state[1]:
        yield Finding(Level.WARNING, "state", note)
    subject.store.backups()


CHECKS: tuple[Check, ...] = (
    _asking_check,
    _litellm_check,
    _settings_check,
    _other_config_check,
    _dotenv_check,
    _mount_check,
    _config_check,
    _master_key_check,
    _keys_check,
    _history_check,
    _last_days_check,
    _state_check,
)


def checked_config(settings: Settings, store: Store, raw: bytes) -> CheckedConfig:
    """config.yaml and what surrounds it, for the traps."""
    config = CheckedConfig(settings.config_path.name, raw, settings.environ)
    include = config.data.get("include")
    entries = (
        [entry for entry in include if isinstance(entry, str)] if isinstance(include, list) else []
    )
    folder = settings.config_path.absolute().parent
    missing = tuple(entry for entry in entries if not is_file(folder / entry))
    included = tuple((path.name, content) for path, content in store.read_includes(config.data))
    return replace(config, includes=included, missing_includes=missing)


def _editing_findings(config: CheckedConfig) -> Iterator[Finding]:
    """Whether rollcall itself can edit a file that LiteLLM can load."""
    try:
        document = parse(config.raw)
    except ConfigRefused as error:
        yield config.root.error("cannot_edit", error.what, error.line, error.hint)
        return
    if document.refusal is not None and not document.strays:
        refused = document.refusal
        yield config.root.error("cannot_edit", refused.what, refused.line, refused.hint)
    for stray in document.strays:
        what = f"The entry {stray.model_name} is managed, but stands outside rollcall's markers."
        yield config.root.warning("stray_entry", what, stray.line, "rollcall adopt")


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
