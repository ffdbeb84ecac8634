"""A model that is listed but cannot be called: what each kind of refusal does to an alias, in every
protocol; what is remembered of it; what the trial costs.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rollcall.policy.file import load_policy
from rollcall.providers.builtin import BUILTIN
from rollcall.store.state import State, TrialRecord
from rollcall.sync.trial import refused_at
from tests.house import House
from tests.simulator import CallFault, Fault

PAIRS = {
    "anthropic": ("claude-sonnet-4-6", "claude-sonnet-5"),
    "openai": ("gpt-4o", "gpt-5"),
    "openrouter": ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-5"),
    "gemini": ("gemini-3.5-flash", "gemini-3.7-flash"),
    "xai": ("grok-4.5", "grok-4.6"),
    "perplexity": ("anthropic/claude-sonnet-4-6", "anthropic/claude-sonnet-5"),
    "ollama": ("gpt-oss:20b", "qwen3.8:27b"),
    "deepseek": ("deepseek-v4-flash", "deepseek-v4-pro"),
}
"""Provider -> a model that serves, and another that is listed: every protocol is among them."""

VERDICTS = {
    CallFault.UNAUTHORIZED: "refused for this key",
    CallFault.ECHO_KEY: "refused for this key",
    CallFault.UNVERIFIED: "refused for this key",
    CallFault.NOT_FOUND: "not found",
    CallFault.WRONG_ENDPOINT: "wrong endpoint",
    CallFault.NO_CREDIT: "no credit",
    CallFault.RATE_LIMITED: "rate limited",
    CallFault.UNAVAILABLE: "server error",
    CallFault.HANG: "timeout",
    CallFault.EMPTY: "no usable reply",
    CallFault.REFUSAL: "declined",
}
NOT_YET = {
    CallFault.RATE_LIMITED,
    CallFault.UNAVAILABLE,
    CallFault.HANG,
    CallFault.EMPTY,
    CallFault.REFUSAL,
}


def policy_of(provider: str, target: str, guards: str = "{trial: aliases}") -> str:
    """Two models of one provider admitted, an alias that leads to one of them."""
    return f"""
allow:
  - {{match: {json.dumps(list(PAIRS[provider]))}, from: [{provider}], stage: any}}
aliases:
  work: {{model: "{provider}/{target}"}}
