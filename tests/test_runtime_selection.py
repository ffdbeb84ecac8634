"""Roles that select: the policy's words over the catalog that `rollcall apply` keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rollcall.runtime.client import LLMClient
from rollcall.runtime.errors import NothingSelected, ProviderError
from rollcall.runtime.network import Network
from rollcall.runtime.roles import list_roles
from rollcall.settings import resolve
from rollcall.sync.apply import apply
from rollcall.sync.trial import AT_RESPONSES
from tests.runtime_support import HELLO, Slept, simulated
from tests.simulator import CallFault, Fault
from tests.simulator.http import Reply
from tests.simulator.simulator import Simulator

PROVIDERS = ("anthropic", "openrouter", "openai")
ALLOW = [
    {"family": "claude-sonnet", "from": ["anthropic"]},
    {"family": "claude-sonnet", "from": ["openrouter"]},
    {"match": ["deepseek/*", "qwen/*", "x-ai/*"], "from": ["openrouter"]},
    {"family": "gpt", "from": ["openai"]},
]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


class House:
    """A folder with policy.yaml and llm_orchestrator.yaml, and the variables of a process."""

    def __init__(self, folder: Path, sim: Simulator, day: str = "1790000000") -> None:
        self.folder = folder
        self.sim = sim
        self.environ = {
            **sim.environ(*PROVIDERS),
            **{f"ORCH_AUTH_{name.upper()}_API_KEY": sim.key(name) for name in PROVIDERS},
            "SOURCE_DATE_EPOCH": day,
        }
        self.write_policy()

    def write_policy(self) -> None:
        policy = {"providers": self.sim.provider_policy(*PROVIDERS), "allow": ALLOW, "aliases": {}}
        (self.folder / "policy.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")

    def apply(self) -> None:
        apply(resolve(cwd=self.folder, environ=self.environ))

    def client(self, select: object, *names: str, **other: object) -> LLMClient:
        providers = {
            name: {"auth_profile": name, "api_base": self.sim.url(name)}
            for name in names or PROVIDERS
        }
        data = {"providers": providers, "roles": {"chat": {"select": select}}, **other}
        self.path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        network = Network(sleep=Slept())
        return LLMClient(self.path, environ=lambda: self.environ, network=network)

    @property
    def path(self) -> Path:
        return self.folder / "llm_orchestrator.yaml"

    def listings(self) -> int:
        """How many lists were asked for so far."""
        return sum(request.method == "GET" for _, request in self.sim.requests)


@pytest.fixture
def house(tmp_path: Path, sim: Simulator) -> House:
    return House(tmp_path, sim)


def test_the_newest_of_a_family_is_called(house: House) -> None:
    house.apply()
    with house.client({"family": "claude-sonnet", "from": ["anthropic", "openrouter"]}) as client:
        resolved = client.resolve("chat")
        response = client.run("chat", HELLO)
    assert (resolved.provider, resolved.model) == ("anthropic", "claude-sonnet-5")
    assert "claude-sonnet" in resolved.reason
    assert "2026-09-21" in resolved.reason
    assert response.content == "claude-sonnet-5 heard: Hello"


def test_in_an_event_loop_and_streamed_too(house: House) -> None:
    house.apply()

    async def story(client: LLMClient) -> str:
        async with client:
            return "".join([piece async for piece in client.astream("chat", HELLO)])

    client = house.client({"family": "claude-sonnet", "from": ["openrouter"]})
    assert asyncio.run(story(client)) == "anthropic/claude-sonnet-5 heard: Hello"


def test_from_is_an_order_of_preference(house: House) -> None:
    house.apply()
    with house.client({"family": "claude-sonnet", "from": ["openrouter", "anthropic"]}) as client:
        assert client.resolve("chat").provider == "openrouter"


def test_the_cheapest_that_has_tools(house: House) -> None:
    house.apply()
    with house.client({"cheapest": {"tools": True}}) as client:
        resolved = client.resolve("chat")
    assert resolved.provider == "openrouter"
    assert "cheapest" in resolved.reason


def test_a_choice_among_choices(house: House) -> None:
    house.apply()
    with house.client({"first_of": [{"family": "unheard-of"}, {"family": "gpt"}]}) as client:
        assert client.resolve("chat").provider == "openai"


def test_only_providers_of_the_file_are_chosen(house: House) -> None:
    house.apply()
    with house.client({"family": "claude-sonnet"}, "openrouter") as client:
        assert client.resolve("chat").provider == "openrouter"


def test_a_fresh_catalog_is_not_asked_for_again(house: House) -> None:
    house.apply()
    before = house.listings()
    with house.client({"family": "claude-sonnet"}) as client:
        client.resolve("chat")
    assert house.listings() == before


def test_without_a_catalog_the_providers_are_asked(house: House) -> None:
    with house.client({"family": "claude-sonnet", "from": ["anthropic"]}) as client:
        assert client.resolve("chat").model == "claude-sonnet-5"
    assert house.listings() == 1


def test_the_librarys_own_key_will_do_for_asking(house: House) -> None:
    del house.environ["ANTHROPIC_API_KEY"]
    with house.client({"family": "claude-sonnet", "from": ["anthropic"]}) as client:
        assert client.resolve("chat").model == "claude-sonnet-5"


def test_an_old_catalog_is_refreshed_and_kept(house: House, tmp_path: Path) -> None:
    house.apply()
    rows = house.sim.rows("anthropic")
    newer = {**dict(rows[0]), "id": "claude-sonnet-6"}  # type: ignore[call-overload]
    house.sim.set_rows("anthropic", [newer, *rows])
    house.environ["SOURCE_DATE_EPOCH"] = "1790100000"
    select = {"family": "claude-sonnet", "from": ["anthropic"]}
    with house.client(select) as client:
        assert client.resolve("chat").model == "claude-sonnet-6"
    with house.client(select, catalog={"max_age": "7d"}) as client:
        before = house.listings()
        assert client.resolve("chat").model == "claude-sonnet-6"
        assert house.listings() == before


def test_an_old_catalog_that_cannot_be_refreshed_still_serves(house: House) -> None:
    house.apply()
    house.environ["SOURCE_DATE_EPOCH"] = "1799000000"
    house.sim.fault("anthropic", Fault.SERVER_ERROR)
    with house.client({"family": "claude-sonnet", "from": ["anthropic"]}) as client:
        resolved = client.resolve("chat")
    assert resolved.model == "claude-sonnet-5"
    assert "2026-09-21" in resolved.reason


def test_a_pick_stays_for_the_life_of_the_client(house: House) -> None:
    house.apply()
    with house.client({"family": "claude-sonnet", "from": ["anthropic"]}) as client:
        first = client.resolve("chat").model
        rows = [row for row in house.sim.rows("anthropic") if dict(row)["id"] != first]  # type: ignore[call-overload]
        house.sim.set_rows("anthropic", rows)
        house.environ["SOURCE_DATE_EPOCH"] = "1799000000"
        assert client.resolve("chat").model == first
        data = yaml.safe_load(house.path.read_text(encoding="utf-8"))
        data["roles"]["chat"]["select"]["from"] = ["openrouter"]
        house.path.write_text(yaml.safe_dump(data), encoding="utf-8")
        assert client.resolve("chat").provider == "openrouter"


def test_nothing_that_fits_says_what_is_known(house: House) -> None:
    house.apply()
    client = house.client({"family": "gemini-pro", "from": ["openai"]})
    with pytest.raises(NothingSelected, match=r"(?s)gemini-pro from openai.*openai of 2026"):
        client.run("chat", HELLO)
    client = house.client({"family": "gpt", "from": ["mistral"]})
    with pytest.raises(NothingSelected, match="mistral is not among the policy's providers"):
        client.resolve("chat")


def test_without_a_policy_it_says_so(house: House) -> None:
    (house.folder / "policy.yaml").unlink()
    client = house.client({"family": "gpt"})
    with pytest.raises(
        NothingSelected, match=r"(?s)no policy.*`catalog: \{policy: PATH\}`.*rollcall init"
    ):
        client.resolve("chat")


def test_the_table_of_roles_asks_nobody(house: House) -> None:
    house.apply()
    before = len(house.sim.requests)
    fallback = {"provider": "openai", "model": "gpt-x"}
    select = {"family": "claude-sonnet", "from": ["anthropic"]}
    roles = {
        "picked": {"select": select, "fallbacks": [fallback, "named"]},
        "named": {"provider": "openai", "model": "gpt-x"},
        "lost": {"provider": "absent", "model": "gpt-x"},
    }
    house.client(select, roles=roles)
    house.environ["SOURCE_DATE_EPOCH"] = "1799000000"
    del house.environ["ORCH_AUTH_OPENAI_API_KEY"]
    picked, named, lost = list_roles(house.path, environ=lambda: house.environ)

    assert (picked.provider, picked.model, picked.ready) == ("anthropic", "claude-sonnet-5", True)
    assert picked.fallbacks == ("openai/gpt-x", "named")
    assert picked.key_variable == "ORCH_AUTH_ANTHROPIC_API_KEY"
    assert not named.ready
    assert "ORCH_AUTH_OPENAI_API_KEY" in named.problem
    assert "absent" in lost.problem
    assert len(house.sim.requests) == before


def test_a_provider_of_another_name_is_found_by_its_type(house: House) -> None:
    house.apply()
    provider = {"type": "anthropic", "auth_profile": "anthropic"}
    provider["api_base"] = house.sim.url("anthropic")
    client = house.client({"family": "claude-sonnet"}, providers={"our-claude": provider})
    with client:
        assert client.run("chat", HELLO).provider == "our-claude"


def test_a_key_is_not_sent_to_another_place_than_its_own(house: House) -> None:
    del house.environ["ANTHROPIC_API_KEY"]
    provider = {"auth_profile": "anthropic", "api_base": "http://127.0.0.1:9"}
    client = house.client(
        {"family": "claude-sonnet", "from": ["anthropic"]}, providers={"anthropic": provider}
    )
    with client, pytest.raises(NothingSelected, match="No catalog is known"):
        client.resolve("chat")
    assert house.sim.requests == []


def test_a_provider_the_file_does_not_define_is_named(house: House) -> None:
    house.apply()
    client = house.client({"family": "gpt", "from": ["openai"]}, "anthropic")
    with pytest.raises(NothingSelected, match="openai is not under `providers:`"):
        client.resolve("chat")


def test_a_folder_that_cannot_be_written_still_serves(house: House) -> None:
    (house.folder / ".rollcall").write_text("in the way", encoding="utf-8")
    with house.client({"family": "claude-sonnet", "from": ["anthropic"]}) as client:
        assert client.resolve("chat").model == "claude-sonnet-5"


def held_policy(house: House, min_age: str = "7d") -> None:
    """A policy that takes the newest gpt only, and holds what it saw too short a time."""
    policy = {
        "providers": house.sim.provider_policy("openai"),
        "allow": [{"match": "gpt-*", "from": ["openai"], "newest": 1}],
        "aliases": {},
        "guards": {"min_age": min_age},
    }
    (house.folder / "policy.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")


def undated(*names: str) -> list[dict[str, object]]:
    return [{"id": name, "object": "model", "owned_by": "openai"} for name in names]


@pytest.mark.parametrize("known_by", ["apply", "the library itself"])
def test_a_model_first_seen_lately_is_held_as_in_plan(house: House, known_by: str) -> None:
    held_policy(house)
    house.sim.set_rows("openai", undated("gpt-7"))
    house.apply()
    house.sim.set_rows("openai", undated("gpt-7", "gpt-8"))
    house.environ["SOURCE_DATE_EPOCH"] = str(1790000000 + 2 * 86_400)
    if known_by == "apply":
        house.apply()
    select = {"family": "gpt", "from": ["openai"]}

    def picked(days: int) -> str:
        house.environ["SOURCE_DATE_EPOCH"] = str(1790000000 + days * 86_400)
        with house.client(select, "openai", catalog={"max_age": "1d"}) as client:
            return client.resolve("chat").model

    assert picked(2) == "gpt-7"
    assert picked(8) == "gpt-7"
    assert picked(9) == "gpt-8"


def test_what_is_in_config_yaml_is_not_held(house: House) -> None:
    held_policy(house, "0d")
    house.sim.set_rows("openai", undated("gpt-7"))
    house.apply()
    house.sim.set_rows("openai", undated("gpt-7", "gpt-8"))
    house.environ["SOURCE_DATE_EPOCH"] = str(1790000000 + 2 * 86_400)
    house.apply()
    held_policy(house)
    with house.client({"family": "gpt"}, "openai") as client:
        assert client.resolve("chat").model == "gpt-8"


def test_a_parameter_the_newest_model_no_longer_takes_is_left_out(house: House) -> None:
    house.apply()
    refusal = b'{"error": {"message": "`temperature` is deprecated for this model."}}'
    select = {"family": "claude-sonnet", "from": ["anthropic"]}
    with simulated("anthropic") as server:
        provider = {"auth_profile": "anthropic", "api_base": server.url}
        roles = {
            "chat": {"select": select, "params": {"temperature": 0.2}},
            "strict": {"select": select, "on_refused_params": "raise"},
        }
        client = house.client(select, providers={"anthropic": provider}, roles=roles)
        with client:
            server.replies += [Reply(status=400, body=refusal)]
            response = client.run("chat", HELLO)
        with LLMClient(house.path, environ=lambda: house.environ) as other:
            server.replies += [Reply(status=400, body=refusal)]
            with pytest.raises(ProviderError, match="deprecated"):
                other.run("strict", HELLO, {"temperature": 0.2})
    assert response.content == "claude-sonnet-5 heard: Hello"
    assert response.dropped_params == ("temperature",)


@pytest.mark.parametrize("names", [PROVIDERS, ("anthropic",)])
def test_what_openrouter_says_of_a_model_counts_whoever_is_selected_from(
    house: House, names: tuple[str, ...]
) -> None:
    """Anthropic does not say whether its models call tools; the policy believes OpenRouter."""
    path = house.folder / "policy.yaml"
    policy = yaml.safe_load(path.read_text(encoding="utf-8"))
    policy["defaults"] = {"facts": ["openrouter"]}
    path.write_text(yaml.safe_dump(policy), encoding="utf-8")
    house.apply()
    select = {"family": "claude-sonnet", "from": ["anthropic"], "where": {"tools": True}}
    with house.client(select, *names) as client:
        assert client.resolve("chat").model == "claude-sonnet-5"


def refusing(house: House, fault: CallFault, guards: dict[str, object], **rule: object) -> None:
    """What `apply` keeps where the newest gpt is listed and refuses to be called."""
    policy = {
        "providers": house.sim.provider_policy("openai"),
        "allow": [{"match": "gpt-*", "from": ["openai"], **rule}],
        "aliases": {"work": {"family": "gpt"}},
        "guards": guards,
    }
    (house.folder / "policy.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
    house.environ["ORCH_AUTH_OPENAI_API_KEY"] = house.environ["OPENAI_API_KEY"]
    house.sim.set_rows("openai", undated("gpt-7", "gpt-8"))
    house.sim.fault_calls("openai", fault, "gpt-8")
    house.apply()


GPT = {"family": "gpt", "from": ["openai"]}


@pytest.mark.parametrize(
    ("guards", "rule"), [({"trial": "aliases"}, {}), ({"trial": "all"}, {"newest": 1})]
)
def test_a_model_that_refused_its_trial_is_passed_over_as_in_plan(
    house: House, guards: dict[str, object], rule: dict[str, object]
) -> None:
    refusing(house, CallFault.NOT_FOUND, guards, **rule)
    calls = len(house.sim.calls())
    with house.client(GPT, "openai") as client:
        resolved = client.resolve("chat")
    assert resolved.model == "gpt-7"
    if guards["trial"] == "aliases":
        assert "openai/gpt-8 came to: not found" in resolved.reason
    assert len(house.sim.calls()) == calls, "nobody is tried"


@pytest.mark.parametrize(
    ("guards", "fault"),
    [
        ({"trial": "off"}, CallFault.NOT_FOUND),
        ({"trial": "aliases"}, CallFault.RATE_LIMITED),
        ({"trial": "aliases", "accept": True}, CallFault.NOT_FOUND),
    ],
)
def test_what_passes_or_is_accepted_or_not_to_be_tried_is_no_refusal(
    house: House, guards: dict[str, object], fault: CallFault
) -> None:
    accepted = guards.pop("accept", False)
    refusing(house, fault, guards)
    if accepted:
        path = house.folder / "policy.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}accept: [gpt-8]\n", encoding="utf-8")
    with house.client(GPT, "openai") as client:
        assert client.resolve("chat").model == "gpt-8"


def test_a_refusal_counts_for_its_key_and_its_address(house: House) -> None:
    refusing(house, CallFault.NOT_FOUND, {"trial": "aliases"})
    house.environ["ORCH_AUTH_OPENAI_API_KEY"] = "another-key"
    with house.client(GPT, "openai") as client:
        assert client.resolve("chat").model == "gpt-8"
    house.environ["ORCH_AUTH_OPENAI_API_KEY"] = house.environ["OPENAI_API_KEY"]
    elsewhere = {"openai": {"api_base": "http://127.0.0.1:9/v1", "auth_profile": "openai"}}
    with house.client(GPT, providers=elsewhere) as client:
        assert client.resolve("chat").model == "gpt-8"


def test_a_refused_model_is_taken_where_there_is_no_other(house: House) -> None:
    refusing(house, CallFault.NO_CREDIT, {"trial": "aliases"})
    with house.client({"model": "openai/gpt-8"}, "openai") as client:
        resolved = client.resolve("chat")
    assert resolved.model == "gpt-8"
    assert "came to: no credit" in resolved.reason


def test_what_answers_at_responses_only_is_no_refusal_to_the_library(house: House) -> None:
    refusing(house, CallFault.WRONG_ENDPOINT, {"trial": "aliases"})
    (state,) = (house.folder / ".rollcall").rglob("state.json")
    text = state.read_text(encoding="utf-8")
    words = "This model is not supported in the v1/chat/completions endpoint."
    assert words in text
    with house.client(GPT, "openai") as client:
        assert client.resolve("chat").model == "gpt-7", "it answers nowhere"
    state.write_text(text.replace(words, AT_RESPONSES), encoding="utf-8")
    with house.client(GPT, "openai") as client:
        assert client.resolve("chat").model == "gpt-8"
