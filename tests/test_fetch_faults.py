"""Every provider type under every fault, over real sockets: the right verdict, the others served.

One call per fault: ten kinds of provider misbehave at once, four others answer well beside them.
"""

from __future__ import annotations

import sys
import time
import tracemalloc

import pytest

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.builtin import find_key
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider
from tests.simulator.catalogs import MAIN, NAMES
from tests.simulator.faults import Fault
from tests.simulator.simulator import ELSEWHERE, Simulator
from tests.simulator.spoiled import BAD_IDS, NO_ROWS

FAULTY = (*MAIN, "ollama", "vllm")
HEALTHY = tuple(name for name in NAMES if name not in FAULTY)
MAY_BE_EMPTY = ("ollama", "vllm")
PAGED = ("anthropic", "gemini", "openrouter")

EXPECTED = {
    Fault.REFUSE: Verdict.UNREACHABLE,
    Fault.HANG: Verdict.TIMEOUT,
    Fault.DELAY: Verdict.OK,
    Fault.SLOW_DRIP: Verdict.TIMEOUT,
    Fault.RESET: Verdict.BAD_BODY,
    Fault.TRUNCATED: Verdict.BAD_BODY,
    Fault.HTML: Verdict.BAD_BODY,
    Fault.NOT_JSON: Verdict.BAD_BODY,
    Fault.WRONG_SHAPE: Verdict.BAD_BODY,
    Fault.ERROR_WITH_200: Verdict.HTTP_ERROR,
    Fault.EMPTY: Verdict.EMPTY,
    Fault.UNAUTHORIZED: Verdict.AUTH,
    Fault.FORBIDDEN: Verdict.AUTH,
    Fault.NOT_FOUND: Verdict.HTTP_ERROR,
    Fault.RATE_LIMITED: Verdict.HTTP_ERROR,
    Fault.SERVER_ERROR: Verdict.HTTP_ERROR,
    Fault.UNAVAILABLE_ONCE: Verdict.OK,
    Fault.REDIRECT_ELSEWHERE: Verdict.BAD_BODY,
    Fault.REDIRECT_LOGIN: Verdict.BAD_BODY,
    Fault.GZIP_BOMB: Verdict.TOO_LARGE,
    Fault.HUGE_BODY: Verdict.TOO_LARGE,
    Fault.UTF16: Verdict.OK,
    Fault.NAN_NUMBERS: Verdict.OK,
    Fault.CONTROL_CHARACTERS: Verdict.OK,
    Fault.ECHO_KEY: Verdict.AUTH,
    Fault.REPEATED_CURSOR: Verdict.OK,
}
PATIENCE = 60.0
"""Seconds; only what never answers is bounded closer, so that a slow machine changes nothing."""


def target(sim: Simulator, name: str, timeout_seconds: float = PATIENCE) -> Target:
    environ = sim.environ(*NAMES)
    provider = resolve_provider(name, base_url=sim.url(name), environ={})
    key = find_key(provider, environ)
    return Target(provider, key[1] if key else None, timeout_seconds)


def ask(sim: Simulator, *names: str, timeout_seconds: float = PATIENCE) -> dict[str, Answer]:
    targets = [target(sim, name, timeout_seconds if name in FAULTY else PATIENCE) for name in names]
    answers = ask_all(targets, deadline_seconds=PATIENCE, fetched_at="2026-11-20T10:00:00Z")
    return {answer.provider: answer for answer in answers}


def everything_said(answer: Answer) -> str:
    return "\n".join(
        (answer.detail, *answer.notes, repr(answer), *map(repr, answer.models))
    ) + "".join(page.decode() for page in answer.pages)


def test_every_fault_has_its_verdict() -> None:
    assert set(EXPECTED) == set(Fault)


@pytest.mark.parametrize("fault", Fault)
def test_fault(sim: Simulator, fault: Fault) -> None:
    for name in FAULTY:
        sim.fault(name, fault, seconds=0.05)
    never = fault in (Fault.HANG, Fault.SLOW_DRIP)
    answers = ask(sim, *NAMES, timeout_seconds=0.3 if never else PATIENCE)
    assert tuple(answers) == NAMES, "in the order asked, whoever came first"
    for name in FAULTY:
        answer = answers[name]
        expected = EXPECTED[fault]
        if fault is Fault.EMPTY and name in MAY_BE_EMPTY:
            expected = Verdict.OK
        if fault is Fault.REFUSE and sys.platform == "win32":
            expected = answer.verdict  # Windows tries a closed port for two seconds
        assert answer.verdict is expected, (name, answer.detail)
        assert bool(answer.detail) == answer.verdict.failed
        assert answer.detail.isprintable()
        assert len(answer.detail) < 500
        assert answer.fetched_at == "2026-11-20T10:00:00Z"
        assert sim.key(name) not in everything_said(answer)
        if answer.verdict.failed:
            assert not answer.models
    for name in HEALTHY:
        assert answers[name].verdict is Verdict.OK, (name, answers[name].detail)


def test_a_redirect_carries_nothing_to_another_host(sim: Simulator) -> None:
    for name in FAULTY:
        sim.fault(name, Fault.REDIRECT_ELSEWHERE)
    ask(sim, *FAULTY)
    assert ELSEWHERE not in [name for name, _ in sim.requests]


def test_an_echoed_key_is_not_even_told_in_part(sim: Simulator) -> None:
    for name in FAULTY:
        sim.fault(name, Fault.ECHO_KEY)
    for name, answer in ask(sim, *FAULTY).items():
        said = everything_said(answer)
        for part in (sim.key(name)[:12], sim.key(name)[-8:]):
            assert part not in said, name
        assert "\x1b" not in said


