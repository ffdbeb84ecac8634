"""One client's odd question, or one key's refusal, is about that question and that key only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from rollcall.service.app import create_app
from tests.service.fake_litellm import KEY, NAMES, OTHER_KEY, FakeLiteLLM
from tests.service.samples import INVENTORY, options
from tests.service.serving import client, serving

TOKEN = "a-token-of-our-own"
FORBIDDEN = (403, "application/json", b'{"error": {"message": "Virtual key is not allowed"}}')
BROKEN = (500, "application/json", b'{"error": "oops"}')
PAGE = (200, "text/html", b"<html>Sign in</html>")


@pytest.fixture
def litellm() -> Iterator[FakeLiteLLM]:
    with FakeLiteLLM() as fake:
        fake.release.set()
        yield fake


@contextmanager
def service(litellm: FakeLiteLLM, **environ: str) -> Iterator[httpx.Client]:
    """A running service that knows the sample inventory."""
    app = create_app(options(litellm.url, environ), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url) as http:
        yield http


def ask(http: httpx.Client, path: str, key: str = KEY) -> httpx.Response:
    """One question with a key."""
    return http.get(path, headers={"authorization": f"Bearer {key}"})


def well(http: httpx.Client) -> bool:
    """Whether the service says that LiteLLM answers."""
    told = http.get("/healthz").json()
    return told["status"] == "ok" and told["upstream"]["answers"] is True


ANSWERS = {
    "a list where Codex's catalogue was asked for": (
        "/v1/models?client_version=0.159.3",
        b'{"object": "list", "data": [{"id": "a"}]}',
    ),
    "a bare list": ("/v1/models?team_id=a", b'[{"id": "a"}]'),
    "an error with status 200": ("/v1/models?team_id=a", b'{"error": {"message": "no team"}}'),
    "rows under another name": ("/model/info?litellm_model_id=a", b'{"model": {"id": "a"}}'),
    "the plain list in another shape": ("/v1/models", b'{"models": [{"id": "a"}]}'),
}


@pytest.mark.parametrize(("path", "body"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_in_another_format_is_passed_on_and_nobody_else_notices(
    litellm: FakeLiteLLM, path: str, body: bytes
) -> None:
    with service(litellm) as http:
        before = ask(http, "/v1/models", OTHER_KEY)
        litellm.scripted[path] = (200, "application/json", body)
        reply = ask(http, path)
        assert (reply.status_code, reply.content) == (200, body)
        assert reply.headers["x-rollcall-source"] == "litellm"
        assert well(http)
        litellm.scripted.clear()
        after = ask(http, "/v1/models", OTHER_KEY)
        assert after.status_code == 200
        assert after.json() == before.json()
        assert len(ask(http, "/v1/models").json()["data"]) == len(NAMES)


@pytest.mark.parametrize("answer", [BROKEN, PAGE, (404, "application/json", b'{"detail": "no"}')])
@pytest.mark.parametrize("path", ["/v1/models?client_version=1", "/v1/models?scope=expand"])
def test_a_question_litellm_fails_at_gets_its_answer_and_lists_go_on(
    litellm: FakeLiteLLM, path: str, answer: tuple[int, str, bytes]
) -> None:
    litellm.scripted[path] = answer
    with service(litellm) as http:
        reply = ask(http, path)
        assert (reply.status_code, reply.content) == (answer[0], answer[2])
        assert http.get("/healthz").json()["status"] == "ok"
        assert ask(http, "/v1/models", OTHER_KEY).headers["x-rollcall-source"] == "litellm"
        assert ask(http, "/v1/models").headers["x-rollcall-source"] == "litellm"


@pytest.mark.parametrize("own_tokens", [False, True])
def test_a_path_one_key_may_not_ask_is_about_that_path_and_key(
    litellm: FakeLiteLLM, own_tokens: bool
) -> None:
    litellm.scripted["/v1/models?scope=expand"] = FORBIDDEN
    environ = {"ROLLCALL_API_TOKENS": TOKEN, "LITELLM_API_KEY": KEY} if own_tokens else {}
    key = TOKEN if own_tokens else KEY
    with service(litellm, **environ) as http:
        first = ask(http, "/v1/models", key)
        ask(http, "/v1/models?scope=expand", key)
        ask(http, "/model/info", key)
        assert well(http)
        litellm.stop()
        kept = ask(http, "/v1/models?refresh=true", key)
        assert kept.headers["x-rollcall-source"] == "cache"
        assert kept.json() == first.json()


def test_litellm_s_words_about_a_forbidden_question_arrive(litellm: FakeLiteLLM) -> None:
    litellm.scripted["scope=expand"] = FORBIDDEN
    with service(litellm) as http:
        reply = ask(http, "/v1/models?scope=expand")
    assert (reply.status_code, reply.content) == (403, FORBIDDEN[2])


def test_a_slow_question_of_one_leaves_the_others_their_time(litellm: FakeLiteLLM) -> None:
    chosen = options(litellm.url)._replace(upstream_timeout_seconds=5.0)
    app = create_app(chosen, inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url) as http:
        litellm.release.clear()
        litellm.mode = "slow"
        assert ask(http, "/model/info").status_code == 503
        litellm.mode = "ok"
        assert http.get("/healthz").json()["status"] == "ok"
        assert ask(http, "/v1/models").headers["x-rollcall-source"] == "litellm"


def test_nobody_at_litellm_s_address_is_an_outage_whatever_was_asked(
    litellm: FakeLiteLLM,
) -> None:
    with service(litellm) as http:
        litellm.stop()
        assert ask(http, "/v1/models?client_version=1").status_code == 503
        assert http.get("/healthz").json()["status"] == "degraded"


@pytest.mark.parametrize("path", ["/model/info", "/v1/model/info"])
@pytest.mark.parametrize("refusal", [FORBIDDEN, (401, "application/json", b"{}")])
def test_a_key_that_may_only_list_gets_model_info_of_what_it_sees(
    litellm: FakeLiteLLM, path: str, refusal: tuple[int, str, bytes]
) -> None:
    litellm.scripted["/model/info"] = refusal
    with service(litellm) as http:
        reply = ask(http, path)
        rows = {row["model_name"]: row for row in reply.json()["data"]}
        one = ask(http, path, OTHER_KEY).json()["data"]
        assert well(http)
    assert reply.status_code == 200
    assert list(rows) == list(NAMES)
    info = rows["claude-sonnet-5"]["model_info"]
    assert (info["max_input_tokens"], info["input_cost_per_token"]) == (1_000_000, 3e-06)
    assert rows["claude-sonnet-5"]["litellm_params"]["model"] == "anthropic/claude-sonnet-5"
    assert rows["openai/gpt-5.5"]["ready"] is False
    assert [row["model_name"] for row in one] == ["default"], "no more than it sees in the list"


def test_what_litellm_says_in_the_list_is_in_that_model_info(litellm: FakeLiteLLM) -> None:
    row = {"id": "mine", "object": "model", "mode": "responses", "max_output_tokens": 7}
    body = json.dumps({"object": "list", "data": [row]}).encode()
    litellm.scripted.update(
        {"/model/info": FORBIDDEN, "/v1/models": (200, "application/json", body)}
    )
    with service(litellm) as http:
        (row,) = ask(http, "/model/info").json()["data"]
    assert row["model_info"] == {"mode": "responses", "max_output_tokens": 7}


def test_a_wrong_key_is_told_so_at_model_info_too(litellm: FakeLiteLLM) -> None:
    with service(litellm) as http:
        reply = ask(http, "/model/info", "sk-wrong")
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "invalid_api_key"
