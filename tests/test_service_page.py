"""The page for people: what it shows, to whom, and what cannot get onto it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.inspect.clients import sample_calls
from rollcall.inspect.inventory import Inventory, ModelRow
from rollcall.plan.guards import HeldChange
from rollcall.plan.last_days import LastDay
from rollcall.service.app import create_app
from rollcall.service.cache import Health
from rollcall.service.model_list import KnownModels
from rollcall.service.page import OPEN_ROWS, Filter, Show, ago, make_page, read_filter
from rollcall.service.page_routes import render_page, shown_price, shown_tokens
from rollcall.store.state import ProviderState, RunRecord
from tests.service.samples import GPT, GROK, INVENTORY, NOW, SONNET, options
from tests.service.serving import client, serving

TOKEN = "a-token-of-our-own"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    chosen = options(NOWHERE, folder=tmp_path_factory.mktemp("s"))
    app = create_app(chosen, inventory=lambda: INVENTORY, now=lambda: NOW)
    with serving(app) as base_url, client(base_url) as http:
        yield http


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("s")
    chosen = options(NOWHERE, {"ROLLCALL_API_TOKENS": TOKEN}, folder)
    app = create_app(chosen, inventory=lambda: INVENTORY, now=lambda: NOW)
    with serving(app) as base_url, client(base_url) as http:
        yield http


def test_it_shows_what_is_available_and_how_to_get_the_rest(http: httpx.Client) -> None:
    text = http.get("/").text
    for shown in (
        "claude-sonnet-5",
        "Claude Sonnet 5",
        "1M",
        "$3.00 / $15.00",
        "OPENAI_API_KEY",
        "https://platform.openai.com/api-keys",
        "1 hour ago",
        "Stale since 2 days ago",
        "no answer in 2 s",
        "1 added",
        "leads nowhere",
    ):
        assert shown in text
    assert "grok" not in text


@pytest.mark.parametrize(
    ("query", "present", "absent"),
    [
        ("?q=sonnet", "openai/gpt-5.5", None),
        ("?show=key", "grok-4.6", "claude-sonnet-5"),
        ("?show=ready", "claude-sonnet-5", "openai/gpt-5.5"),
        ("?show=all&provider=xai", "grok-4.6", "claude-sonnet-5"),
        ("?q=vision", "claude-sonnet-5", "openai/gpt-5.5"),
        ("?q=DEFAULT", "claude-sonnet-5", "openai/gpt-5.5"),
        ("?show=nonsense", "claude-sonnet-5", "grok-4.6"),
    ],
)
def test_filters(http: httpx.Client, query: str, present: str, absent: str | None) -> None:
    text = http.get("/" + query).text
    models = text.split('id="found"')[1].split('id="providers"')[0]
    if query == "?q=sonnet":
        assert present not in models
        assert "claude-sonnet-5" in models
        return
    assert present in models
    assert absent is None or absent not in models


def test_nothing_from_elsewhere_and_nothing_inline_may_run(http: httpx.Client) -> None:
    reply = http.get("/")
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "<style" not in reply.text
    assert "style=" not in reply.text
    assert reply.text.count("<script") == 1
    for asset in ("page.css", "page.js", "icon.svg"):
        assert http.get(f"/static/{asset}").status_code == 200
        assert "http" not in http.get(f"/static/{asset}").text.replace("http://www.w3.org/", "")
    assert http.get("/static/..%2fapp.py").status_code == 404


def test_a_static_file_is_not_sent_twice(http: httpx.Client) -> None:
    etag = http.get("/static/page.css").headers["etag"]
    assert http.get("/static/page.css", headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4001", "127.0.0.1.evil.example", "[", ""]
)
def test_no_web_page_reaches_it_through_a_name_of_its_own(http: httpx.Client, host: str) -> None:
    reply = http.get("/", headers={"host": host})
    assert reply.status_code == 403
    assert "sonnet" not in reply.text


def test_without_tokens_it_is_closed_to_other_machines() -> None:
    app = create_app(options(NOWHERE)._replace(host="0.0.0.0"), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url) as http:
        reply = http.get("/")
    assert reply.status_code == 403
    assert "ROLLCALL_API_TOKENS" in reply.text
    assert "sonnet" not in reply.text


def test_with_tokens_it_asks_for_one(closed: httpx.Client) -> None:
    reply = closed.get("/")
    assert reply.status_code == 401
    assert "sonnet" not in reply.text
    assert closed.get("/", headers={"x-api-key": TOKEN}).status_code == 200


def test_signing_in_and_out(closed: httpx.Client) -> None:
    wrong = closed.post("/sign-in", data={"token": "guess"})
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    right = closed.post("/sign-in", data={"token": TOKEN})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    assert "claude-sonnet-5" in closed.get("/").text
    assert closed.get("/v1/models").status_code == 401, "the cookie opens the page only"
    closed.post("/sign-out")
    assert closed.get("/").status_code == 401


def test_a_cookie_of_another_process_opens_nothing(closed: httpx.Client) -> None:
    reply = closed.get("/", headers={"cookie": "rollcall_session=" + "0" * 64})
    assert reply.status_code == 401


def test_an_endless_sign_in_is_cut_short(closed: httpx.Client) -> None:
    assert closed.post("/sign-in", content=b"token=" + b"x" * 100_000).status_code == 401


class _Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(" ".join([tag, *sorted(name for name, _ in attrs)]))
        self.links += [value or "" for name, value in attrs if name == "href"]


HOSTILE = st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "{{ 7 * 7 }}{% for x in y %}",
        "\x1b[31mred\x00\r\n",
        "\u202eesrever",
        "&lt;b&gt;",
        "x" * 10_000,
        "]]><!--",
    ]
) | st.text(max_size=20)


def page_of(text: str) -> str:
    """The page of an inventory made of one text."""
    fields = {
        "name": text,
        "provider": text,
        "id": text,
        "display_name": text,
        "family": text,
        "stage": text,
        "reason": text,
        "key_env": text,
        "key_url": "javascript:alert(1)" if len(text) % 2 else "https://" + text,
        "capabilities": (text,),
        "aliases": (text,),
    }
    rows = tuple(row.model_copy(update=fields) for row in (SONNET, GPT, GROK))
    run = RunRecord(at=text, command=text, outcome=text, summary=text, changes=[text])
    state = ProviderState(verdict="no_key", detail=text, last_good=text, stale_since=text)
    inventory = Inventory(
        rows=rows, aliases={text: (text, True)}, providers={text: state}, runs=(run,)
    )
    page = make_page(KnownModels(inventory), Filter(show=Show.ALL), NOW, text)
    return render_page(page, upstream=Health(answers=False, reason=text), can_sign_out=True)


def elements_of(text: str) -> _Elements:
    """What a browser makes of it."""
    parsed = _Elements()
    parsed.feed(text)
    return parsed


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
def test_no_name_becomes_an_element_or_a_link(text: str) -> None:
    plain, hostile = elements_of(page_of("ab")), elements_of(page_of("ab" + text + "c" * 1))
    links = {link for link in hostile.links if not link.startswith(("https://ab", "/", "#"))}
    assert links == set()
    without_links = [each for each in hostile.elements if not each.startswith("a href rel")]
    assert without_links == [each for each in plain.elements if not each.startswith("a href rel")]


def test_control_characters_and_endless_names_do_not_reach_the_page() -> None:
    text = page_of("\x1b[2J\u202e" + "x" * 10_000)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text) < 80_000


def test_the_query_is_shown_back_escaped(http: httpx.Client) -> None:
    text = http.get("/", params={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (None, "never"),
        ("2026-11-20T11:59:30Z", "just now"),
        ("2026-11-20T11:59:00+00:00", "1 minute ago"),
        ("2026-11-20T09:00:00", "3 hours ago"),
        ("2026-11-10T09:00:00Z", "10 days ago"),
        ("2027-01-01T00:00:00Z", "just now"),
        ("yesterday", "at an unknown time"),
    ],
)
def test_ages_are_words(moment: str | None, words: str) -> None:
    assert ago(moment, datetime(2026, 11, 20, 12, tzinfo=UTC)) == words


def out(count: int, provider: str = "openrouter", **fields: object) -> tuple[ModelRow, ...]:
    """Models that are not in the config."""
    like = GROK.model_copy(update={"provider": provider, "lacks_key": False, **fields})
    return tuple(like.model_copy(update={"id": f"{provider}-{number}"}) for number in range(count))


def text_of(inventory: Inventory, query: str = "", **fields: Any) -> str:
    """The page of an inventory, filtered."""
    wanted = read_filter(dict(parse_qsl(query)))
    page = make_page(KnownModels(inventory), wanted, NOW, **fields)
    return render_page(page, upstream=Health(), can_sign_out=False)


class _Unfolded(HTMLParser):
    """Counts the models that show before anybody unfolds anything."""

    def __init__(self) -> None:
        super().__init__()
        self.folds: list[bool] = []
        self.models = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "details":
            self.folds.append("open" not in dict(attrs))
        elif tag == "tr" and dict(attrs).get("class") in ("ready", "away") and not any(self.folds):
            self.models += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self.folds.pop()


@pytest.mark.parametrize("query", ["show=all", "show=all&provider=openrouter", "show=all&q=router"])
@pytest.mark.parametrize("others", [(), out(40, "xai"), out(3, "anthropic")])
def test_hundreds_of_models_are_folded_and_all_of_them_there(
    query: str, others: tuple[ModelRow, ...]
) -> None:
    text = text_of(Inventory(rows=(*out(400), *others)), query)
    counted = _Unfolded()
    counted.feed(text)
    assert counted.models <= OPEN_ROWS
    assert all(f">openrouter-{number}<" in text for number in range(400))


def test_a_few_models_are_not_folded() -> None:
    counted = _Unfolded()
    counted.feed(text_of(Inventory(rows=(*out(8), *out(OPEN_ROWS - 8, "xai"))), "show=all"))
    assert counted.models == OPEN_ROWS


def test_a_missing_key_is_said_once_for_all_models_of_its_provider() -> None:
    rows = out(30, "xai", lacks_key=True, reason="set XAI_API_KEY")
    text = text_of(Inventory(rows=(*rows, *out(2, reason="denied"))), "show=key")
    assert text.count("XAI_API_KEY") == 1
    assert text.count("https://console.x.ai") == 1
    assert "denied" not in text


def test_a_model_that_is_out_says_why_and_what_it_would_take() -> None:
    rows = out(1, reason="rule 3: newest 1: a stands before it", needs="a larger newest in rule 3")
    text = text_of(Inventory(rows=rows), "show=all")
    assert "rule 3: newest 1: a stands before it" in text
    assert "To have it: a larger newest in rule 3" in text


def test_one_reason_of_a_whole_family_is_said_once() -> None:
    text = text_of(Inventory(rows=out(9, reason="no rule names it")), "show=all")
    assert text.count("no rule names it") == 1


def test_whose_word_a_borrowed_price_is_stands_beside_it() -> None:
    row = SONNET.model_copy(update={"borrowed": {"price": "openrouter/x/y"}})
    assert '$3.00 / $15.00 <small title="OpenRouter&#39;s x/y">OpenRouter&#39;s</small>' in text_of(
        Inventory(rows=(row,))
    )


def test_a_model_whose_last_call_was_refused_says_so() -> None:
    row = SONNET.model_copy(update={"refusal": "denied: not in your plan"})
    assert "last call: denied: not in your plan" in text_of(Inventory(rows=(row,)))


def test_a_borrowed_limit_or_ability_is_marked_with_whose_word_it_is() -> None:
    row = SONNET.model_copy(update={"borrowed": {"context": "litellm 1.110.2", "tools": "a.json"}})
    text = text_of(Inventory(rows=(row,)))
    assert '1M<abbr title="litellm 1.110.2">*</abbr> / 64k' in text
    assert 'tools<abbr title="a.json">*</abbr>' in text


def test_what_is_held_what_leaves_and_what_ends_stands_by_itself() -> None:
    def row(name: str, **fields: object) -> ModelRow:
        return SONNET.model_copy(update={"name": name, "id": name, **fields})

    inventory = Inventory(
        rows=(
            row("going", leaves=date(2026, 11, 29), leaves_because="xai no longer lists it"),
            row("ending", ends=date(2026, 12, 24)),
            row("gone", in_config=False, ends=date(2026, 11, 1)),
            row("later", in_config=False, ends=date(2026, 12, 1)),
        ),
        last_days=(
            LastDay(
                name="ending",
                model="xai/ending",
                ends=date(2026, 12, 24),
                source="xai",
                successor="its-successor",
                follows="admitted",
                aliases=("default",),
            ),
        ),
        held=(
            HeldChange(
                name="cheap",
                change="a -> b",
                reason="the price rises by 80%",
                accept="rollcall apply --accept cheap",
            ),
        ),
    )
    text = text_of(inventory)
    coming = text.split('id="coming"')[1].split('id="models"')[0]
    for said in (
        "held", "a -&gt; b", "the price rises by 80%", "rollcall apply --accept cheap",
        "leaves 2026-11-29", "xai no longer lists it",
        "last day 2026-12-24", "by xai", "its-successor: admitted", "default leads to it",
        "1 retired by their providers", "2026-11-01",
    ):  # fmt: skip
        assert said in coming
    assert "later" not in coming
    assert 'id="coming"' not in text_of(Inventory(rows=(SONNET,)))


def test_aliases_come_first_each_with_calls_to_copy() -> None:
    text = text_of(INVENTORY, base_url="https://llm.example")
    assert text.index('id="aliases"') < text.index('id="models"')
    aliases = unescape(text.split('id="aliases"')[1].split('id="models"')[0])
    assert aliases.index(">default<") < aliases.index(">lost<") < aliases.index(">secret-alias<")
    calls = sample_calls("https://llm.example", "LITELLM_API_KEY", "default")
    assert all(call in aliases for call in calls.values())
    assert "export ANTHROPIC_MODEL='default'" in aliases
    windows = unescape(text_of(INVENTORY, shell="powershell"))
    assert "$env:ANTHROPIC_MODEL = 'default'" in windows


def test_many_aliases_are_folded() -> None:
    aliases = {f"alias-{number}": ("claude-sonnet-5", False) for number in range(20)}
    text = text_of(Inventory(rows=(SONNET,), aliases=aliases))
    assert "8 more aliases" in text


def test_the_calls_name_the_address_the_page_was_opened_at(http: httpx.Client) -> None:
    host = {"host": "localhost:4001"}
    assert "localhost:4001/v1/chat/completions" in http.get("/", headers=host).text
    windows = {**host, "user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}
    assert "$env:ANTHROPIC_MODEL" in http.get("/", headers=windows).text


@pytest.mark.parametrize(
    ("price", "words"),
    [(None, "–"), (0.0, "free"), (0.0045, "$0.0045"), (0.1, "$0.10"), (1234.5, "$1,234.50")],
)
def test_prices_are_said_in_dollars(price: float | None, words: str) -> None:
    assert shown_price(price) == words


@pytest.mark.parametrize(
    ("tokens", "words"),
    [(None, "–"), (0, "0"), (512, "512"), (8192, "8.19k"), (200_000, "200k"), (1_048_576, "1.05M")],
)
def test_limits_are_said_short(tokens: int | None, words: str) -> None:
    assert shown_tokens(tokens) == words