def test_odd_rows_cost_only_themselves(sim: Simulator) -> None:
    good = {name: len(answer.models) for name, answer in ask(sim, *FAULTY).items()}
    for name in FAULTY:
        sim.fault(name, Fault.CONTROL_CHARACTERS)
    for name, answer in ask(sim, *FAULTY).items():
        assert len(answer.models) == good[name]
        assert len(answer.notes) == len(BAD_IDS) + len(NO_ROWS), name
        assert all(note.isprintable() and len(note) < 400 for note in answer.notes)


def test_numbers_that_make_no_sense_are_unknown(sim: Simulator) -> None:
    for name in FAULTY:
        sim.fault(name, Fault.NAN_NUMBERS)
    for answer in ask(sim, *FAULTY).values():
        assert answer.models
        for model in answer.models:
            assert (model.context, model.max_output) == (None, None)
            # Anthropic's dates are texts.
            assert model.released is None or answer.provider == "anthropic"
            assert not model.price.known
            assert model.price.tiers == ()


def test_a_deadline_covers_whole_bodies_and_the_others_still_count(sim: Simulator) -> None:
    for name in ("anthropic", "gemini"):
        sim.fault(name, Fault.HANG)
    sim.fault("openrouter", Fault.SLOW_DRIP)
    started = time.monotonic()
    answers = ask_all(
        [target(sim, name) for name in ("anthropic", "gemini", "openrouter", "xai")],
        deadline_seconds=3,  # enough for xai on a machine that is busy with other things
        fetched_at="",
    )
    # The least any clock allows; the upper bound is generous, 60 s of patience are not.
    assert 2.9 <= time.monotonic() - started < 20
    assert [answer.verdict for answer in answers[:3]] == [Verdict.TIMEOUT] * 3
    assert answers[0].detail == "no complete answer within the deadline of 3 s"
    assert answers[3].verdict is Verdict.OK


def test_a_retry_that_does_not_fit_the_deadline_is_not_made(sim: Simulator) -> None:
    sim.fault("openai", Fault.RATE_LIMITED, seconds=3600)
    sim.fault("gemini", Fault.RATE_LIMITED, seconds=3600)
    answers = ask(sim, "openai", "gemini")
    for answer in answers.values():
        assert answer.verdict is Verdict.HTTP_ERROR
        assert answer.detail == "HTTP 429, asks to wait 3600 s: Rate limit exceeded"
    assert len(sim.requests) == 2


def test_a_retry_waits_as_asked_and_happens_once(sim: Simulator) -> None:
    sim.fault("openai", Fault.RATE_LIMITED, seconds=0.05, times=1)
    sim.fault("gemini", Fault.RATE_LIMITED, seconds=0.05, times=1)
    sim.fault("xai", Fault.SERVER_ERROR)
    sim.fault("deepseek", Fault.RESET, times=1)
    answers = ask(sim, "openai", "gemini", "xai", "deepseek")
    assert [answer.verdict.value for answer in answers.values()] == ["ok", "ok", "http_error", "ok"]
    asked = [name for name, _ in sim.requests]
    assert {name: asked.count(name) for name in answers} == dict.fromkeys(answers, 2)


@pytest.mark.parametrize("fault", [Fault.UNAUTHORIZED, Fault.NOT_FOUND, Fault.HTML, Fault.EMPTY])
def test_what_a_second_try_cannot_help_is_asked_once(sim: Simulator, fault: Fault) -> None:
    sim.fault("xai", fault)
    ask(sim, "xai")
    assert len(sim.requests) == 1


def test_pages_are_followed_to_the_end() -> None:
    with Simulator(largest_page=4, compress=True) as sim:
        paged = ask(sim, *PAGED)
        for name in PAGED:
            assert paged[name].verdict is Verdict.OK
            assert len(paged[name].models) == len(sim.rows(name))
            assert len(paged[name].pages) == -(-len(sim.rows(name)) // 4)
            assert paged[name].notes == ()


def test_a_repeated_cursor_ends_it() -> None:
    with Simulator(largest_page=4) as sim:
        for name in PAGED:
            sim.fault(name, Fault.REPEATED_CURSOR)
        for name, answer in ask(sim, *PAGED).items():
            assert answer.verdict is Verdict.OK
            assert len(answer.pages) == 2, name
            assert answer.partial == "its pages go in a circle; the rest was not read"


def test_pages_without_end_are_capped() -> None:
    with Simulator(largest_page=1) as sim:
        (row,) = sim.rows("gemini")[:1]
        assert isinstance(row, dict)
        sim.set_rows("gemini", [{**row, "name": f"models/gemini-{n}"} for n in range(30)])
        answer = ask(sim, "gemini")["gemini"]
        assert (len(answer.pages), len(answer.models)) == (20, 20)
        assert answer.partial == "it has more than 20 pages; the rest was not read"


@pytest.mark.parametrize("fault", [Fault.GZIP_BOMB, Fault.HUGE_BODY])
def test_a_huge_answer_never_fills_the_memory(sim: Simulator, fault: Fault) -> None:
    sim.fault("openrouter", fault)
    ask(sim, "openrouter")  # builds what the simulator itself keeps
    tracemalloc.start()
    try:
        assert ask(sim, "openrouter")["openrouter"].verdict is Verdict.TOO_LARGE
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024 * 1024, "the bound is 30 MB; the bomb holds a gigabyte"
