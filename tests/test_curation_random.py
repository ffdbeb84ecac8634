"""Whatever happens in whatever order: models come and go, providers fail, the policy is edited.

Invariants of every run: it comes to rest, every alias leads somewhere, no name stands twice, what
a provider serves no more leaves in time, and an outage changes nothing of its provider's.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Model
from rollcall.litellm_config import document
from rollcall.policy.file import load_policy
from tests.policy_making import model
from tests.replaying import Day, Replay, replay_of

START = date(2026, 11, 20)
OWN = b"""\
model_list:
  - model_name: mine
    litellm_params: {model: ollama/llama3}
"""

RULES = """
providers: {anthropic: {}, openrouter: {}, xai: {}}
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
  - {match: "claude-*", from: [anthropic], newest: 2}
  - {family: grok, from: [xai], newest: 1, name: grok}
  - {match: "x-ai/*", from: [openrouter], newest: 1}
  - {family: glm, from: [openrouter], newest: 1}
"""
ALIASES = """
aliases:
  claude: {family: claude-sonnet, from: [anthropic, openrouter], fallbacks: [glm, mine]}
  glm: {family: glm, fallbacks: [claude]}
  any: {first_of: [{family: glm}, {family: claude-sonnet}, mine]}
"""
POLICIES = (
    RULES + ALIASES,
    RULES,
    RULES.replace("newest: 2", "newest: 1") + ALIASES,
    RULES.replace(', name: "{id}"', "") + ALIASES,
    RULES + ALIASES + "deny: ['*4-6', 'x-ai/*']\n",
    RULES + ALIASES + 'naming: "{provider}-{id:dashed}"\n',
    RULES.replace(", name: grok", "") + ALIASES + "grace: {superseded: 2d, vanished: 0d}\n",
    """
providers: {openrouter: {}}
allow: [{match: '*', newest: 1}]
aliases: {grok: {family: grok}}
""",
)


def row(qualified: str, price: int | None = None) -> Model:
    """A model; the maker of OpenRouter's is the author in the id."""
    facts: dict[str, Any] = {} if price is None else {"cost": (str(price), str(4 * price))}
    return model(qualified, **facts)


ALL = {
    "anthropic": [
        row(f"anthropic/claude-{name}")
        for name in ("sonnet-4-5", "sonnet-4-6", "sonnet-5", "opus-4-8", "opus-5", "haiku-4-5")
    ],
    "xai": [row(f"xai/grok-{name}", 2) for name in ("4.3", "4.5", "4.6")],
    "openrouter": [
        *(row(f"openrouter/z-ai/glm-{name}", price) for name, price in
          (("5", 1), ("5.2", 1), ("5.3", 5), ("6", 2))),
        *(row(f"openrouter/x-ai/grok-{name}", 3) for name in ("4.3", "4.6")),
        *(row(f"openrouter/anthropic/claude-{name}", price) for name, price in
          (("sonnet-4.6", 3), ("sonnet-5", 4))),
    ],
}  # fmt: skip


def subsets(provider: str) -> st.SearchStrategy[tuple[str, Any]]:
    """A provider lists some of what it ever may."""
    rows = st.lists(st.sampled_from(ALL[provider]), min_size=1, unique_by=lambda one: one.id)
    return rows.map(lambda found: ("lists", (provider, tuple(found))))


EVENTS = st.one_of(
    *(subsets(provider) for provider in ALL),
    st.sampled_from(sorted(ALL)).map(lambda name: ("fails", name)),
    st.just(("heals", None)),
    st.sampled_from(POLICIES).map(lambda text: ("edits", text)),
    st.integers(-40, 40).map(lambda days: ("waits", days)),
    st.just(("forgets", None)),
)


def happen(replay: Replay, event: tuple[str, Any], day: date) -> date:
    """One event; the day after it."""
    what, value = event
    if what == "lists":
        replay.listed[value[0]] = value[1]
    elif what == "fails":
        replay.away.add(value)
    elif what == "heals":
        replay.away.clear()
    elif what == "edits":
        replay.old_policy, replay.policy = replay.policy, load_policy(value, "policy.yaml")
    elif what == "forgets":
        replay.before.clear()
        replay.state = type(replay.state)()
    else:
        return day + timedelta(days=value)
    return day


def check(replay: Replay, done: Day) -> None:
    """What must hold after every run."""
    data = document.parse(replay.config).data
    names = [entry["model_name"] for entry in data["model_list"]]
    assert max(Counter(names).values()) == 1, names
    aliases = (data.get("router_settings") or {}).get("model_group_alias") or {}
    assert set(aliases.values()) <= set(names), "every alias leads to a model"
    assert not set(aliases) & set(names), "no alias has a model's name"
    known = set(names) | set(aliases)
    for fallback in (data.get("router_settings") or {}).get("fallbacks") or []:
        for name, targets in fallback.items():
            assert name in aliases
            assert set(targets) <= known
    held = {change.name for change in done.decision.held}
    for alias, target in aliases.items():
        entry = replay.entries.get(target, {"model_info": {}})
        kept = target in {
            placement.name
            for placement in done.decision.model_list.placements
            if placement.origin == "kept"
        }
        assert "leaves" not in entry["model_info"] or alias in held or kept, (alias, target)
    listed = replay.listed_ids()
    for name, entry in replay.entries.items():
        info = entry["model_info"]
        provider = info["id"].split("/")[1]
        if info["id"] not in listed and provider not in replay.away:
            assert done.on < date.fromisoformat(info["leaves"]), f"{name} overstays"
            assert date.fromisoformat(info["leaves"]) <= done.on + timedelta(days=3)


def entries_of(replay: Replay, providers: set[str]) -> list[dict[str, Any]]:
    """The entries of some providers, as they stand."""
    found = replay.entries.values()
    return [row for row in found if row["model_info"]["id"].split("/")[1] in providers]


@settings(max_examples=60, deadline=None)
@given(events=st.lists(EVENTS, min_size=4, max_size=14), force=st.booleans())
def test_whatever_happens(events: list[tuple[str, Any]], force: bool) -> None:
    replay = replay_of(POLICIES[0], config=OWN, force=force)
    replay.listed = {provider: tuple(rows) for provider, rows in ALL.items()}
    day = START
    check(replay, replay.run(day))
    for event in events:
        day = happen(replay, event, day)
        if set(replay.policy.providers) <= replay.away:
            continue
        before, kept = replay.config, entries_of(replay, replay.away)
        edited = replay.old_policy is not None
        done = replay.run(day)
        if done.decision.refused:
            assert replay.config == before
            continue
        check(replay, done)
        assert not replay.run(day).changes, "a second run changes something"
        if not edited:
            assert entries_of(replay, replay.away) == kept, "an outage changes nothing"
