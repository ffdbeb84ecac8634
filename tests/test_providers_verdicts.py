"""What an answer other than a good list means, as a table; and what a body is."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Verdict
from rollcall.providers.bodies import MAX_BYTES, Inbox, TooLarge, Unreadable, as_utf8, read_json
from rollcall.providers.failures import (
    MAX_MESSAGE,
    classify,
    clipped,
    error_inside,
    message_of,
    one_line,
    wait_of,
)

OPENAI = b'{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}'
XAI = b'{"code":"Client specified an invalid argument","error":"Incorrect API key provided: x"}'
GEMINI = b'{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}'
URL = "http://llm.example:8000/models"
HTML = b"<html><title>401 Authorization Required</title></html>"


@pytest.mark.parametrize(
    ("status", "body", "verdict", "says", "retry"),
    [
        (401, OPENAI, Verdict.AUTH, "HTTP 401): Incorrect API key provided", False),
        (403, b"", Verdict.AUTH, "HTTP 403", False),
        (401, HTML, Verdict.AUTH, "it refuses the key (HTTP 401)", False),
        (401, b"Authentication Fails (governor)", Verdict.AUTH, "Authentication Fails", False),
        (400, XAI, Verdict.AUTH, "Incorrect API key", False),
        (400, GEMINI, Verdict.AUTH, "API key not valid", False),
        (400, b'{"error":"no such field"}', Verdict.HTTP_ERROR, "HTTP 400: no such field", False),
        (402, b'{"error":{"message":"Insufficient balance"}}', Verdict.HTTP_ERROR, "402", False),
        (404, b'{"detail":"Not Found"}', Verdict.HTTP_ERROR, "lack /v1?: Not Found", False),
        (405, b"", Verdict.HTTP_ERROR, "HTTP 405", False),
        (429, b'{"error":{"message":"slow down"}}', Verdict.HTTP_ERROR, "slow down", True),
        (500, HTML, Verdict.HTTP_ERROR, "HTTP 500", True),
        (503, b"", Verdict.HTTP_ERROR, "HTTP 503", True),
        (529, b'{"type":"error","error":{"message":"Overloaded"}}', Verdict.HTTP_ERROR, "O", True),
        (301, b"", Verdict.BAD_BODY, "redirects", False),
        (307, b"", Verdict.BAD_BODY, "not followed", False),
        (204, b"", Verdict.HTTP_ERROR, "HTTP 204", False),
        (206, b"[]", Verdict.HTTP_ERROR, "HTTP 206", False),
    ],
)
def test_classification(status: int, body: bytes, verdict: Verdict, says: str, retry: bool) -> None:
    refusal = classify(status, {}, body, URL)
    assert refusal is not None
    assert (refusal.verdict, refusal.retry) == (verdict, retry)
    assert says in refusal.detail


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://h.example/models", "at https://h.example/models, is the base_url right, does it"),
        ("https://h.example/v1/models", "at https://h.example/v1/models, is the base_url right?"),
        ("https://h.example/v1beta/models?key=x", "https://h.example/v1beta/models, is the base"),
        ("http://u:p@h.example:11434/api/tags", "at http://h.example:11434/api/tags, is the base"),
    ],
)
def test_a_404_names_the_address_and_what_its_base_lacks(url: str, says: str) -> None:
    refusal = classify(404, {}, b"", url)
    assert refusal is not None
    assert says in refusal.detail
    assert ("/v1?" in refusal.detail) == ("/v1" not in url and "api" not in url)


def test_a_good_status_is_no_verdict() -> None:
    assert classify(200, {}, b"anything", URL) is None


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://login.example/signin?key=secret&next=x", "login.example/signin"),
        ("/login?token=secret", " to /login (HTTP 302)"),
        ("http://user:secret@evil.example/", "evil.example/"),
        ("http://[bad?secret", "it redirects (HTTP 302)"),
        ("", "it redirects (HTTP 302)"),
    ],
)
def test_a_redirect_names_the_place_without_its_secrets(location: str, shown: str) -> None:
    refusal = classify(302, {"location": location}, b"", URL)
    assert refusal is not None
    assert shown in refusal.detail
    assert "secret" not in refusal.detail


@pytest.mark.parametrize(
    ("document", "verdict"),
    [
        ({"error": {"message": "Invalid API key", "code": 401}}, Verdict.AUTH),
        ({"error": {"message": "nope", "code": 403}}, Verdict.AUTH),
        ({"error": "overloaded"}, Verdict.HTTP_ERROR),
        ({"error": None, "data": []}, None),
        ({"error": "no list today", "data": []}, Verdict.HTTP_ERROR),
        ({"error": "partly", "data": [{"id": "a"}]}, None),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, Verdict.AUTH),
        (
            {"data": [], "base_resp": {"status_code": 2013, "status_msg": "odd"}},
            Verdict.HTTP_ERROR,
        ),
        ({"base_resp": {"status_code": 0, "status_msg": "success"}, "data": []}, None),
        ({"code": 30001, "message": "balance", "data": None}, Verdict.HTTP_ERROR),
        ({"success": False, "message": "closed"}, Verdict.HTTP_ERROR),
        ({"detail": "Not authenticated: no api key"}, Verdict.AUTH),
        ({"object": "list"}, None),
        ({"data": [], "code": 0, "message": "ok"}, None),
        ({"data": []}, None),
        ([], None),
        (None, None),
    ],
)
def test_an_error_inside_a_200(document: object, verdict: Verdict | None) -> None:
    data = document.get("data") if isinstance(document, dict) else document
    refusal = error_inside(document, len(data) if isinstance(data, list) else None)
    assert (refusal.verdict if refusal else None) is verdict


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (OPENAI, "Incorrect API key provided"),
        (
            b'{"type":"error","error":{"type":"x","message":"invalid x-api-key"}}',
            "invalid x-api-key",
        ),
        (XAI, "Incorrect API key provided: x"),
        (b'{"detail":"Unauthorized"}', "Unauthorized"),
        (b'{"detail":[{"msg":"field required"}]}', "field required"),
        (b'{"code":401,"reason":"Unauthorized","message":"Invalid"}', "Invalid"),
        (b'[{"error":{"message":"in a list"}}]', "in a list"),
        (b"Authentication Fails (governor)", "Authentication Fails (governor)"),
        (HTML, ""),
        (b"", ""),
        (b'{"error":{"message":5}}', ""),
        (b"[" * 100_000, "[" * 4000),
    ],
)
def test_messages_in_every_shape(body: bytes, said: str) -> None:
    assert message_of(body) == said


RETRY_INFO = b'{"error":{"details":[{"@type":"x"},{"retryDelay":"13s"}]}}'
DATE = {"date": "Fri, 20 Nov 2026 10:00:00 GMT", "retry-after": "Fri, 20 Nov 2026 10:00:07 GMT"}


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "2"}, b"", 2.0),
        ({"retry-after": "0.5"}, b"", 0.5),
        (DATE, b"", 7.0),
        ({"retry-after": "Fri, 20 Nov 2026 10:00:07 GMT"}, b"", None),
        ({"retry-after": "soon"}, b"", None),
        ({"retry-after": "-5"}, b"", None),
        ({"retry-after": "inf"}, b"", None),
        ({}, RETRY_INFO, 13.0),
        ({}, b'{"error":{"details":"none"}}', None),
        ({}, b"not json", None),
        ({}, b"", None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    assert wait_of(headers, body) == seconds


@given(st.integers(100, 599), st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_reply_breaks_the_table(status: int, body: bytes) -> None:
    refusal = classify(status, {"location": body.decode("latin-1")}, body, URL)
    assert (refusal is None) == (status == 200)
    line = clipped(one_line(refusal.detail)) if refusal else ""
    assert line.isprintable()
    assert len(line) <= MAX_MESSAGE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_in_any_unicode(encoding: str) -> None:
    text = '{"data":[{"id":"zoë"}]}'
    assert read_json(as_utf8(text.encode(encoding))) == json.loads(text)


def test_a_wrong_charset_costs_a_letter_not_the_reply() -> None:
    body = '{"data":[{"id":"ok","name":"zoë"}]}'.encode("latin-1")
    assert read_json(as_utf8(body)) == {"data": [{"id": "ok", "name": "zo\ufffd"}]}


def test_numbers_that_are_none() -> None:
    body = b'{"a":NaN,"b":-Infinity,"c":1e999,"d":' + b"9" * 5000 + b',"e":7}'
    document = read_json(body)
    assert isinstance(document, dict)
    assert (document["a"], document["b"], document["d"], document["e"]) == (None, None, None, 7)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'{"data":[{"id":"a"},{"i', "ends in the middle"),
        (b"/signin?redirectUrl=%2Fmodels", "not JSON"),
        (b"\x00\x01\x02\x03", "not JSON"),
        (b'{"data":[]}}', "not JSON"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_described(body: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read_json(as_utf8(body))


def test_gzip_in_pieces_and_in_several_members() -> None:
    text = b'{"data": []}' * 1000
    packed = gzip.compress(text) + gzip.compress(b"more")
    inbox = Inbox("gzip")
    for index in range(0, len(packed), 7):
        inbox.take(packed[index : index + 7])
    assert inbox.body() == text + b"more"


def test_gzip_that_ends_in_the_middle_or_is_none() -> None:
    inbox = Inbox("gzip")
    inbox.take(gzip.compress(b"x" * 100_000)[:50])
    with pytest.raises(Unreadable, match="middle"):
        inbox.body()
    with pytest.raises(Unreadable, match="not the gzip"):
        Inbox("x-gzip").take(b"plain text, not packed")
    with pytest.raises(Unreadable, match="not asked for"):
        Inbox("br")


def test_a_bomb_is_never_inflated_past_the_bound() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = bomb.compress(b" " * (MAX_BYTES + (1 << 20))) + bomb.flush()
    with pytest.raises(TooLarge):
        Inbox("gzip").take(packed)
    with pytest.raises(TooLarge):
        Inbox("", room=10).take(b"x" * 11)
