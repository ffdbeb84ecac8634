"""Every other call goes through to LiteLLM and back, as it is, while it happens."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request

from rollcall.service.app import Service, create_app
from tests.service.fake_litellm import KEY, FakeLiteLLM
from tests.service.samples import INVENTORY, options
from tests.service.serving import address, client, serving

CALL = {"model": "claude-sonnet-5", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def shared() -> Iterator[FakeLiteLLM]:
    with FakeLiteLLM() as fake:
        yield fake


@pytest.fixture
def litellm(shared: FakeLiteLLM) -> Iterator[FakeLiteLLM]:
    shared.reset()
    yield shared
    shared.release.set()


@pytest.fixture(scope="module")
def base_url(shared: FakeLiteLLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    chosen = options(shared.url, folder=tmp_path_factory.mktemp("s"))
    with serving(create_app(chosen, inventory=lambda: INVENTORY)) as base_url:
        yield base_url


@pytest.fixture
def http_client(base_url: str, litellm: FakeLiteLLM) -> Iterator[httpx.Client]:
    with client(base_url, authorization=f"Bearer {KEY}") as http:
        yield http


def test_body_headers_and_query_arrive_as_they_were_sent(
    http_client: httpx.Client, litellm: FakeLiteLLM
) -> None:
    body = gzip.compress(b"anything at all")
    sent = {"x-custom": "kept", "content-encoding": "gzip", "accept-encoding": "br;q=0.5"}
    reply = http_client.post("/v1/echo?a=1&b=%2F", content=body, headers=sent)
    assert reply.json() == {"body": body.decode("latin-1"), "path": "/v1/echo?a=1&b=%2F"}
    seen = litellm.seen[-1]
    assert {name: seen.headers[name] for name in sent} == sent
    assert seen.headers["content-length"] == str(len(body))
    assert seen.headers["host"] == urlsplit(litellm.url).netloc


def test_a_chunked_body_of_unknown_length_arrives_whole(
    http_client: httpx.Client, litellm: FakeLiteLLM
) -> None:
    parts = [b"x" * 70_000 for _ in range(20)]
    reply = http_client.post("/v1/echo", content=iter(parts))
    assert len(reply.json()["body"]) == 1_400_000
    assert litellm.seen[-1].headers["transfer-encoding"] == "chunked"


def test_hop_by_hop_headers_end_here(http_client: httpx.Client, litellm: FakeLiteLLM) -> None:
    http_client.get(
        "/v1/echo",
        headers={
            "connection": "close, x-private",
            "x-private": "1",
            "te": "trailers",
            "proxy-authorization": "Basic xyz",
            "cookie": "rollcall_session=1",
        },
    )
    seen = litellm.seen[-1].headers
    assert not {"x-private", "te", "proxy-authorization", "cookie"} & set(seen)
    assert seen.get("connection") != "close, x-private"


def test_events_arrive_while_the_rest_is_still_being_thought_of(
    http_client: httpx.Client, litellm: FakeLiteLLM
) -> None:
    with http_client.stream("POST", "/v1/chat/completions", json={**CALL, "stream": True}) as reply:
        assert reply.headers["content-type"] == "text/event-stream"
        chunks = reply.iter_raw()
        assert b"hel" in next(chunks)
        litellm.release.set()
        assert b"[DONE]" in b"".join(chunks)


def test_leaving_in_the_middle_of_a_stream_is_passed_on(
    http_client: httpx.Client, litellm: FakeLiteLLM
) -> None:
    with http_client.stream("POST", "/v1/chat/completions", json={**CALL, "stream": True}) as reply:
        next(reply.iter_raw())
    assert litellm.cancelled.wait(10)


def test_leaving_before_the_first_byte_is_passed_on(base_url: str, litellm: FakeLiteLLM) -> None:
    """The upstream says nothing at all; still it learns that nobody waits any more."""
    listener = socket.create_server(("127.0.0.1", 0))
    silent = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(options(silent), inventory=lambda: INVENTORY)
    with serving(app) as url:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        connection.request("POST", "/v1/chat/completions", b"{}", {"authorization": "Bearer k"})
        upstream, _ = listener.accept()
        upstream.settimeout(10)
        assert upstream.recv(65_536).startswith(b"POST /v1/chat/completions")
        connection.close()
        rest = b""
        while chunk := upstream.recv(65_536):
            rest += chunk
        upstream.close()
    listener.close()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../key/generate",
        "/v1/%2e%2e/key/generate",
        "/v1/x/%2E./../key/generate",
        "/v1/..%2fkey/generate",
        "/v1/..%5ckey/generate",
        "/v1/%252e%252e/key/generate",
        "/v1/models/../../key/generate",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_path_climbs_out_of_v1(
    base_url: str, litellm: FakeLiteLLM, path: str, method: str
) -> None:
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.putrequest(method, path, skip_accept_encoding=True)
    connection.putheader("authorization", f"Bearer {KEY}")
    connection.endheaders()
    assert connection.getresponse().status in (400, 404, 405)
    connection.close()
    assert not [seen for seen in litellm.seen if "generate" in seen.path]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/x", "/v1/echo", "/model/info"])
@pytest.mark.parametrize(
    "query", [b"a=" + b"\xc3" * 30_000, b"\xff\xfe", b"a=%00%ff&&=;", b"%zz=%", b'a=\x80[]{}|^`"<>']
)
def test_no_address_is_a_500(base_url: str, litellm: FakeLiteLLM, path: str, query: bytes) -> None:
    parts = urlsplit(base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 20) as connection:
        connection.sendall(
            b"GET %s?%s HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: %s\r\n\r\n"
            % (path.encode(), query, KEY.encode())
        )
        status = connection.makefile("rb").readline().split()[1]
    assert int(status) < 500


def test_bytes_that_are_no_text_keep_their_value(litellm: FakeLiteLLM) -> None:
    """Some HTTP servers let them in; uvicorn's own parser does not."""
    service: Service = create_app(options(litellm.url), inventory=lambda: INVENTORY).state.service
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/echo",
        "raw_path": b"/v1/echo",
        "query_string": b"a=\xff%2F",
        "headers": [(b"x-api-key", KEY.encode())],
    }

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(_: object) -> None:
        return None

    async def story() -> None:
        async with service.running():
            reply = await service.forward(Request(scope))
            await reply(scope, receive, send)

    asyncio.run(story())
    assert litellm.seen[-1].path == "/v1/echo?a=%FF%2F"


