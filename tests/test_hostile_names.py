"""A provider that lists whatever could mean something to a reader further on, end to end."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from tests.house import House
from tests.simulator.simulator import Simulator

NAMES = (
    "os.environ/LITELLM_MASTER_KEY", " os.environ/HOME", "os.environ\u200b/HOME",
    "\x1b[31mred\x1b]0;title\x07", "a\nb", "a\0b", "a\u202eb", "a\u2028b", "a\ud800b", "\x9b31m",
    "#c", ": x", "{x}", "{}", "&a", "*a", "gpt-*", "*", "!!python/object:os.system", "- x", "? x",
    "# >>> rollcall: managed models, written from policy.yaml >>>",
    "# <<< rollcall: managed models <<<", ">>> rollcall", "${HOME}", "{{ 7*7 }}", "{% x %}",
    "<script>alert(1)</script>", "[a](javascript:x)", "@everyone", "x|y", "x\\|@team", "`x`", "```",
    "..", "../../etc/passwd", "/", "a//b", "~", "no", "on", "1e-06", "12:30", "0123", "null", "<<",
    "%YAML", "---", "...", '"', "'", 'a"b\\', "\u2019; calc; \u2019", "$(touch pwned)",
    "A", "a", "\u00c9", "e\u0301", "\U0001f600", "x" * 256, "z" * 10_000, "--help", "a,b]",
    "ollama/x", "openai/*", "-", "\u00a0", "\ufeffx", "\U000e0041",
)  # fmt: skip
ODD: tuple[Any, ...] = (None, True, 5, 1.5, [], {}, -1, 10**400, float("inf"), float("nan"))


def row(model_id: Any, text: Any) -> dict[str, Any]:
    """A row of OpenRouter's in which everything a provider can say is `text`."""
    return {
        "id": model_id,
        "name": text,
        "canonical_slug": text,
        "created": text,
        "description": text,
        "context_length": text,
        "expiration_date": text,
        "alias_target": {"slug": text} if text == "~" else None,
        "architecture": {"input_modalities": ["text", text], "output_modalities": ["text"]},
        "pricing": {"prompt": text, "completion": text, "overrides": [text]},
        "supported_parameters": ["tools", text],
    }


@pytest.fixture
def hostile(house: House, sim: Simulator) -> House:
    listed: list[object] = [row(name, name) for name in NAMES]
    listed += [row(odd, odd) for odd in ODD] + list(ODD)
    listed += [row(f"n{number}", text) for number, text in enumerate((*NAMES, *ODD))]
    sim.set_rows("openrouter", listed)
    makers = [
        {"id": f"o{number}", "owned_by": text, "aliases": [text], "name": text}
        for number, text in enumerate(NAMES)
    ]
    makers.append({"id": "LITELLM_MASTER_KEY", "owned_by": "os.environ"})
    sim.set_rows("openai", makers)
    house.write_policy(
        "allow:\n"
        '- {match: "*", from: [openrouter], name: "{id}"}\n'
        '- {match: "*", from: [openai], name: "{maker}/{id}"}\n'
        "guards: {max_models: 1000}\n",
        "openrouter",
        "openai",
    )
    return house


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []


def test_config_yaml_holds_data_and_nothing_else(hostile: House) -> None:
    hostile.applied()
    raw = hostile.config.read_bytes()
    assert raw.isascii()
    data = yaml.safe_load(raw)
    assert YAML(typ="safe", pure=True).load(raw) == data
    assert data["model_list"][0]["model_name"] == "my-local-model", "the user's own stays"
    assert len(hostile.entries()) > 60
    for name, entry in hostile.entries().items():
        key = entry["litellm_params"].pop("api_key")
        assert re.fullmatch(r"os\.environ/[A-Z_]+", key)
        assert "*" not in name
        assert "*" not in entry["litellm_params"]["model"]
        for text in texts(entry):
            assert text.isprintable()
            assert not text.startswith("os.environ/"), "LiteLLM would put a key's value there"
            assert len(text) < 300


def test_running_twice_changes_nothing(hostile: House) -> None:
    hostile.applied()
    once = hostile.config.read_bytes()
    assert "Nothing to change." in hostile.applied().out
    assert hostile.config.read_bytes() == once


@pytest.mark.parametrize(
    "command",
    [
        ["plan"],
        ["plan", "--json"],
        ["plan", "--markdown"],
        ["models"],
        ["models", "--json"],
        ["models", "--families"],
        ["explain", "openrouter/#c"],
        ["status"],
        ["doctor"],
        ["env", "claude-code"],
    ],
)
def test_nothing_steers_a_terminal(hostile: House, command: list[str]) -> None:
    if command[0] != "plan":
        hostile.applied()
    ran = hostile.run(*command)
    assert "a bug" not in ran.err
    assert all(line.isprintable() or "@\u200b" in line for line in ran.text.split("\n"))


def test_a_pull_request_has_no_cell_too_many(hostile: House) -> None:
    """GitHub ends a cell at a pipe even inside code, unless exactly one backslash precedes it."""
    text = hostile.run("plan", "--markdown").out
    table: list[int] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            table = []
            continue
        cells = len(re.sub(r"\\[\\|]", "", line).split("|"))
        table.append(cells)
        assert table[0] == cells, line


def test_names_that_fall_together_stop_the_plan(house: House, sim: Simulator) -> None:
    sim.set_rows("openai", [{"id": "gpt/5"}, {"id": "gpt-5"}])
    house.write_policy('allow: [{match: "*", name: "{id:dashed}"}]\n', "openai")
    before = house.config.read_bytes()
    ran = house.run("apply")
    assert (ran.code, len(ran.err.splitlines())) == (1, 2), ran.text
    assert house.config.read_bytes() == before


def test_a_name_of_nothing_is_left_out(house: House, sim: Simulator) -> None:
    sim.set_rows("openai", [{"id": "\u00e9"}, {"id": "gpt-5"}])
    house.write_policy('allow: [{match: "*", name: "{id:dashed}"}]\n', "openai")
    ran = house.applied()
    assert house.names() == ["gpt-5"]
    assert "its name would be empty" in ran.err
