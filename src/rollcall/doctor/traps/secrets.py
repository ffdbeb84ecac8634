"""Traps of the keys in a config: variables nobody sets, and keys in plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rollcall.doctor.findings import Finding
from rollcall.doctor.traps.entries import called
from rollcall.doctor.traps.site import Path, Site
from rollcall.litellm_view import mapping, variable_of

PLAIN_KEY = re.compile(r"(?:sk-|gsk_|xai-|pplx-|hf_|AIza)[A-Za-z0-9_\-]{16,}")


def secret_traps(site: Site) -> Iterator[Finding]:
    """Variables that are not set, once each, and keys that stand in the file."""
    yield from _unset_variables(site)
    yield from _plain_keys(site)


def _unset_variables(site: Site) -> Iterator[Finding]:
    general = mapping(site.merged.get("general_settings"))
    if general.get("key_management_system"):
        return
    provided = mapping(site.merged.get("environment_variables"))
    used: dict[str, list[tuple[Path, str]]] = {}
    for path, name, value in _parameters(site):
        variable = variable_of(value)
        if variable and not site.environ.get(variable) and not provided.get(variable):
            used.setdefault(variable, []).append((path, name))
    for variable, places in used.items():
        first, name = places[0]
        who = f"{name} and {len(places) - 1} more need" if len(places) > 1 else f"{name} needs"
        what = f"{variable} is not set, and {who} it: listed, but every call fails."
        fix = f"Set {variable} in the environment or .env, or take the entries out."
        yield site.warning("variable_unset", what, first, fix)


def _plain_keys(site: Site) -> Iterator[Finding]:
    fix = "Put it into .env and write os.environ/NAME here; change the key if others saw the file."
    for path, name, value in _parameters(site):
        if isinstance(value, str) and PLAIN_KEY.fullmatch(value.strip()):
            what = f"A key of {name} stands in the file in plain text."
            yield site.warning("plain_key", what, path, fix)
    master = mapping(site.data.get("general_settings")).get("master_key")
    if isinstance(master, str) and variable_of(master) is None:
        what = "The master key stands in the file in plain text."
        yield site.warning("plain_master_key", what, ("general_settings", "master_key"), fix)


def _parameters(site: Site) -> Iterator[tuple[Path, str, Any]]:
    """(path, the entry's name, value) of every litellm_params value."""
    entries = site.data.get("model_list")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        for key, value in mapping(mapping(entry).get("litellm_params")).items():
            if isinstance(key, str):
                yield ("model_list", index, "litellm_params", key), called(entry, index), value
