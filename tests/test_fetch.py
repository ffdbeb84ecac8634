"""Asking: keys, order, observers, stored bodies, and where it can be called from."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
import respx

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.answers import stored_answer
from rollcall.providers.builtin import BUILTIN, Provider, find_key
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider
from tests.platforms import not_on_windows
from tests.simulator.catalogs import MAIN
from tests.simulator.faults import Fault
from tests.simulator.simulator import Simulator

AT = "2026-11-20T10:00:00Z"


def targets(sim: Simulator, *names: str) -> list[Target]:
    found = []
    for name in names or MAIN:
        provider = resolve_provider(name, base_url=sim.url(name), environ={})
        key = find_key(provider, sim.environ(name))
        found.append(Target(provider, key[1] if key else None, 30))
    return found


def ask(*asked: Target, deadline_seconds: float = 30) -> tuple[Answer, ...]:
    return ask_all(asked, deadline_seconds=deadline_seconds, fetched_at=AT)


class Diary:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.settled: list[str] = []

    def asking(self, provider: str) -> None:
        self.asked.append(provider)

    def answered(self, answer: Answer) -> None:
        self.settled.append(answer.provider)


def test_all_are_asked_at_once(sim: Simulator) -> None:
    for name in MAIN:
        sim.fault(name, Fault.HANG)
    ask(*targets(sim), deadline_seconds=1)
    assert {name for name, _ in sim.requests} == set(MAIN), "nobody waits for another's answer"


def test_all_eight_answer_in_order(sim: Simulator) -> None:
    diary = Diary()
    for name in MAIN:
        sim.fault(name, Fault.DELAY, seconds=0.1)
    answers = ask_all(targets(sim), deadline_seconds=30, fetched_at=AT, observer=diary)
    assert [answer.provider for answer in answers] == list(MAIN) == diary.asked
    assert {answer.verdict for answer in answers} == {Verdict.OK}
    assert sorted(diary.settled) == sorted(MAIN)
    for answer in answers:
        assert len(answer.models) == len(sim.rows(answer.provider))
        assert answer.elapsed_ms >= 50
        assert (answer.fetched_at, answer.detail, answer.offline) == (AT, "", False)


def test_nobody_to_ask() -> None:
    assert ask() == ()


def test_stored_bodies_give_the_same_answer(sim: Simulator) -> None:
    for target, answer in zip(targets(sim), ask(*targets(sim)), strict=True):
        stored = stored_answer(target.provider, answer.pages, fetched_at=AT)
        assert stored.models == answer.models
        assert stored.verdict is Verdict.OK
        assert stored.offline


@pytest.mark.parametrize(
    ("pages", "verdict"),
    [
        ([b""], Verdict.BAD_BODY),
        ([b"<html>"], Verdict.BAD_BODY),
        ([b'{"data":[]}'], Verdict.EMPTY),
        ([b'{"data":[5,6]}'], Verdict.BAD_BODY),
        ([b'{"data":[{"id":"a"}]}', b'{"data":7}'], Verdict.BAD_BODY),
        ([], Verdict.EMPTY),
    ],
)
def test_stored_bodies_that_went_bad(pages: list[bytes], verdict: Verdict) -> None:
    answer = stored_answer(BUILTIN["openai"], pages, fetched_at=AT)
    assert (answer.verdict, answer.models) == (verdict, ())
    assert answer.detail


def test_openrouter_without_a_key_is_asked_for_display_only(sim: Simulator) -> None:
    (target,) = targets(sim, "openrouter")
    (answer,) = ask(Target(target.provider, None, 30))
    assert answer.verdict is Verdict.NO_KEY
    assert len(answer.models) == len(sim.rows("openrouter"))
    assert [request.path for _, request in sim.requests] == ["/api/v1/models"]
    sim.fault("openrouter", Fault.SERVER_ERROR)
    (answer,) = ask(Target(target.provider, None, 30))
    assert (answer.verdict, answer.models) == (Verdict.NO_KEY, ())


def test_a_wrong_key_is_auth_in_every_dialect(sim: Simulator) -> None:
    wrong = [Target(target.provider, "wrong-key-0123456789", 30) for target in targets(sim)]
    for answer in ask(*wrong):
        assert answer.verdict is Verdict.AUTH, answer
        assert "wrong" not in answer.detail
    qwen = next(answer for answer in ask(*wrong) if answer.provider == "qwen")
    assert qwen.detail.endswith("set DASHSCOPE_API_BASE to yours.")


@pytest.mark.parametrize("key", ["with space", "new\nline", "zoë-0123456789", "tab\t0123456789"])
def test_a_key_that_fits_no_header_is_auth_not_a_crash(sim: Simulator, key: str) -> None:
    (target,) = targets(sim, "xai")
    (answer,) = ask(Target(target.provider, key, 30))
    assert answer.verdict is Verdict.AUTH
    assert key not in answer.detail
    assert sim.requests == []


def stranger(base_url: str) -> Provider:
    """As LiteLLM's variables may hold it: not checked by the policy."""
    return resolve_provider("openai", environ={"OPENAI_BASE_URL": base_url})