def test_litellm_s_administration_is_not_reachable(
    http_client: httpx.Client, litellm: FakeLiteLLM
) -> None:
    for path in ("/key/generate", "/config/update", "/model/new", "/ui", "/v2/login"):
        assert http_client.post(path, json={}).status_code in (404, 405)
    assert litellm.seen == []


def test_errors_come_back_as_litellm_words_them(
    http_client: httpx.Client, litellm: FakeLiteLLM
) -> None:
    litellm.mode = "error"
    reply = http_client.post("/v1/chat/completions", json=CALL)
    assert (reply.status_code, reply.json()) == (500, {"error": "oops"})


def test_a_redirect_is_not_followed(http_client: httpx.Client, litellm: FakeLiteLLM) -> None:
    litellm.mode = "redirect"
    assert http_client.get("/v1/files").status_code == 302


def test_an_upstream_that_breaks_off_is_not_mistaken_for_a_whole_answer(
    http_client: httpx.Client, litellm: FakeLiteLLM
) -> None:
    def read_on() -> None:
        with http_client.stream(
            "POST", "/v1/chat/completions", json={**CALL, "stream": True}
        ) as reply:
            for _ in reply.iter_raw():
                litellm.stop()

    with pytest.raises(httpx.RemoteProtocolError):
        read_on()


@pytest.mark.parametrize(
    "path", ["//v1/echo", "/v1//echo", "/v1/v1/echo", "/v1/echo/", "//v1//v1//echo//"]
)
def test_a_slash_or_v1_too_many_is_mended_in_calls_too(
    http_client: httpx.Client, litellm: FakeLiteLLM, path: str
) -> None:
    url = address(http_client, path + "?a=%2F%2Fb")
    assert http_client.post(url, content=b"x").status_code == 200
    assert litellm.seen[-1].path == "/v1/echo?a=%2F%2Fb"


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings"])
def test_clients_without_v1_in_their_base_url_work_too(
    http_client: httpx.Client, litellm: FakeLiteLLM, path: str
) -> None:
    http_client.post(path, json=CALL)
    assert litellm.seen[-1].path == path