guards: {guards}
"""


@pytest.fixture
def moved(house: House) -> Any:
    """A folder whose alias serves, and whose policy then names another model."""

    def move(provider: str, guards: str = "{trial: aliases}") -> House:
        old, new = PAIRS[provider]
        house.write_policy(policy_of(provider, old, guards), provider)
        house.applied()
        house.sim.requests.clear()
        house.write_policy(policy_of(provider, new, guards), provider)
        return house

    return move


def target_of(house: House) -> str:
    return str(house.aliases()["work"]).partition("/")[2]


def state_of(house: House) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in (house.folder / ".rollcall").rglob("state.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("fault", [fault for fault in CallFault if fault is not CallFault.HANG])
@pytest.mark.parametrize("provider", PAIRS)
def test_a_model_that_cannot_be_called_keeps_its_predecessor_serving(
    moved: Any, provider: str, fault: CallFault
) -> None:
    house, (old, new) = moved(provider), PAIRS[provider]
    house.sim.fault_calls(provider, fault, new)
    ran = house.applied()
    assert target_of(house) == old
    assert f"held: work: {provider}/{old} -> {provider}/{new}" in ran.err
    assert f"came to: {VERDICTS[fault]}" in ran.err
    assert ("not proven yet" in ran.err) is (fault in NOT_YET)
    record = state_of(house)["trials"][-1]
    assert (record["id"], record["outcome"]) == (new, VERDICTS[fault])
    house.sim.heal()
    house.applied()
    assert target_of(house) == new, "asked again at the next run, and it answers now"


@pytest.mark.parametrize("provider", PAIRS)
def test_a_model_that_answers_gets_the_alias_after_one_small_call(
    moved: Any, provider: str
) -> None:
    house = moved(provider)
    house.applied()
    assert target_of(house) == PAIRS[provider][1]
    (call,) = house.sim.calls()
    limits = [int(n) for n in re.findall(rb'okens"?: (\d+)', call.body)]
    assert limits == [16]


@pytest.mark.parametrize("provider", ["anthropic", "gemini", "perplexity", "openai", "ollama"])
def test_a_trial_that_hangs_costs_the_deadline_and_no_more(moved: Any, provider: str) -> None:
    house, (old, new) = moved(provider), PAIRS[provider]
    house.sim.fault_calls(provider, CallFault.HANG, new)
    ran = house.applied("--deadline", "1s")
    assert target_of(house) == old
    assert "came to: timeout" in ran.err or "was not called in this run" in ran.err
    assert "not proven yet" in ran.err


def test_who_has_answered_is_not_asked_again_for_trial_every(moved: Any) -> None:
    house, (old, new) = moved("anthropic"), PAIRS["anthropic"]
    house.applied()
    for day, target, calls in ((1, old, 1), (2, new, 1), (29, old, 1), (40, new, 2)):
        house.later(day)
        house.write_policy(policy_of("anthropic", target), "anthropic")
        house.applied()
        assert target_of(house) == target
        assert len(house.sim.calls()) == calls, f"day {day}"


def test_a_refused_key_is_told_with_its_place(moved: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    house, (_, new) = moved("anthropic"), PAIRS["anthropic"]
    house.sim.fault_calls("anthropic", CallFault.UNAUTHORIZED, new)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    dotenv = house.folder / ".env"
    dotenv.write_text(f"\n\nANTHROPIC_API_KEY={house.sim.key('anthropic')}\n", encoding="utf-8")
    ran = house.applied()
    assert f"check what the key in ANTHROPIC_API_KEY in {dotenv}:3 and its account may" in ran.err
    for report in ("--json", "--markdown"):
        assert str(dotenv) not in house.run("plan", report).out, "others may read it"


def test_another_key_has_to_prove_itself(moved: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    house, (old, new) = moved("ollama"), PAIRS["ollama"]
    for key in ("sim-ollama-first-key-1", "sim-ollama-second-key-2"):
        monkeypatch.setenv("OLLAMA_API_KEY", key)
        house.write_policy(policy_of("ollama", new), "ollama")
        house.applied()
        house.write_policy(policy_of("ollama", old), "ollama")
        house.applied()
    asked = [one["key"] for one in state_of(house)["trials"] if one["id"] == new]
    assert len(set(asked)) == 2 == len(asked)


def test_nothing_of_a_key_is_kept_or_said(moved: Any) -> None:
    house = moved("anthropic")
    house.sim.fault_calls("anthropic", CallFault.ECHO_KEY)
    said = house.run("apply", "--json").text + house.run("status", "--json").text
    kept = "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for path in (house.folder / ".rollcall").rglob("*")
        if path.is_file()
    )
    keys = house.keys()
    assert keys
    for key in keys:
        assert key not in said + kept
        assert "key-0123" not in said + kept
    assert state_of(house)["trials"][-1]["key"]


def test_a_key_typed_into_an_entry_of_ours_is_not_taken_for_a_variable(moved: Any) -> None:
    """Its provider does not answer, so the entry stays as it is; a new alias leads to it."""
    house, (_, new) = moved("anthropic"), PAIRS["anthropic"]
    typed = "AbCdEfGhIjKlMnOpQrStUvWx"
    text = house.config.read_text(encoding="utf-8")
    written = text.replace("os.environ/ANTHROPIC_API_KEY", typed)
    assert written != text
    house.config.write_text(written, encoding="utf-8")
    house.write_policy(
        policy_of("anthropic", new).replace("work:", "fresh:"), "anthropic", "openai"
    )
    house.sim.fault("anthropic", Fault.WRONG_SHAPE)
    ran = house.run("apply", "--json")
    assert typed not in ran.text
    assert house.aliases()["fresh"] == f"anthropic/{new}"
    assert len(house.sim.calls("anthropic")) == 1, "with the provider's own key"


def test_plan_says_what_apply_will_call_and_calls_only_with_trial(moved: Any) -> None:
    house, (_, new) = moved("anthropic"), PAIRS["anthropic"]
    house.sim.fault_calls("anthropic", CallFault.UNVERIFIED, new)
    ran = house.run("plan")
    assert "to be tried at apply" in ran.out
    assert f"apply makes 1 trial call first, of at most 16 output tokens each: anthropic/{new}" in (
        ran.out
    )
    assert "apply makes 1 trial call first" in house.run("plan", "--markdown").out
    assert house.sim.calls() == []
    tried = house.run("plan", "--trial", "--json").json()
    assert [(one["name"], one["outcome"]) for one in tried["trials"]] == [
        (f"anthropic/{new}", "refused for this key")
    ]
    assert tried["held"][0]["accept"] == f"rollcall apply --accept anthropic/{new}"


def test_a_refusal_of_the_last_run_is_said_by_the_next_plan(moved: Any) -> None:
    house, (_, new) = moved("anthropic"), PAIRS["anthropic"]
    house.sim.fault_calls("anthropic", CallFault.UNVERIFIED, new)
    house.applied()
    house.sim.requests.clear()
    plan = house.run("plan", "--json").json()
    assert house.sim.calls() == []
    assert "organization must be verified" in plan["held"][0]["reason"]
    assert [one["outcome"] for one in plan["trials"]] == [""], "apply calls it once more"


def test_offline_nobody_is_called_and_the_alias_waits(moved: Any) -> None:
    house, (old, _) = moved("anthropic"), PAIRS["anthropic"]
    ran = house.applied("--offline")
    assert target_of(house) == old
    assert "not proven yet" in ran.err
    assert house.sim.calls() == []


@pytest.mark.parametrize("way", ["--force", "--accept=claude-sonnet-5", "off"])
def test_a_person_may_go_past_the_trial(moved: Any, way: str) -> None:
    house = moved("anthropic", "{trial: off}" if way == "off" else "{trial: aliases}")
    house.sim.fault_calls("anthropic", CallFault.UNVERIFIED)
    house.applied(*([] if way == "off" else [way]))
    assert target_of(house) == "claude-sonnet-5"
    assert house.sim.calls() == []


def test_an_alias_that_leads_nowhere_yet_takes_an_unproven_model_and_says_so(house: House) -> None:
    house.write_policy(policy_of("anthropic", "claude-sonnet-5"), "anthropic")
    house.sim.fault_calls("anthropic", CallFault.UNVERIFIED)
    ran = house.applied()
    assert target_of(house) == "claude-sonnet-5"
    assert (
        "alias 'work' leads to anthropic/claude-sonnet-5 all the same, having no other" in ran.err
    )


FAMILY = """
allow:
  - {{family: claude-sonnet, from: [anthropic], newest: {newest}}}