@pytest.mark.parametrize(
    "base_url",
    ["no-scheme.example/v1", "ftp://h/v1", "http://", "http://h:99999/v1", "http://[/v1"],
)
def test_an_address_that_is_none_is_unreachable_not_a_crash(base_url: str) -> None:
    (answer,) = ask(Target(stranger(base_url), "key-0123456789", 5))
    assert answer.verdict is Verdict.UNREACHABLE
    assert answer.detail


def test_a_missing_v1_is_guessed_at(sim: Simulator) -> None:
    provider = stranger(sim.url("openai").removesuffix("/v1"))
    (answer,) = ask(Target(provider, sim.key("openai"), 30))
    assert answer.verdict is Verdict.HTTP_ERROR
    assert "does it lack /v1?" in answer.detail


@pytest.mark.parametrize(
    ("status", "headers", "body", "verdict"),
    [
        (401, {"content-encoding": "br"}, b"\x8b\x02\x80", Verdict.AUTH),
        (500, {}, b"x" * 1_000_000, Verdict.HTTP_ERROR),
        (200, {"content-encoding": "br"}, b"\x8b\x02\x80", Verdict.BAD_BODY),
    ],
)
def test_an_error_counts_by_its_status_whatever_its_body(
    status: int,
    headers: dict[str, str],
    body: bytes,
    verdict: Verdict,
    respx_mock: respx.MockRouter,
) -> None:
    respx_mock.get("http://far.example/v1/models").mock(
        return_value=httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))
    )
    (answer,) = ask(Target(stranger("http://far.example/v1"), "key-0123456789", 30))
    assert answer.verdict is verdict
    assert len(answer.detail) < 400


def test_secrets_of_others_are_redacted_too(sim: Simulator) -> None:
    secret = "a-master-key-987654321"
    (target,) = targets(sim, "openai")
    rows = [{"id": "gpt-9", "name": f"say {secret}"}, {"id": f"x-{secret}"}]
    sim.set_rows("openai", rows)
    (answer,) = ask_all([target], deadline_seconds=30, fetched_at=AT, secrets=[secret])
    assert secret not in repr(answer) + repr(answer.models) + repr(answer.pages)
    assert answer.models[0].display_name == "say [redacted]"


def test_it_works_inside_a_running_loop(sim: Simulator) -> None:
    async def inside() -> tuple[Answer, ...]:
        return ask(*targets(sim, "xai", "gemini"))

    assert [answer.verdict for answer in asyncio.run(inside())] == [Verdict.OK] * 2


def test_it_works_in_a_thread(sim: Simulator) -> None:
    found: list[Answer] = []
    worker = threading.Thread(target=lambda: found.extend(ask(*targets(sim))))
    worker.start()
    worker.join()
    assert len(found) == len(MAIN)


