"""Lists that page, in every shape, over real sockets: followed to the end, or called partial."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.catalog.model import Verdict
from rollcall.providers.answers import stored_answer
from rollcall.providers.builtin import BUILTIN
from rollcall.providers.network import MAX_PAGES
from tests.gateway import Asked, Gateway, Reply, asking

IDS = [f"acme-{number:02}" for number in range(45)]
SIZE = 20


def rows(start: int) -> list[dict[str, Any]]:
    return [{"id": one} for one in IDS[start : start + SIZE]]


def by_id(parameter: str, *, last_id: bool = True) -> Any:
    """`has_more`, and what stands behind an id by one parameter; others are ignored."""

    def reply(asked: Asked) -> Reply:
        after = asked.query.get(parameter)
        start = IDS.index(after) + 1 if after else 0
        page = rows(start)
        more = start + SIZE < len(IDS)
        named = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if last_id else {}
        return Reply({"object": "list", "data": page, "has_more": more, **named})

    return reply


def by_token(name: str, parameter: str, place: str | None = None) -> Any:
    def reply(asked: Asked) -> Reply:
        start = int(asked.query.get(parameter, "t0")[1:])
        token = f"t{start + SIZE}" if start + SIZE < len(IDS) else None
        where = {place: {name: token}} if place else {name: token}
        return Reply({"data": rows(start), **where})

    return reply


def by_page(asked: Asked) -> Reply:
    page = int(asked.query.get("page", "1"))
    meta = {"page": page, "total_pages": 3, "total": len(IDS)}
    return Reply({"data": rows((page - 1) * SIZE), "meta": meta})


def by_offset(asked: Asked) -> Reply:
    start = int(asked.query.get("offset", "0"))
    where = {"offset": start, "limit": SIZE, "total": len(IDS)}
    return Reply({"data": rows(start), "pagination": where})


def by_next_page(asked: Asked) -> Reply:
    page = int(asked.query.get("page", "1"))
    body = {"data": rows((page - 1) * SIZE), "next_page": page + 1 if page < 3 else None}
    return Reply(body)


def by_cursor(asked: Asked) -> Reply:
    start = int(asked.query.get("cursor", "c0")[1:])
    more = start + SIZE < len(IDS)
    return Reply({"data": rows(start), "has_more": more, "cursor": f"c{start + SIZE}"})


def by_link(form: str) -> Any:
    def reply(asked: Asked) -> Reply:
        start = int(asked.query.get("offset", "0"))
        query = f"?offset={start + SIZE}"
        body: dict[str, Any] = {"data": rows(start)}
        if start + SIZE >= len(IDS):
            return Reply(body | {"next": None, "links": {"next": None}})
        if form == "header":
            link = f'<{asked.path}?offset=0>; rel="prev", <{asked.path}{query}>; rel="next"'
            return Reply(body, headers={"link": link})
        if form == "absolute":
            return Reply(body | {"next": f"http://{asked.headers['host']}{asked.path}{query}"})
        if form == "query":
            return Reply(body | {"next": query})
        return Reply(body | {"_links": {"next": {"href": asked.path + query}}})

    return reply


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("openai", by_id("after")),
        ("openai", by_id("after_id")),
        ("openai", by_id("after", last_id=False)),
        ("anthropic", by_id("after_id")),
        ("anthropic", by_id("after_id", last_id=False)),
        ("xai", by_id("after")),
        ("perplexity", by_id("after")),
        ("openai", by_token("nextPageToken", "pageToken")),
        ("openai", by_token("next_page_token", "page_token")),
        ("openai", by_token("next_cursor", "cursor", "meta")),
        ("openai", by_token("after", "after", "pagination")),
        ("openai", by_token("next", "next")),
        ("openai", by_page),
        ("openai", by_offset),
        ("openai", by_next_page),
        ("openai", by_cursor),
        ("openai", by_link("header")),
        ("openai", by_link("absolute")),
        ("openai", by_link("query")),
        ("openai", by_link("hal")),
        ("openrouter", by_link("header")),
    ],
)
def test_every_way_to_page_is_followed_to_the_end(kind: str, reply: Any) -> None:
    with Gateway(reply) as gateway:
        answer = asking(gateway, kind)
    assert answer.verdict is Verdict.OK
    assert [model.id for model in answer.models] == IDS
    assert (answer.partial, len(answer.pages)) == ("", 3)
    assert {asked.headers.get("authorization") for asked in gateway.asked} == {
        "Bearer gate-key-0123456789"
    }


def ignoring(asked: Asked) -> Reply:
    """Says that there is more, and gives the first page for ever."""
    return Reply({"data": rows(0), "has_more": True, "last_id": IDS[SIZE - 1]})


def broken(status: int, body: Any) -> Any:
    def reply(asked: Asked) -> Reply:
        return Reply(body, status=status) if "after" in asked.query else ignoring(asked)

    return reply


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (ignoring, "in a circle"),
        (broken(400, {"error": {"message": "unknown parameter: after"}}), "page 2: HTTP 400"),
        (broken(500, {}), "page 2: HTTP 500"),
        (broken(200, b"<html>"), "page 2: it is a web page"),
        (broken(200, {"data": 7}), "page 2: 'data' is a number"),
        (lambda _: Reply({"data": [{"id": "a"}, {}], "has_more": True}), "more than these 2"),
        (lambda _: Reply({"data": rows(0), "total": 45}), "lists 20 of its 45 models"),
        (lambda _: Reply({"data": rows(0), "next": "https://evil.example/2"}), "more than these"),
    ],
)
def test_what_cannot_be_had_makes_the_list_partial(reply: Any, says: str) -> None:
    with Gateway(reply) as gateway:
        answer = asking(gateway)
    assert answer.verdict is Verdict.OK
    assert answer.models
    assert says in answer.partial
    assert "gate-key" not in answer.partial
    stored = stored_answer(BUILTIN["openai"], answer.pages)
    assert (stored.verdict, bool(stored.partial)) == (Verdict.OK, True)


def test_pages_without_end_are_partial() -> None:
    def endless(asked: Asked) -> Reply:
        page = int(asked.query.get("page", "1"))
        return Reply({"data": [{"id": f"acme-{page}"}], "page": page, "total_pages": 99})

    with Gateway(endless) as gateway:
        answer = asking(gateway)
    assert len(answer.models) == len(gateway.asked) == MAX_PAGES
    assert answer.partial == "it has more than 20 pages; the rest was not read"


def test_a_single_page_is_whole_whatever_it_says_of_itself() -> None:
    said = {
        "has_more": False,
        "last_id": "a",
        "next": None,
        "nextPageToken": "",
        "total": 1,
        "page": 1,
        "total_pages": 1,
    }
    with Gateway(lambda _: Reply({"data": [{"id": "a"}], **said})) as gateway:
        answer = asking(gateway)
    assert (answer.verdict, answer.partial, len(gateway.asked)) == (Verdict.OK, "", 1)


def test_one_second_try_for_a_provider_not_for_each_of_its_pages() -> None:
    """Each page fails at its first try; the second failure is one too many."""
    tried: set[str] = set()

    def flaky(asked: Asked) -> Reply:
        page = asked.query.get("page", "1")
        if page not in tried:
            tried.add(page)
            return Reply({}, status=503)
        return Reply({"data": [{"id": f"acme-{page}"}], "page": int(page), "total_pages": 3})

    with Gateway(flaky) as gateway:
        answer = asking(gateway)
    assert [asked.query.get("page", "1") for asked in gateway.asked] == ["1", "1", "2"]
    assert "page 2: HTTP 503" in answer.partial


def test_a_gateway_without_a_list_per_key_is_asked_for_its_list() -> None:
    def reply(asked: Asked) -> Reply:
        if asked.path.endswith("/user"):
            return Reply({"detail": "Not Found"}, status=404)
        return Reply({"data": [{"id": "acme/storm-2"}]})

    with Gateway(reply) as gateway:
        answer = asking(gateway, "openrouter", "/api/v1")
        assert [asked.path for asked in gateway.asked] == ["/api/v1/models/user", "/api/v1/models"]
    assert [model.id for model in answer.models] == ["acme/storm-2"]


@pytest.mark.parametrize("status", [401, 500])
def test_only_what_is_not_there_is_asked_elsewhere(status: int) -> None:
    with Gateway(lambda _: Reply({"error": "no"}, status=status)) as gateway:
        answer = asking(gateway, "openrouter", "/api/v1")
    assert answer.verdict.failed
    assert {asked.path for asked in gateway.asked} == {"/api/v1/models/user"}
