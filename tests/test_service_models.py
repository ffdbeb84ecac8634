"""/v1/models as clients see it: LiteLLM's list, in its shape, with what rollcall knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollcall.service.app import create_app
from tests.service.fake_litellm import KEY, NAMES, FakeLiteLLM
from tests.service.samples import INVENTORY, options
from tests.service.serving import address, client, serving


@pytest.fixture(scope="module")
def litellm() -> Iterator[FakeLiteLLM]:
    with FakeLiteLLM() as fake:
        fake.release.set()
        yield fake


@pytest.fixture(scope="module")
def http(litellm: FakeLiteLLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("service")
    app = create_app(options(litellm.url, folder=folder), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url, x_api_key=KEY) as http:
        yield http


def rows_of(reply: httpx.Response, key: str = "data") -> dict[str, dict[str, Any]]:
    """The rows of a list by id."""
    return {row.get("id") or row.get("slug") or row["model_name"]: row for row in reply.json()[key]}


def test_the_list_keeps_litellm_s_rows_order_and_shape(http: httpx.Client) -> None:
    reply = http.get("/v1/models")
    assert [row["id"] for row in reply.json()["data"]] == list(NAMES)
    assert reply.json()["object"] == "list"
    row = reply.json()["data"][1]
    assert (row["object"], row["created"], row["owned_by"]) == ("model", 1677610602, "openai")


def test_every_model_says_whether_it_can_be_called_and_what_it_is(http: httpx.Client) -> None:
    rows = rows_of(http.get("/v1/models"))
    sonnet = rows["claude-sonnet-5"]
    assert sonnet["ready"] is True
    assert sonnet["display_name"] == sonnet["name"] == "Claude Sonnet 5"
    assert sonnet["max_input_tokens"] == 1_000_000
    assert sonnet["metadata"]["input_price"] == 3.0
    assert sonnet["metadata"]["capabilities"] == ["tools", "vision"]
    assert rows["default"]["metadata"]["alias_for"] == "claude-sonnet-5"
    gpt = rows["openai/gpt-5.5"]
    assert gpt["ready"] is False
    assert gpt["metadata"]["key_env"] == "OPENAI_API_KEY"
    assert gpt["metadata"]["key_url"] == "https://platform.openai.com/api-keys"


def test_an_alias_the_caller_is_not_shown_stays_out_of_the_metadata(http: httpx.Client) -> None:
    reply = http.get("/v1/models")
    assert rows_of(reply)["claude-sonnet-5"]["metadata"]["aliases"] == ["default"]
    assert "secret-alias" not in reply.text


def test_anthropic_s_shape_is_kept_and_enriched(http: httpx.Client) -> None:
    reply = http.get("/v1/models?limit=1000", headers={"anthropic-version": "2023-06-01"})
    body = reply.json()
    assert (body["first_id"], body["last_id"]) == (NAMES[0], NAMES[-1])
    assert body["data"][1]["type"] == "model"
    assert body["data"][1]["display_name"] == "Claude Sonnet 5"
    assert body["data"][1]["metadata"]["context"] == 1_000_000


def test_codex_gets_its_own_catalogue(http: httpx.Client) -> None:
    rows = rows_of(http.get("/v1/models?client_version=0.159.3"), "models")
    assert rows["claude-sonnet-5"]["ready"] is True


def test_cline_finds_limits_and_prices_in_model_info(http: httpx.Client) -> None:
    for path in ("/model/info", "/v1/model/info"):
        info = rows_of(http.get(path))["claude-sonnet-5"]["model_info"]
        assert info["max_input_tokens"] == 1_000_000
        assert info["input_cost_per_token"] == 3e-06
        assert info["supports_vision"] is True


def test_ready_false_adds_what_a_missing_key_keeps_away(http: httpx.Client) -> None:
    row = rows_of(http.get("/v1/models?ready=false"))["xai/grok-4.6"]
    assert row["ready"] is False
    assert row["metadata"]["key_env"] == "XAI_API_KEY"
    assert row["metadata"]["key_url"] == "https://console.x.ai"


def test_ready_true_leaves_out_what_cannot_be_called(http: httpx.Client) -> None:
    assert set(rows_of(http.get("/v1/models?ready=true"))) == {"default", "claude-sonnet-5"}


@pytest.mark.parametrize(
    "path", ["/v1/models?ready=perhaps", "/v1/models?refresh=", "/v1/models/x?ready=1"]
)
def test_a_parameter_of_ours_that_makes_no_sense_is_refused(http: httpx.Client, path: str) -> None:
    reply = http.get(path)
    assert reply.status_code == 400
    assert "must be true or false" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/",
        "/models",
        "/models/",
        "/v1/models?limit=1000",
        "//v1/models",
        "/v1//models",
        "/v1/v1/models",
        "//v1//v1/models//",
        "//models",
    ],
)
def test_a_base_url_with_a_slash_or_v1_too_many_lists_all_the_same(
    http: httpx.Client, path: str
) -> None:
    reply = http.get(address(http, path))
    assert reply.status_code == 200
    assert len(reply.json()["data"]) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_one_model_is_found_by_name_whatever_is_in_it(http: httpx.Client, name: str) -> None:
    row = http.get(f"/v1/models/{name}").json()
    assert row["id"] == name
    assert "ready" in row


def test_one_model_that_is_not_listed_is_litellm_s_to_answer(http: httpx.Client) -> None:
    reply = http.get("/v1/models/unheard-of")
    assert (reply.status_code, reply.json()) == (404, {"detail": "Not Found"})


def test_a_second_question_is_answered_from_the_cache_with_its_age(
    http: httpx.Client, litellm: FakeLiteLLM
) -> None:
    http.get("/v1/models?team_id=a")
    asked = len(litellm.seen)
    reply = http.get("/v1/models?team_id=a")
    assert reply.headers["x-rollcall-source"] == "cache"
    assert int(reply.headers["age"]) < 10
    assert len(litellm.seen) == asked


def test_an_unchanged_list_is_304(http: httpx.Client) -> None:
    first = http.get("/v1/models")
    again = http.get("/v1/models", headers={"if-none-match": f'W/"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = http.get("/v1/models?ready=true", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200


def test_head_is_get_without_the_body(http: httpx.Client) -> None:
    head, get = http.head("/v1/models"), http.get("/v1/models")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_told_which_one_is_right(http: httpx.Client, method: str) -> None:
    reply = http.request(method, "/v1/models")
    assert reply.status_code == 405
    assert "GET" in reply.headers["allow"]


def test_other_origins_may_not_read_the_answers(http: httpx.Client) -> None:
    for path in ("/v1/models", "/v1/echo"):
        reply = http.get(path, headers={"origin": "https://elsewhere.example"})
        assert not [name for name in reply.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nope", "There is nothing here"),
        ("/v1", "There is nothing here"),
        ("/api/tags", "Ollama's API is not served"),
        ("/api/v1/models", "Ollama's API is not served"),
        ("/v1beta/models", "Gemini's API is not served"),
        ("/openai/deployments/x/chat/completions", "Azure's paths are not served"),
        ("/cursor/chat/completions", "LiteLLM's pass-through paths are not served"),
        ("/key/generate", "LiteLLM's administration is not served"),
        ("/ui/", "LiteLLM's administration is not served"),
    ],
)
def test_what_is_not_served_is_said_with_what_is(http: httpx.Client, path: str, words: str) -> None:
    reply = http.get(path)
    assert reply.status_code == 404
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert words in error["message"]
    assert "under /v1" in error["message"]


def test_a_realtime_session_is_told_to_go_to_litellm(http: httpx.Client) -> None:
    upgrade = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    asked = [("/v1/realtime?model=x", {}), ("/v1/realtime", upgrade), ("/v1/responses", upgrade)]
    for path, headers in asked:
        reply = http.get(path, headers=headers)
        assert reply.status_code == 501
        assert "LiteLLM's own address" in reply.json()["error"]["message"]


PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
    path=st.sampled_from(
        ["/v1/models", "/models", "/model/info", "/v1/models/", "/healthz", "/v1/"]
    )
    | st.text(PRINTABLE, max_size=20).map("/".__add__),
    query=st.dictionaries(
        st.sampled_from(["ready", "refresh", "limit", "client_version", "key", "a b"]),
        st.sampled_from(["true", "false", "1", "", "ü&="]),
    ),
    headers=st.dictionaries(
        st.sampled_from(["anthropic-version", "user-agent", "if-none-match", "x-gateway-client"]),
        st.text(PRINTABLE, max_size=20),
    ),
)
def test_whatever_is_sent_the_answer_is_no_500_and_errors_are_readable(
    http: httpx.Client, method: str, path: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    connection = HTTPConnection(http.base_url.host, http.base_url.port, timeout=20)
    target = f"{path}?{urlencode(query)}"
    connection.request(method, target, headers={**headers, "x-api-key": KEY})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    assert reply.status < 500
    told_in_json = "json" in (reply.getheader("content-type") or "")
    if reply.status >= 400 and content and told_in_json:
        assert {"error", "detail"} & set(json.loads(content))


def test_an_origin_that_was_named_may_read_the_answers(
    litellm: FakeLiteLLM, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chosen = options(litellm.url, folder=tmp_path_factory.mktemp("s"))
    chosen = chosen._replace(cors_origins=("https://chat.example",))
    with (
        serving(create_app(chosen, inventory=lambda: INVENTORY)) as base_url,
        client(base_url, x_api_key=KEY) as http,
    ):
        named, other = {"origin": "https://chat.example"}, {"origin": "https://evil.example"}
        preflight = {"access-control-request-method": "POST"}
        asked = http.options("/v1/chat/completions", headers={**named, **preflight})
        refused = http.options("/v1/chat/completions", headers={**other, **preflight})
        read = http.get("/v1/models", headers=named)
    assert asked.headers["access-control-allow-origin"] == "https://chat.example"
    assert "access-control-allow-origin" not in refused.headers
    assert read.headers["access-control-allow-origin"] == "https://chat.example"
    assert "x-rollcall-source" in read.headers["access-control-expose-headers"]