aliases:
  claude: {{family: claude-sonnet}}
guards: {{trial: {trial}}}
"""


@pytest.mark.parametrize("newest", [1, 2])
def test_a_dead_newest_of_a_family_never_reaches_the_alias(house: House, newest: int) -> None:
    rows: list[Any] = house.sim.rows("anthropic")
    house.sim.set_rows("anthropic", [row for row in rows if row["id"] != "claude-sonnet-5"])
    house.write_policy(FAMILY.format(newest=newest, trial="aliases"), "anthropic")
    house.applied()
    house.sim.set_rows("anthropic", rows)
    house.sim.fault_calls("anthropic", CallFault.NOT_FOUND, "claude-sonnet-5")
    for day in (1, 2, 30):  # past the grace of what it would have replaced
        house.later(day)
        house.applied()
        assert house.aliases()["claude"] == "anthropic/claude-sonnet-4-6"
        assert "anthropic/claude-sonnet-4-6" in house.names()


def test_of_two_new_versions_the_one_that_answers_gets_the_alias(house: House) -> None:
    rows: list[Any] = house.sim.rows("anthropic")
    new = ("claude-sonnet-5", "claude-sonnet-4-6")
    house.sim.set_rows("anthropic", [row for row in rows if row["id"] not in new])
    house.write_policy(FAMILY.format(newest=2, trial="aliases"), "anthropic")
    house.applied()
    house.sim.set_rows("anthropic", rows)
    house.sim.fault_calls("anthropic", CallFault.UNVERIFIED, "claude-sonnet-5")
    ran = house.applied()
    assert house.aliases()["claude"] == "anthropic/claude-sonnet-4-6"
    assert "organization must be verified" in ran.err


def test_trial_all_admits_only_what_answers_and_takes_nothing_away(house: House) -> None:
    rows: list[Any] = house.sim.rows("anthropic")
    house.sim.set_rows("anthropic", [row for row in rows if row["id"] != "claude-sonnet-5"])
    house.write_policy(FAMILY.format(newest=1, trial="all"), "anthropic")
    house.applied()
    assert house.names() == ["anthropic/claude-sonnet-4-6"]
    house.sim.set_rows("anthropic", rows)
    house.sim.fault_calls("anthropic", CallFault.UNVERIFIED)
    house.later(1)
    ran = house.applied()
    assert house.names() == ["anthropic/claude-sonnet-4-6"]
    assert "held: anthropic/claude-sonnet-5" in ran.err
    house.later(60)
    house.applied()
    assert house.names() == ["anthropic/claude-sonnet-4-6"], "what serves is not tried"
    house.sim.heal()
    house.applied()
    assert "anthropic/claude-sonnet-5" in house.names()
    assert house.aliases()["claude"] == "anthropic/claude-sonnet-5"


def test_a_run_that_moves_nothing_calls_nobody(house: House) -> None:
    house.write_policy(FAMILY.format(newest=2, trial="all"), "anthropic")
    house.applied()
    house.sim.requests.clear()
    house.later(90)
    house.applied()
    assert house.sim.calls() == []


def test_status_and_explain_tell_when_a_model_answered_and_what_it_said_last(moved: Any) -> None:
    house, (_, new) = moved("anthropic"), PAIRS["anthropic"]
    house.sim.fault_calls("anthropic", CallFault.UNVERIFIED, new)
    house.applied()
    row = house.run("status", "--json").json()["trials"][-1]
    assert (row["id"], row["outcome"], row["answered"]) == (new, "refused for this key", None)
    assert "key" not in row
    assert "verified" in house.run("status").text
    told = house.run("explain", f"anthropic/{new}").out
    assert "trial: has never answered" in told
    assert "organization must be verified" in told
    models = {one["id"]: one for one in house.run("models", "--json").json()}
    assert "refused for this key: Your organization" in models[new]["refusal"]
    house.sim.heal()
    house.applied()
    models = {one["id"]: one for one in house.run("models", "--json").json()}
    assert models[new]["answered"].startswith("2026-11-20")
    assert models[new]["refusal"] == ""


def test_a_refusal_is_found_again_at_the_address_the_library_calls() -> None:
    """A policy's base of Ollama is its root; the library calls below /v1."""
    record = TrialRecord(
        provider="ollama",
        id="llama",
        address="http://box:11434",
        key="",
        outcome="not found",
        asked="2026-11-20T12:00:00Z",
    )
    state, row = State(salt="salt", trials=[record]), BUILTIN["ollama"]
    text = "version: 1\nproviders: {ollama: {}}\nguards: {trial: aliases}\nallow: []\n"
    policy = load_policy(text, "policy.yaml")
    for root, found in (("http://box:11434/v1", ["llama"]), ("http://other:11434/v1", [])):
        assert list(refused_at(state, policy, row, root, "")) == found
