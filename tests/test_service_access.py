"""Who may ask, and with which key LiteLLM is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from rollcall.service.access import Authenticator
from rollcall.service.app import create_app
from tests.service.fake_litellm import KEY, NAMES, OTHER_KEY, FakeLiteLLM
from tests.service.samples import INVENTORY, options
from tests.service.serving import client, serving

TOKEN = "a-token-of-our-own"


@contextmanager
def service(litellm: FakeLiteLLM, **environ: str) -> Iterator[httpx.Client]:
    """A running service, asked without any key."""
    app = create_app(options(litellm.url, environ), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url) as http:
        yield http


def own_tokens(litellm: FakeLiteLLM) -> dict[str, str]:
    """The environment of a service with its own tokens."""
    litellm.release.set()
    return {"ROLLCALL_API_TOKENS": f"{TOKEN}, another-one", "LITELLM_API_KEY": KEY}


BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"x-api-key": TOKEN},
        {"x-api-key": "another-one"},
        {"x-litellm-api-key": TOKEN},
        {"x-litellm-api-key": f"Bearer {TOKEN}"},
        {"x-litellm-api-key": f"bearer {TOKEN}", "authorization": "Bearer sk-ant-oat01-mine"},
    ],
)
def test_a_token_of_ours_admits_in_each_header_clients_use(headers: dict[str, str]) -> None:
    with FakeLiteLLM() as litellm, service(litellm, **own_tokens(litellm)) as http:
        assert http.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"x-api-key": KEY},
        {"x-api-key": ""},
        {"api-key": TOKEN},
        {"x-litellm-api-key": f"Basic {TOKEN}"},
        {"x-litellm-api-key": "sk-ant-oat01-mine"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/v1/models", "/models", "/model/info", "/v1/models/x", "/v1/echo"]
)
def test_without_a_token_of_ours_nothing_is_answered_and_nobody_asked(
    headers: dict[str, str], path: str, served: tuple[FakeLiteLLM, httpx.Client]
) -> None:
    litellm, http = served
    before = [seen for seen in litellm.seen if seen.headers.get("authorization") != f"Bearer {KEY}"]
    reply = http.get(path, headers=headers)
    assert reply.status_code == 401
    assert "claude" not in reply.text
    after = [seen for seen in litellm.seen if seen.headers.get("authorization") != f"Bearer {KEY}"]
    assert after == before


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[FakeLiteLLM, httpx.Client]]:
    with FakeLiteLLM() as litellm:
        chosen = options(litellm.url, own_tokens(litellm), tmp_path_factory.mktemp("s"))
        app = create_app(chosen, inventory=lambda: INVENTORY)
        with serving(app) as base_url, client(base_url) as http:
            yield litellm, http


def test_a_token_of_ours_never_goes_upstream(served: tuple[FakeLiteLLM, httpx.Client]) -> None:
    litellm, http = served
    everywhere = {
        "authorization": f"Bearer {TOKEN}",
        "x-api-key": TOKEN,
        "api-key": TOKEN,
        "x-custom": f"token={TOKEN}",
        "cookie": f"a={TOKEN}",
    }
    http.get("/v1/models?team_id=new", headers=everywhere)
    http.post("/v1/chat/completions", headers=everywhere, json={"model": "x"})
    http.get("/v1/models/unheard-of", headers=everywhere)
    assert len(litellm.seen) >= 3
    for seen in litellm.seen:
        assert TOKEN not in str(seen.headers)
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        assert "x-api-key" not in seen.headers


OTHERS = {
    "api-key": "azure-of-theirs",
    "x-goog-api-key": "google-of-theirs",
    "ocp-apim-subscription-key": "apim-of-theirs",
}


@pytest.mark.parametrize("admitting", ["authorization", "x-api-key"])
def test_other_credentials_beside_a_token_do_not_go_upstream(
    served: tuple[FakeLiteLLM, httpx.Client], admitting: str
) -> None:
    """LiteLLM would take one of them for the key, or hand it to a provider."""
    litellm, http = served
    mine = {"authorization": "Bearer of-theirs", "x-api-key": "of-theirs", **OTHERS}
    mine[admitting] = f"Bearer {TOKEN}" if admitting == "authorization" else TOKEN
    http.post("/v1/echo", headers=mine, content=b"x")
    seen = litellm.seen[-1].headers
    assert "of-theirs" not in str(seen)
    assert seen["authorization"] == f"Bearer {KEY}"
    assert not {"x-api-key", "x-litellm-api-key", *OTHERS} & set(seen)


def test_beside_x_litellm_api_key_a_caller_s_own_sign_in_goes_upstream(
    served: tuple[FakeLiteLLM, httpx.Client],
) -> None:
    """Claude Code with a subscription: its Authorization is for Anthropic, by way of LiteLLM."""
    litellm, http = served
    http.post(
        "/v1/messages",
        headers={"x-litellm-api-key": f"Bearer {TOKEN}", "authorization": "Bearer sk-ant-oat01-me"},
        json={"model": "claude-sonnet-5"},
    )
    seen = litellm.seen[-1].headers
    assert seen["authorization"] == "Bearer sk-ant-oat01-me"
    assert seen["x-litellm-api-key"] == f"Bearer {KEY}"
    assert TOKEN not in str(seen)


def test_a_token_sent_in_both_headers_goes_upstream_in_neither(
    served: tuple[FakeLiteLLM, httpx.Client],
) -> None:
    litellm, http = served
    http.post("/v1/echo", headers={"x-litellm-api-key": TOKEN, **BEARER}, content=b"x")
    assert TOKEN not in str(litellm.seen[-1].headers)
    assert litellm.seen[-1].headers["x-litellm-api-key"] == f"Bearer {KEY}"


@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_without_tokens_x_litellm_api_key_passes_with_what_stands_beside_it(scheme: str) -> None:
    with FakeLiteLLM() as litellm, service(litellm) as http:
        sent = {"x-litellm-api-key": scheme + KEY, "authorization": "Bearer sk-ant-oat01-me"}
        listed = http.get("/v1/models", headers=sent)
        http.post("/v1/messages", headers=sent, json={"model": "x"})
        renewed = {**sent, "authorization": "Bearer sk-ant-oat01-renewed"}
        litellm.stop()
        again = http.get("/v1/models?refresh=true", headers=renewed)
    assert len(listed.json()["data"]) == len(NAMES)
    assert {name: litellm.seen[-1].headers[name] for name in sent} == sent
    assert again.headers["x-rollcall-source"] == "cache", "it is LiteLLM's key that counts"


@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_the_operator_s_key_in_x_litellm_api_key_is_trusted_in_an_outage(scheme: str) -> None:
    with FakeLiteLLM() as litellm, service(litellm, LITELLM_MASTER_KEY=KEY) as http:
        litellm.stop()
        trusted = http.get("/v1/models", headers={"x-litellm-api-key": scheme + KEY})
        beside = {"x-litellm-api-key": "sk-other", "authorization": f"Bearer {KEY}"}
        other = http.get("/v1/models", headers=beside)
    assert trusted.headers["x-rollcall-source"] == "config"
    assert other.status_code == 503, "LiteLLM would look at its own header only"


def test_401_speaks_each_client_s_language(served: tuple[FakeLiteLLM, httpx.Client]) -> None:
    _, http = served
    openai = http.get("/v1/models")
    assert openai.json()["error"]["code"] == "invalid_api_key"
    assert openai.headers["www-authenticate"] == "Bearer"
    anthropic = http.get("/v1/models", headers={"anthropic-version": "2023-06-01"}).json()
    assert anthropic["type"] == "error"
    assert anthropic["error"]["type"] == "authentication_error"
    messages = http.post("/v1/messages", json={}).json()
    assert messages["error"]["type"] == "authentication_error"


def test_without_tokens_every_key_keeps_its_own_list() -> None:
    with FakeLiteLLM() as litellm, service(litellm) as http:
        master = http.get("/v1/models", headers={"authorization": f"Bearer {KEY}"})
        virtual = http.get("/v1/models", headers={"authorization": f"Bearer {OTHER_KEY}"})
        again = http.get("/v1/models", headers={"authorization": f"Bearer {KEY}"})
    assert len(master.json()["data"]) == len(again.json()["data"]) == len(NAMES)
    assert [row["id"] for row in virtual.json()["data"]] == ["default"]
    assert again.headers["x-rollcall-source"] == "cache"


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer sk-wrong"}, {"x-api-key": "sk-wrong"}]
)
@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions"])
def test_litellm_s_odd_answers_to_a_wrong_key_become_401(
    headers: dict[str, str], path: str
) -> None:
    with FakeLiteLLM() as litellm, service(litellm) as http:
        method = "GET" if path == "/v1/models" else "POST"
        reply = http.request(method, path, headers=headers)
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "invalid_api_key"


def test_a_key_litellm_no_longer_accepts_loses_its_list_at_once() -> None:
    with FakeLiteLLM() as litellm, service(litellm) as http:
        http.headers["authorization"] = f"Bearer {KEY}"
        assert http.get("/v1/models").status_code == 200
        litellm.mode = "unauthorized"
        assert http.get("/v1/models?refresh=true").status_code == 401
        litellm.stop()
        assert http.get("/v1/models").status_code == 503


def test_keys_are_not_kept_nor_shown() -> None:
    gate = Authenticator((TOKEN,), KEY, (KEY,))
    caller = gate.admit([(b"x-api-key", TOKEN.encode())])
    assert caller is not None
    assert KEY not in repr(caller)
    passed = Authenticator((), None).admit([(b"authorization", b"Bearer " + KEY.encode())])
    assert passed is not None
    assert KEY not in repr(passed)
    assert KEY.encode() not in passed.identity


def test_one_key_s_identity_is_useless_in_another_process() -> None:
    headers = [(b"authorization", b"Bearer " + KEY.encode())]
    one, other = Authenticator((), None).admit(headers), Authenticator((), None).admit(headers)
    assert one is not None
    assert other is not None
    assert one.identity != other.identity


def test_header_values_cannot_be_shuffled_into_another_caller() -> None:
    gate = Authenticator((), None)
    one = gate.admit([(b"authorization", b"ab"), (b"x-api-key", b"c")])
    other = gate.admit([(b"authorization", b"a"), (b"x-api-key", b"bc")])
    assert one is not None
    assert other is not None
    assert one.identity != other.identity
