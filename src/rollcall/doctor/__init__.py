"""`rollcall doctor`: everything that keeps a proxy from starting well, each with its fix.

Reads and looks only: nothing is asked over the network, nothing of litellm is run.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall import asking, config_document
from rollcall.doctor.files import (
    dotenv_findings,
    litellm_findings,
    mount_findings,
    other_config_findings,
)
from rollcall.doctor.findings import Finding, Level
from rollcall.doctor.keys import master_key_findings, provider_findings
from rollcall.doctor.litellm_install import find_install
from rollcall.doctor.traps import Site, find_traps
from rollcall.errors import ConfigRefused, HandoffError, RollcallError
from rollcall.evidence import read_policy
from rollcall.handoff.litellm_command import find_litellm
from rollcall.regular_file import read_regular
from rollcall.standing import standing_of
from rollcall.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.config_document import ConfigDocument
    from rollcall.doctor.litellm_install import LiteLLMInstall
    from rollcall.policy import Policy
    from rollcall.settings import Settings
    from rollcall.state import State

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
        document = config_document.parse(site.raw)
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
        roll = asking.read_roll(policy, settings, _document(store))
    except RollcallError as error:
        yield Finding(Level.ERROR, "policy", error.what, fix=error.hint)
        return
    yield from provider_findings(roll, state, settings.environ)
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
        return config_document.parse(store.read_config())
    except RollcallError:
        return config_document.parse(b"")


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