def test_a_name_server_that_hangs_does_not_hold_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop would wait for its look-up threads when it closes."""
    done = threading.Event()
    real = socket.getaddrinfo

    def hanging(host: object, *rest: object, **more: object) -> object:
        if host not in ("hangs.example", b"hangs.example"):
            return real(host, *rest, **more)  # type: ignore[arg-type]  # passed on as it came
        done.wait(30)
        raise socket.gaierror("never")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    started = time.monotonic()
    try:
        (answer,) = ask(Target(stranger("http://hangs.example/v1"), "key-0123456789", 0.2))
        assert time.monotonic() - started < 10
    finally:
        done.set()
    assert answer.verdict is Verdict.TIMEOUT


def test_proxies_are_for_others_than_loopback(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    (near,) = ask(*targets(sim, "xai"))
    assert near.verdict is Verdict.OK
    (far,) = ask(Target(stranger("http://far.example/v1"), "key-0123456789", 30))
    assert far.verdict in (Verdict.UNREACHABLE, Verdict.TIMEOUT)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    ("name", "value"), [("SSL_CERT_FILE", "missing.pem"), ("HTTPS_PROXY", "ftp://proxy.example")]
)
def test_a_broken_environment_is_said_and_nobody_is_asked_unsafely(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    (answer,) = ask(Target(BUILTIN["openai"], "key-0123456789", 5))
    assert answer.verdict is Verdict.UNREACHABLE
    assert "cannot be used" in answer.detail


def test_loopback_needs_no_certificates(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "missing.pem")
    assert [answer.verdict for answer in ask(*targets(sim, "xai"))] == [Verdict.OK]


def test_a_certificate_nobody_vouches_for_is_refused() -> None:
    """A server that speaks no TLS at all is the cheapest one that is not trusted."""
    with Simulator() as sim:
        base_url = sim.url("openai").replace("http://", "https://")
        (answer,) = ask(Target(stranger(base_url), sim.key("openai"), 30))
        assert answer.verdict is Verdict.UNREACHABLE
        assert sim.requests == []


HEAVY = ("rich", "click", "httpx._main", "typer", "ruamel.yaml", "litellm")


@pytest.mark.parametrize("first", ["", "import httpx\n"])
def test_what_asking_imports(sim: Simulator, first: str) -> None:
    """httpx without its command line, unless somebody had it before."""
    script = f"""{first}
import json, sys
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider
provider = resolve_provider("xai", base_url={sim.url("xai")!r}, environ={{}})
(answer,) = ask_all([Target(provider, {sim.key("xai")!r}, 30)], deadline_seconds=30, fetched_at="")
print(json.dumps([answer.verdict, sorted(sys.modules)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    verdict, modules = json.loads(done.stdout)
    assert verdict == "ok"
    if not first:
        assert not set(HEAVY) & set(modules)


def test_imports_of_ours_take_nobody_s_time(sim: Simulator) -> None:
    """A scanner may read along with each of them: here, each takes a minute by the clock."""
    told = [(name, sim.url(name), sim.key(name)) for name in MAIN]
    script = f"""
import importlib, json, sys, time
clock, minutes = time.monotonic, []

class Slow:
    def find_spec(self, name, *where):
        minutes.append(name)

time.monotonic = lambda: clock() + 60 * len(minutes)
from rollcall import startup
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider
targets = [
    Target(resolve_provider(name, base_url=url, environ={{}}), key, 30)
    for name, url, key in {told!r}
]
sys.meta_path.insert(0, Slow())
answers = ask_all(
    targets, deadline_seconds=30, fetched_at="", meanwhile=startup.while_waiting()
)
print(json.dumps([len(minutes), [[one.verdict, one.detail] for one in answers]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    minutes, said = json.loads(done.stdout)
    assert minutes > 10
    assert said == [["ok", ""]] * len(MAIN)


@not_on_windows("no POSIX signals")
def test_ctrl_c_ends_it_at_once(sim: Simulator) -> None:
    sim.fault("xai", Fault.HANG)
    script = f"""
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider
provider = resolve_provider("xai", base_url={sim.url("xai")!r}, environ={{}})
try:
    ask_all([Target(provider, {sim.key("xai")!r}, 60)], deadline_seconds=60, fetched_at="")
except KeyboardInterrupt:
    print("interrupted")
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        while not sim.requests:  # until it has asked
            assert process.poll() is None
            time.sleep(0.01)
        started = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert said == "interrupted\n"
    assert time.monotonic() - started < 10
