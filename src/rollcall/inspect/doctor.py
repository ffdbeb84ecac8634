"""`rollcall doctor`: everything that keeps a proxy from starting well, each with its fix.

Reads and looks only: nothing is asked over the network, nothing of litellm is run.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.errors import ConfigRefused, HandoffError, RollcallError
from rollcall.files import read_regular
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.site import Site
from rollcall.inspect.status import standing_of
from rollcall.inspect.traps import find_traps
from rollcall.launch.litellm import find_install, find_litellm
from rollcall.litellm_config.document import parse
from rollcall.litellm_config.effective import mapping, master_key
from rollcall.settings import is_true
from rollcall.store.store import Store
from rollcall.sync.asking import find_keys
from rollcall.sync.gather import read_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollcall.launch.litellm import LiteLLMInstall
    from rollcall.litellm_config.document import ConfigDocument
    from rollcall.policy.schema import Policy
    from rollcall.providers.builtin import Provider
    from rollcall.settings import Settings
    from rollcall.store.state import State
    from rollcall.sync.asking import ProviderKeys


_OCTAL = re.compile(r"\\([0-7]{3})")


def litellm_findings(
    found: Path | HandoffError, install: LiteLLMInstall | None
) -> Iterator[Finding]:
    """Whether litellm is there, and is a version that can be trusted."""
    if isinstance(found, HandoffError):
        yield Finding(Level.ERROR, "no_litellm", found.what, fix=found.hint)
    elif install is None:
        what = "litellm is there; which version cannot be told from its files."
        yield Finding(Level.OK, "litellm", what, str(found), f"Ask it: {found} --version")
    elif install.malicious:
        what = (
            f"litellm {install.version} is malicious: it sends environment variables and keys away."
        )
        fix = (
            "pip install --upgrade 'litellm[proxy]', then replace every key this machine has held."
        )
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
QUOTES_OR_BLANKS = "\"' \t\r\n"


def master_key_findings(site: Site) -> Iterator[Finding]:
    """Whether LiteLLM would start with its master key: not unset, empty or the example's."""
    general = mapping(site.merged.get("general_settings"))
    given = mapping(site.merged.get("environment_variables"))
    environ = {**site.environ, **{k: v for k, v in given.items() if isinstance(v, str)}}
    key = (master_key(site.merged, environ) or "").strip()
    if key and key != EXAMPLE_KEY:
        yield Finding(Level.OK, "master_key", "The proxy has a master key.")
        return
    problem = "is the example's sk-1234, which everybody knows" if key else "is not set"
    path = ("general_settings", "master_key")
    permitted = general.get("dangerously_permit_weak_or_unset_master_key") is True
    if permitted or is_true(site.environ.get(PERMIT)):
        what = f"The master key {problem}; LiteLLM starts all the same, because it is told to."
        yield site.warning("master_key", what, path, f"Make one: {NEW_KEY}")
    elif not key and general.get("key_management_system"):
        what = "The master key is not set here; it must come from the key_management_system."
        yield site.warning("master_key", what, path, "Check that it is there.")
    else:
        what = f"The master key {problem}: LiteLLM does not start."
        yield site.error("master_key", what, path, f"Make one: {NEW_KEY}")


