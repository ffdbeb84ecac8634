"""One release date for a model: in the order, in conditions, in what is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rollcall.catalog.order import release_date
from tests.house import START
from tests.policy_making import TODAY, admit, ids, model

if TYPE_CHECKING:
    from tests.house import House


def test_a_bare_name_is_as_old_as_the_snapshot_it_reaches_for_max_age_too() -> None:
    row = model("openai/mistral-large", aliases=("mistral-large-2603",))
    rule = "allow: [{match: '*', max_age: %sd}]"
    released = release_date(row)
    assert released is not None
    age = (TODAY - released).days
    assert ids(admit(rule % age, [row])) == ["openai/mistral-large"]
    too_old = admit(rule % (age - 1), [row])
    assert ids(too_old) == []
    assert too_old.trail("openai", "mistral-large")[-1].why == (
        f"released {released}, max_age is {age - 1} days"
    )


@pytest.mark.parametrize(("after", "passes"), [(-1, True), (0, False)])
def test_and_for_released_after(after: int, *, passes: bool) -> None:
    row = model("openai/mistral-large", aliases=("mistral-large-2603",))
    released = release_date(row)
    assert released is not None
    day = released + timedelta(days=after)
    outcome = admit(f"allow: [{{match: '*', where: {{released_after: {day}}}}}]", [row])
    assert bool(ids(outcome)) is passes


def test_and_for_min_age_and_for_the_derived_default() -> None:
    row = model("openai/mistral-large", aliases=(f"mistral-large-{TODAY:%Y-%m-%d}",))
    outcome = admit("allow: [{match: '*'}]\nguards: {min_age: 1d}", [row])
    assert ids(outcome) == []
    assert "released 0 days ago" in outcome.held[0].reason


@pytest.fixture
def mistral(house: House) -> House:
    """A list in which a bare name's day is known from the snapshot it reaches only."""
    rows: list[Any] = [
        {
            "id": "mistral-large",
            "object": "model",
            "created": 1790000000,
            "owned_by": "mistralai",
            "aliases": ["mistral-large-2610"],
            "max_context_length": 262144,
        }
    ]
    house.sim.set_rows("openai", rows)
    base = house.sim.provider_policy("openai")["openai"]["base_url"]
    text = yaml.safe_dump(
        {
            "providers": {"mistral": {"base_url": base, "key_env": "OPENAI_API_KEY"}},
            "allow": [{"match": "mistral-*", "max_age": "100d"}],
            "defaults": {"timeout": "30s", "deadline": "60s"},
        }
    )
    house.policy.write_text(text, encoding="utf-8")
    return house


def test_models_plan_and_explain_say_the_same_day(mistral: House) -> None:
    planned = mistral.run("plan", "--markdown").out
    assert "2026-10-01" in planned, planned
    mistral.applied()
    (row,) = [row for row in mistral.run("models", "--json").json() if row["id"] == "mistral-large"]
    assert (row["released"], row["in_config"]) == ("2026-10-01", True)
    assert "unknown" not in row["reason"]
    assert "released: 2026-10-01" in mistral.run("explain", "mistral-large").out
    mistral.on(START + timedelta(days=100))
    assert "released 2026-10-01" in mistral.run("explain", "mistral-large").out
