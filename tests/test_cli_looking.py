"""models, status, schema, init and pick as a person or a program meets them."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.house import OWN, RULES
from tests.platforms import not_on_windows
from tests.simulator.faults import Fault
from tests.terminal import at_terminal

if TYPE_CHECKING:
    from tests.house import House

STALE = f"{RULES}defaults: {{stale_after: 7d}}\n"
FIELDS = {
    "name", "provider", "id", "litellm_model", "family", "version", "stage", "released", "context",
    "max_output", "input_price", "output_price", "capabilities", "modalities", "in_config",
    "ready", "reason", "key_env", "key_url", "aliases",
}  # fmt: skip


@pytest.fixture
def furnished(house: House) -> House:
    """Two providers, a few rules, applied."""
    house.write_policy(STALE, "anthropic", "xai")
    house.applied()
    return house


def test_a_row_of_models_has_the_documented_fields(furnished: House) -> None:
    rows = furnished.run("models", "--json").json()
    assert all(set(row) >= FIELDS for row in rows)
    (grok,) = [row for row in rows if row["id"] == "grok-4.6"]
    assert (grok["input_price"], grok["output_price"]) == (2.0, 6.0)
    assert (grok["released"], grok["version"], grok["key_env"]) == (
        "2026-08-06",
        "4.6",
        "XAI_API_KEY",
    )
    (haiku,) = [row for row in rows if row["in_config"] and row["provider"] == "anthropic"]
    assert haiku["input_price"] is None
    assert haiku["aliases"] == ["default"]


@pytest.mark.parametrize("command", [["models"], ["explain", "default"], ["models", "--json"]])
def test_who_does_not_answer_a_look_is_told_and_why(furnished: House, command: list[str]) -> None:
    """What is shown then is what was known before, and must not pass for new."""
    assert furnished.run(*command).err == ""
    for name in ("anthropic", "xai"):
        furnished.sim.fault(name, Fault.SERVER_ERROR)
    assert furnished.run(*command).err == "", "nobody is asked"
    ran = furnished.run(*command, "--refresh")
    assert ran.code == 0
    told = ran.err.splitlines()
    assert [line.partition(": ")[0] for line in told] == ["anthropic", "xai"]
    assert all(": http_error: HTTP 500" in line for line in told), told


def test_filters_narrow_the_list_and_combine(furnished: House) -> None:
    def names(*flags: str) -> list[str]:
        return [row["id"] for row in furnished.run("models", "--json", *flags).json()]

    assert names("--in-config", "--provider", "xai") == ["grok-4.6", "grok-4.5"]
    assert names("--family", "claude-haiku", "--ready") == ["claude-haiku-4-5-20251001"]
    assert set(names("--not-ready")).isdisjoint(names("--ready"))
    assert names("--search", "GROK-4.5") == ["grok-4.5"]


def test_a_missing_key_is_said_with_the_variable_and_the_page(
    furnished: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XAI_API_KEY")
    (row,) = [
        row
        for row in furnished.run("models", "--json", "--in-config").json()
        if row["id"] == "grok-4.6"
    ]
    assert row["ready"] is False
    assert "XAI_API_KEY" in row["reason"]
    assert row["key_url"].startswith("https://")


def test_status_check_alarms_after_stale_after_and_not_before(furnished: House) -> None:
    furnished.sim.fault("xai", Fault.SERVER_ERROR)
    furnished.later(1)
    furnished.applied()
    assert furnished.run("status", "--check").code == 0
    furnished.later(9)
    furnished.applied()
    ran = furnished.run("status", "--check")
    assert ran.code == 1
    assert "ALARM: xai could not be asked since 2026-11-21" in ran.err
    furnished.later(30)
    ran = furnished.run("status", "--check", "--json")
    assert ran.code == 1
    assert any("has not run since" in alarm for alarm in ran.json()["alarms"])
    assert furnished.run("status").code == 0


def test_the_schema_knows_what_a_policy_may_say(furnished: House) -> None:
    import jsonschema  # type: ignore[import-untyped] # no stubs in the test extra

    schema = furnished.run("schema").json()
    data = yaml.safe_load(furnished.policy.read_text(encoding="utf-8"))
    jsonschema.validate(data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "alow": []}, schema)


def test_init_takes_what_the_config_uses_where_no_key_is_set(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in house.sim.environ():
        monkeypatch.delenv(name)
    house.config.write_text(
        "model_list:\n- {model_name: a, litellm_params: {model: xai/grok-4.5}}\n", encoding="utf-8"
    )
    ran = house.run("init")
    assert ran.code == 0
    assert "1 entry: 1 kept" in ran.out
    assert list(yaml.safe_load(house.policy.read_text(encoding="utf-8"))["providers"]) == ["xai"]
    assert house.run("plan").code == 5


def test_init_without_any_hint_still_gives_a_policy_that_loads(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in house.sim.environ():
        monkeypatch.delenv(name)
    house.config.unlink()
    assert "no key is set yet" in house.run("init").out
    ran = house.run("plan")
    assert ran.code == 5
    assert "OPENROUTER_API_KEY" in ran.text
    before = house.policy.read_bytes()
    assert house.run("init").code == 1
    assert house.policy.read_bytes() == before


@not_on_windows("no pseudo-terminals")
def test_pick_asks_until_it_gets_a_number_of_the_list(furnished: House) -> None:
    done = at_terminal("pick", typed=b"0\nfoo\n9\n2\n")
    assert done.code == 0
    assert done.out.count(b"1 to 3") == 4
    picked = yaml.safe_load(Path("policy.picked.yaml").read_text(encoding="utf-8"))
    assert picked == {"default": "xai/grok-4.6"}
    furnished.applied()
    assert furnished.aliases()["default"] == "xai/grok-4.6"


@not_on_windows("no pseudo-terminals")
def test_leaving_pick_without_an_answer_picks_nothing(furnished: House) -> None:
    assert at_terminal("pick", typed=b"\x04").code == 130
    assert not Path("policy.picked.yaml").exists()


def test_rollback_as_json_says_what_was_restored(furnished: House) -> None:
    (backup,) = furnished.run("rollback", "--list", "--json").json()
    ran = furnished.run("rollback", "1", "--json")
    assert ran.json()["restored"] == backup["id"]
    assert ran.json()["changed"] is True
    again = json.loads(furnished.run("rollback", backup["id"], "--json").out)
    assert again == {"restored": backup["id"], "changed": False, "backup_id": None}


def test_eject_and_adopt_as_json(furnished: House) -> None:
    assert furnished.run("eject", "--json").json() == {"changed": True, "removed": False}
    adopted = furnished.run("adopt", "--json", "--yes").json()
    assert adopted["changed"] is True
    assert len(adopted["names"]) == 3
    assert adopted["aliases"] == ["default"]


def test_status_and_doctor_say_of_a_config_that_is_none_yet_only_that(house: House) -> None:
    house.write_policy(STALE, "anthropic", "xai")
    house.config.unlink()
    for command in ("status", "doctor"):
        said = house.run(command).out
        assert f"{house.config} is not there yet" in said, said
        assert "never written" not in said
    house.config.touch()
    assert f"{house.config} is empty" in house.run("status").out


@pytest.mark.parametrize("kind", ["file", "manifest"])
def test_status_and_doctor_say_who_wrote_the_config(house: House, kind: str) -> None:
    """As of a config in a store; the text of a file is known by the first digits of its sha256."""
    house.write_policy(STALE, "anthropic", "xai")
    house.monkeypatch.setenv("USER", "ada")
    if kind == "manifest":
        head = (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: litellm}\ndata:\n  config.yaml: |\n"
        )
        house.config.write_text(head + indent(OWN, "    "), encoding="utf-8")
    named = f"{house.config}, version "
    held = OWN.encode() if kind == "manifest" else house.config.read_bytes()
    assert f"{named}{sha256(held).hexdigest()[:12]}, never written by rollcall" in (
        house.run("status").out
    )
    house.applied()
    for command in ("status", "doctor"):
        assert re.search(
            rf"{re.escape(named)}[0-9a-f]{{12}}, last written by ada on \S+ at 2026-11-20",
            house.run(command).out.replace("\n", ""),
        )
    text = house.config.read_text(encoding="utf-8")
    house.config.write_text(text.replace("# mine", "# by hand"), encoding="utf-8")
    for command in ("status", "doctor"):
        assert ", changed since ada on " in house.run(command).out
    house.run("rollback", "1")
    assert f"{sha256(held).hexdigest()[:12]}, last written by ada" in house.run("status").out
