"""A person's folder with a real config, and providers that list what they really listed then."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import parse
from rollcall.providers.builtin import BUILTIN
from rollcall.store.store import Store
from tests.corpus import CATALOGS, ROOT, captures

if TYPE_CHECKING:
    from tests.house import House

CONFIGS = sorted((ROOT / "configs").glob("*.yaml")) if (ROOT / "configs").is_dir() else []
DAY = date(2026, 8, 20)
"""All real replies are of that day or before."""


@cache
def _listed() -> dict[str, list[Any]]:
    """Provider -> the rows of its last reply before that day."""
    found = {one.provider: one.rows for one in captures() if one.day <= DAY}
    return found | {
        name: json.loads(path.read_text("utf-8-sig"))["data"]
        for name, path in (
            ("mistral", CATALOGS / "mistral" / "2026-02-19.json"),
            ("groq", CATALOGS / "groq" / "2026-H2.json"),
        )
        if path.is_file()
    }


def furnish(house: House, config: bytes) -> None:
    """A real config in a folder where the keys it names are set, and the addresses of the providers
    whose replies there are lead to the simulator; no other address can be reached.
    """
    monkey = house.monkeypatch
    for name, rows in _listed().items():
        house.sim.set_rows(name, rows)
        monkey.setenv(BUILTIN[name].base_url_env[0], house.sim.url(name))
    for name, value in house.sim.environ(*_listed()).items():
        monkey.setenv(name, value)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkey.setenv(name, "http://127.0.0.1:9")
    house.on(DAY)
    house.config.write_bytes(config)
    for name, provider in key_variables(house):
        monkey.setenv(name, house.sim.key(provider))


def text_of(house: House) -> bytes:
    """The config LiteLLM reads: of a manifest, what stands in it."""
    return Store(house.config, house.folder / ".rollcall").read_config()


def key_variables(house: House) -> list[tuple[str, str]]:
    """(variable, provider) of the keys the entries name, where the simulator plays the provider."""
    prefixes = {BUILTIN[name].litellm_prefix: name for name in _listed()}
    try:
        entries = parse(text_of(house)).own_entries
    except ConfigRefused:
        return []
    found = []
    for entry in entries:
        params = entry.get("litellm_params") or {}
        key, model = str(params.get("api_key")), str(params.get("model"))
        provider = prefixes.get(model.partition("/")[0] if "/" in model else "openai")
        if key.startswith("os.environ/") and provider and not params.get("api_base"):
            found.append((key.removeprefix("os.environ/"), provider))
    return found


def somebody_answers(house: House) -> bool:
    """Whether the policy names a provider that is played here."""
    asked = yaml.safe_load(house.policy.read_text(encoding="utf-8"))["providers"]
    return not set(asked).isdisjoint(_listed())


def patient(house: House) -> None:
    """Give the providers of the policy all the time in the world: a busy machine is no sick one."""
    text = house.policy.read_text(encoding="utf-8")
    text = text.replace("defaults: {", "defaults: {timeout: 30s, deadline: 60s, ", 1)
    house.policy.write_text(text, encoding="utf-8")
