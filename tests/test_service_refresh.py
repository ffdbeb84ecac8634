"""`?refresh=true`: the providers are asked anew, one run at a time, at most once a minute."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from rollcall.errors import RollcallError
from rollcall.service.app import create_app
from rollcall.service.inventory_source import Refreshed, Refresher
from tests.service.fake_litellm import KEY, FakeLiteLLM
from tests.service.samples import INVENTORY, options
from tests.service.serving import client, serving


@pytest.fixture
def litellm() -> Iterator[FakeLiteLLM]:
    with FakeLiteLLM() as fake:
        yield fake


def test_it_asks_and_shows_what_came_of_it(litellm: FakeLiteLLM) -> None:
    runs: list[int] = []

    def refresh() -> None:
        runs.append(1)

    app = create_app(options(litellm.url), inventory=lambda: INVENTORY, refresh=refresh)
    with serving(app) as base_url, client(base_url, x_api_key=KEY) as http:
        first = http.get("/v1/models?refresh=true")
        second = http.get("/v1/models?refresh=true")
    assert first.headers["x-rollcall-refresh"] == "done"
    assert second.headers["x-rollcall-refresh"] == "too_soon"
    assert second.status_code == 200
    assert len(runs) == 1


@pytest.mark.parametrize("key", ["", "sk-wrong"])
def test_nobody_without_a_good_key_can_make_it_ask(litellm: FakeLiteLLM, key: str) -> None:
    def refresh() -> None:
        raise AssertionError("asked")

    app = create_app(options(litellm.url), inventory=lambda: INVENTORY, refresh=refresh)
    with serving(app) as base_url, client(base_url, x_api_key=key) as http:
        reply = http.get("/v1/models?refresh=true")
    assert reply.status_code == 401
    assert "x-rollcall-refresh" not in reply.headers


def test_without_a_way_to_ask_it_says_so(litellm: FakeLiteLLM) -> None:
    app = create_app(options(litellm.url), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url, x_api_key=KEY) as http:
        assert http.get("/v1/models?refresh=true").headers["x-rollcall-refresh"] == "off"


@pytest.mark.parametrize("error", [RollcallError("no"), RuntimeError("a bug")])
def test_a_run_that_fails_fails_nothing_else(error: Exception) -> None:
    def refresh() -> None:
        raise error

    assert asyncio.run(Refresher(refresh).ask_anew()) is Refreshed.FAILED


def test_who_asks_meanwhile_waits_for_the_same_run() -> None:
    runs: list[int] = []
    going = threading.Event()

    def refresh() -> None:
        runs.append(1)
        assert going.wait(10)

    async def story() -> list[Refreshed]:
        refresher = Refresher(refresh)
        waiting = [asyncio.create_task(refresher.ask_anew()) for _ in range(5)]
        await asyncio.sleep(0)
        going.set()
        return await asyncio.gather(*waiting)

    assert set(asyncio.run(story())) == {Refreshed.DONE}
    assert len(runs) == 1


def test_after_a_minute_it_asks_again() -> None:
    runs: list[int] = []
    seconds = 0.0

    async def story() -> None:
        nonlocal seconds
        refresher = Refresher(lambda: runs.append(1), lambda: seconds)
        await refresher.ask_anew()
        seconds = 59.0
        assert await refresher.ask_anew() is Refreshed.TOO_SOON
        seconds = 60.0
        assert await refresher.ask_anew() is Refreshed.DONE

    asyncio.run(story())
    assert len(runs) == 2