def provider_findings(
    keys: ProviderKeys, state: State, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Each provider's key: set, well-formed, accepted when it was last asked."""
    for name, provider in keys.providers.items():
        if not provider.needs_key:
            yield Finding(Level.OK, "key", f"{provider.title} needs no key.")
        elif name in keys.keys:
            yield _with_key(keys, state, provider, environ)
        elif name in keys.elsewhere:
            yield Finding(Level.OK, "key", f"{provider.title}: {keys.elsewhere[name]}.")
        else:
            yield _without_key(keys, provider)


def _with_key(
    keys: ProviderKeys, state: State, provider: Provider, environ: Mapping[str, str]
) -> Finding:
    variable = keys.key_envs[provider.name] or provider.key_env[0]
    known = state.providers.get(provider.name)
    if environ.get(variable, "").strip(QUOTES_OR_BLANKS) != environ.get(variable, ""):
        what = f"{variable} has quotes or blanks around the key, which LiteLLM would send along."
        return Finding(Level.ERROR, "key_quoted", what, fix=f"Set {variable} to the bare key.")
    if known is not None and known.verdict == "auth":
        what = f"{provider.title} refused {variable} at {known.last_asked}: {known.detail}"
        fix = f"Make a new key at {provider.key_url} and set {variable}."
        return Finding(Level.ERROR, "key_refused", what, fix=fix)
    accepted = f", accepted at {known.last_good}" if known and known.verdict == "ok" else ""
    return Finding(Level.OK, "key", f"{provider.title}: {variable} is set{accepted}.")


def _without_key(keys: ProviderKeys, provider: Provider) -> Finding:
    variable = keys.key_envs[provider.name] or provider.key_env[0]
    what = f"{provider.title}: {variable} is not set, so nothing new of it is admitted."
    where = f" at {provider.key_url}" if provider.key_url else ""
    fix = f"Get a key{where} and set {variable}, or take {provider.name} out of policy.yaml."
    return Finding(Level.WARNING, "no_key", what, fix=fix)


MOUNTS = Path("/proc/self/mountinfo")


def examine(settings: Settings, litellm_option: str | None = None) -> tuple[Finding, ...]:
    """Every finding, in the order one would mend them: litellm, config, keys, providers.

    Args:
        litellm_option: the value of --litellm.
    """
    store = Store(settings.config_path, settings.state_dir)
    found, install = _litellm(settings, litellm_option)
    state, notes = store.read_state()
    return (
        *litellm_findings(found, install),
        *other_config_findings(settings.config_path, settings.environ),
        *dotenv_findings(settings.dotenv_path, _mode(settings.dotenv_path), install),
        *mount_findings(settings.config_path, _text(MOUNTS)),
        *_config_findings(settings, store),
        *_policy_findings(settings, store, state),
        *(Finding(Level.WARNING, "state", note) for note in notes),
    )


def _litellm(
    settings: Settings, option: str | None
) -> tuple[Path | HandoffError, LiteLLMInstall | None]:
    try:
        found = find_litellm(option, settings.environ)
    except HandoffError as error:
        return error, None
    return found, find_install(found)


def _config_findings(settings: Settings, store: Store) -> Iterator[Finding]:
    """What is wrong with config.yaml, for LiteLLM and for us, and with its master key."""
    try:
        raw = store.read_config()
    except RollcallError as error:
        yield Finding(Level.ERROR, "config_unreadable", error.what, fix=error.hint)
        return
    site = site_of(settings, store, raw)
    if not raw:
        what = f"There is no {settings.config_path} yet."
        yield Finding(Level.WARNING, "no_config", what, fix="rollcall init, then rollcall apply")
    else:
        yield from find_traps(site)
        if site.reading.refused is None:
            yield from _editing_findings(site)
    yield from master_key_findings(site)


def site_of(settings: Settings, store: Store, raw: bytes) -> Site:
    """config.yaml and what surrounds it, for the traps."""
    site = Site(settings.config_path.name, raw, settings.environ)
    include = site.data.get("include")
    entries = (
        [entry for entry in include if isinstance(entry, str)] if isinstance(include, list) else []
    )
    folder = settings.config_path.absolute().parent
    missing = tuple(entry for entry in entries if not _is_file(folder / entry))
    return replace(site, includes=store.read_includes(site.data), missing_includes=missing)


def _editing_findings(site: Site) -> Iterator[Finding]:
    """Whether rollcall itself can edit a file that LiteLLM can load."""
    try:
        document = parse(site.raw)
    except ConfigRefused as error:
        yield site.error("cannot_edit", error.what, error.line, error.hint)
        return
    if document.refusal is not None and not document.strays:
        refused = document.refusal
        yield site.error("cannot_edit", refused.what, refused.line, refused.hint)
    for stray in document.strays:
        what = f"The entry {stray.model_name} is managed, but stands outside rollcall's markers."
        yield site.warning("stray_entry", what, stray.line, "rollcall adopt")


def _policy_findings(settings: Settings, store: Store, state: State) -> Iterator[Finding]:
    """What is wrong with the policy, the keys it needs, and providers that stay silent."""
    try:
        _, policy = read_policy(settings)
        keys = find_keys(policy, settings, _document(store))
    except RollcallError as error:
        yield Finding(Level.ERROR, "policy", error.what, fix=error.hint)
        return
    yield from provider_findings(keys, state, settings.environ)
    yield from _history_findings(settings, store, state, policy)


def _history_findings(
    settings: Settings, store: Store, state: State, policy: Policy
) -> Iterator[Finding]:
    standing = standing_of(
        state,
        now=settings.now,
        stale_after_seconds=policy.defaults.stale_after,
        backups=len(store.backups()),
    )
    for alarm in standing.alarms:
        yield Finding(Level.WARNING, "overdue", f"{alarm}.", fix="See why with: rollcall plan")


def _document(store: Store) -> ConfigDocument:
    """config.yaml as far as it can be read; a refused one counts as empty here."""
    try:
        return parse(store.read_config())
    except RollcallError:
        return parse(b"")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long for the system, or one it cannot hold
        return False


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
