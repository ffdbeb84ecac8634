"""The JSON Schema for editors says yes and no where the command line does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no stubs

from rollcall.errors import PolicyError
from rollcall.policy.file import load_policy
from rollcall.policy.json_schema import fields_of, json_schema
from tests.test_policy import EVERYTHING, MISTAKES

if TYPE_CHECKING:
    from tests.house import House

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

NOT_SAYABLE = {
    "from a provider nobody asks",
    "alias from a provider nobody asks",
    "alias to an alias",
    "alias that falls back to itself",
    "alias with the name a rule gives",
    "alias with the name all rules give",
    "word of YAML 1.1 as a name",
    "number that is none",
    "the same key twice",
    "the same key twice, deeper",
}
"""What no JSON Schema can say: names elsewhere in the file, and what JSON does not have."""


def parsed(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return None


def refuses_schema(data: Any) -> bool:
    try:
        return next(VALIDATOR.iter_errors(data), None) is not None
    except RecursionError:  # a policy that refers to itself
        return True


def refuses_reader(data: Any) -> bool:
    try:
        load_policy(yaml.safe_dump(data), "policy.yaml")
    except PolicyError:
        return True
    return False


def test_the_schema_is_one_and_takes_a_policy_with_everything_in_it() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    written_dates = EVERYTHING.replace("2026-01-01", '"2026-01-01"')
    assert list(VALIDATOR.iter_errors(yaml.safe_load(written_dates))) == []


@pytest.mark.parametrize("mistake", sorted(set(MISTAKES) - NOT_SAYABLE))
def test_a_mistake_the_command_line_refuses_is_one_to_an_editor(mistake: str) -> None:
    data = parsed(MISTAKES[mistake][0])
    if data is not None:
        assert refuses_schema(data)


def policy(path: str, value: Any) -> dict[str, Any]:
    """A small policy with one value in it; a step `0` is the first of a list."""
    data: dict[str, Any] = {"providers": {"openrouter": {}, "xai": {}}, "allow": [{"match": "a"}]}
    at: Any = data
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step)] if step.isdecimal() else at.setdefault(step, {})
    at[int(last) if last.isdecimal() else last] = value
    return data


BAD: dict[str, list[Any]] = {
    "guards.price_rise": [50, 1.5, -0.1, "50", "10", "100", "half", True, [], "1.01", "-5%", "%"],
    "guards.max_withdrawn": [2, "3", -1],
    "guards.min_age": [3, 1.5, "3", "12x", True, "-1d"],
    "guards.max_models": [0, -1, 2.5, "many"],
    "guards.trial": ["on", "some", True, 1],
    "guards.trial_every": [30, "30"],
    "grace.vanished": [3, "3 days", -1],
    "defaults.timeout": [0, "0s", -1, "soon", "1.2.3s", "2 seconds", [2], True],
    "defaults.deadline": [0, "0ms"],
    "defaults.ttl": [-1, "x"],
    "defaults.facts": ["nobody", ["openruter"], 5],
    "defaults.write_prices": ["yes", True],
    "defaults.warn_before": [5, ["x"], [3]],
    "defaults.params": [{"model": "x"}, {"rpm": "10k"}, {"api_key": "sk-1234567890"}, []],
    "naming": ["{nam}", "{id", "a*", "", "  ", "{id:upper}", 5],
    "deny": [[""], " ", 5, [5], {"a": 1}],
    "accept": [[" "], 3],
    "version": [2, "1", 0],
    "model_list": ["all", True],
    "missing_key": ["lose"],
    "providers.xai.timeout": [0, "0s", -2, "x"],
    "providers.xai.key_env": ["a key", "sk-proj-x", ["OK", "no good"], 5],
    "providers.xai.base_url": ["localhost", "ftp://x", "http://", "http://user:pw@h/v1", 5],
    "providers.xai.empty": ["no", True],
    "providers.xai.type": ["opnai", 5],
    "providers.xai.price_unit": ["million"],
    "providers.xai.models": [["grok"], ["a", "b"]],
    "providers.xai.model_info": [{"managed_by": "me"}, {"id": "x"}, {"tier": "gold"}],
    "providers.home": [{}, {"type": "openai"}, {"base_url": "http://h/v1"}, {"type": "static"}],
    "providers.a b": [{"type": "openai", "base_url": "http://h/v1"}],
    "allow.0.newest": [0, -1, 1.5, "one"],
    "allow.0.max": [0, "x"],
    "allow.0.max_age": [365, "1.5d", "x"],
    "allow.0.stage": ["beta", True],
    "allow.0.match": ["", [], [5], [" "]],
    "allow.0.name": ["*", "{x}", "", 5],
    "allow.0.key_env": ["not a name", 5],
    "allow.0.api_base": ["h", "ftp://h"],
    "allow.0.balance": [True, "often"],
    "allow.0.assume": [{"context": True}, {"tools": 5}, {"price": 1}, {"vision": "x"}],
    "allow.0.params": [{"timeout": "soon"}, {"rpm": -1}, {"api_key": "x"}, {"h": {"token": "x"}}],
    "allow.0.where": [
        {"context": ">> 5"}, {"context": -1}, {"tools": "some"}, {"input_price": "$1"},
        {"released_after": "2026-13-01"}, {"released_after": "soon"}, {"vendor": [""]}, {"x": 1},
    ],
    "aliases": [
        {"a": {}}, {"a*": {"family": "x"}}, {" ": {"family": "x"}}, {"a": {"hidden": True}},
        {"a": {"family": "x", "model": "y"}}, {"a": {"cheapest": {}, "largest_context": {}}},
        {"a": {"first_of": [{}]}}, {"a": {"first_of": [{"family": "x", "model": "y"}]}}, {"a": 5},
    ],
}  # fmt: skip
GOOD: dict[str, list[Any]] = {
    "guards.price_rise": [0.5, "50%", "150%", 0, 1, "0.5", " 25 % ", "1.0", ".5"],
    "guards.min_age": [0, "3d", "2w"],
    "guards.trial": ["off", False, "all", "aliases"],
    "defaults.timeout": [2, 0.5, "2s", "500ms", "1.5 m"],
    "defaults.facts": [[], "openrouter", ["litellm", "prices.json"], "./x"],
    "defaults.params": [{"rpm": 10, "timeout": "60", "x": [1, {"y": None}]}],
    "naming": ["{provider}-{id:dashed}", "x", "{maker}/{family}"],
    "providers.xai": [None, {}, {"key_env": None}, {"key_env": ["A", "B_2"], "timeout": "4s"}],
    "providers.xai.base_url": ["https://api.x.ai/v1", " http://127.0.0.1:8000 "],
    "providers.home": [
        {"type": "openai", "base_url": "http://h:1/v1"},
        {"type": "static", "models": ["a", {"id": "b", "capabilities": ["tools"]}]},
        {"type": "static", "models": "a"},
    ],
    "allow.0": [
        {"family": "x"},
        {"match": ["a", "b*"], "name": "g", "balance": True, "params": {"order": 1}},
        {"match": "a", "params": {"api_key": "os.environ/MY_KEY", "rpm": "5"}},
        {"match": "a", "model_info": {"access_groups": ["x"], "input_cost_per_token": 0.1}},
    ],
    "allow.0.where": [{"context": 5}, {"context": "128k", "free": True, "vendor": "qwen"}],
    "aliases": [None, {}, {"a": "xai/grok"}, {"a": {"family": "x", "cheapest": {}}}],
}


@pytest.mark.parametrize(("path", "value"), [(path, one) for path in BAD for one in BAD[path]])
def test_a_value_that_is_refused_is_refused_by_both(path: str, value: Any) -> None:
    data = policy(path, value)
    assert refuses_reader(data), "the table says so"
    assert refuses_schema(data)


@pytest.mark.parametrize(("path", "value"), [(path, one) for path in GOOD for one in GOOD[path]])
def test_a_value_that_is_taken_is_taken_by_both(path: str, value: Any) -> None:
    data = policy(path, value)
    assert not refuses_reader(data), "the table says so"
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


SCALARS = (
    st.integers(-3, 400)
    | st.floats(-2, 3).map(lambda number: round(number, 3))
    | st.booleans()
    | st.from_regex(r"\A-?[0-9]{0,3}\.?[0-9]{0,2} ?(%|ms|s|m|h|d|w|k)?\Z")
)


@settings(max_examples=300, deadline=None)
@given(
    SCALARS,
    st.sampled_from(
        [
            "guards.price_rise", "guards.min_age", "guards.max_models", "grace.superseded",
            "defaults.timeout", "defaults.ttl", "allow.0.newest", "allow.0.max_age", "naming",
        ]
    ),
)  # fmt: skip
def test_whatever_the_reader_refuses_the_schema_refuses(value: Any, path: str) -> None:
    data = policy(path, value)
    if refuses_reader(data):
        assert refuses_schema(data), value


def test_the_schema_for_people_names_every_field_once(house: House) -> None:
    fields = [row["field"] for row in fields_of(SCHEMA)]
    assert len(fields) == len(set(fields))
    assert {"allow[].newest", "guards.price_rise", "providers.NAME.key_env"} <= set(fields)
    assert "aliases.NAME.first_of[].family" in fields
    text = house.run("schema", "--table").out
    assert "$" not in text.splitlines()[0]
    assert all(field in text for field in fields)
    assert json.loads(house.run("schema").out) == SCHEMA


def test_a_default_is_told_as_a_person_writes_it() -> None:
    told = {row["field"]: row["default"] for row in fields_of(SCHEMA)}
    assert (told["defaults.timeout"], told["defaults.ttl"]) == ("2s", "10m")
    assert (told["defaults.stale_after"], told["defaults.warn_before"]) == ("7d", "90d, 30d")
    assert (told["grace.vanished"], told["guards.price_rise"]) == ("3d", "50%")


@pytest.mark.parametrize("name", ["Defaults", "Grace", "Guards"])
def test_a_default_of_the_schema_may_stand_in_a_policy_and_changes_nothing(name: str) -> None:
    section = name.lower()
    fields = SCHEMA["$defs"][name]["properties"]
    values = {key: field["default"] for key, field in fields.items() if "default" in field}
    data = policy(section, values)
    assert not refuses_schema(data)
    written, bare = (
        load_policy(yaml.safe_dump(one), "policy.yaml") for one in (data, policy(section, {}))
    )
    assert getattr(written, section) == getattr(bare, section)


def test_every_mistake_of_a_policy_is_told_at_once(house: House) -> None:
    house.policy.write_text(
        "providers: {xai: {}}\nguards: {price_rise: 50}\nalow: []\n", encoding="utf-8"
    )
    ran = house.run("plan")
    assert ran.code == 1
    first, hint, second, _ = ran.err.splitlines()
    assert "policy.yaml:2: guards.price_rise: expected a share such as 25%, not 50." in first
    assert hint.startswith("          ")
    assert "policy.yaml:3: alow: unknown field." in second
    doctor = house.run("doctor").out
    assert "price_rise" in doctor
    assert "alow" in doctor


def test_ten_mistakes_are_shown_and_the_rest_counted(house: House) -> None:
    rows = "\n".join(f"x{number}: 1" for number in range(12))
    house.policy.write_text(f"providers: {{xai: {{}}}}\n{rows}\n", encoding="utf-8")
    ran = house.run("plan")
    assert ran.err.count("unknown field") == 10
    assert ran.err.splitlines()[-1].strip() == "and 2 more problems below these"
