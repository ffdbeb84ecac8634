"""Calls from ordinary code: from several threads, after a fork, at the end of the process, and
interrupted; each in a process of its own, against a provider on a real socket.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollcall.runtime.errors import LLMError
from tests.platforms import not_on_windows
from tests.runtime_support import HELLO, KEY, client_of, config_for, simulated, write_config
from tests.simulator.faults import Fault
from tests.simulator.simulator import Simulator

PREAMBLE = """
import asyncio, atexit, os, sys, threading
from rollcall import LLMError, get_llm_client
HELLO = [{"role": "user", "content": "Hello"}]
client = get_llm_client(sys.argv[1])
"""


@contextmanager
def started(path: Path, code: str, key: str = KEY) -> Iterator[subprocess.Popen[str]]:
    """A program that uses the library; warnings are errors there, too."""
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PREAMBLE + code, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "ORCH_AUTH_MAIN_API_KEY": key},
    )
    with program:
        try:
            yield program
        finally:
            program.kill()


def ran(path: Path, code: str) -> str:
    """What such a program prints; it ends by itself, and complains of nothing."""
    with started(path, code) as program:
        out, errors = program.communicate(timeout=60)
    assert (program.returncode, errors) == (0, "")
    return out


def threads_since(before: set[threading.Thread]) -> list[threading.Thread]:
    """The library's threads that were not there before."""
    return [one for one in threading.enumerate() if one.name == "rollcall" and one not in before]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    with simulated("openai") as server:
        yield write_config(tmp_path, config_for("openai", server.url + "/v1"))


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """The file of a provider that takes a call and never answers."""
    with Simulator() as sim:
        sim.fault("openai", Fault.HANG)
        yield write_config(tmp_path, config_for("openai", sim.url("openai")))


def test_a_program_that_closes_nothing_ends_by_itself(path: Path) -> None:
    assert ran(path, "print(client.run('chat', HELLO).content)") == "some-model heard: Hello\n"


def test_with_a_stream_left_half_way_too(path: Path) -> None:
    code = """
pieces = client.stream("chat", HELLO)
print(next(pieces))
"""
    assert ran(path, code) == "some-model\n"


def test_with_a_call_of_a_background_thread_unanswered_too(silent: Path) -> None:
    code = """
asked = threading.Event()
client._environ = lambda: asked.set() or os.environ
def ask():
    try:
        client.run("chat", HELLO)
    except LLMError as error:
        os.write(1, error.what.encode())
threading.Thread(target=ask, daemon=True).start()
asked.wait()
"""
    ran(silent, code)


def test_a_call_at_the_end_of_the_process_is_answered_or_told(path: Path) -> None:
    code = """
def last():
    try:
        print(client.run("chat", HELLO).content)
    except LLMError as error:
        print(error.what)
atexit.register(last)
client.run("chat", HELLO)
"""
    assert ran(path, code).strip()


@not_on_windows("no fork")
def test_after_a_fork_both_processes_call(path: Path) -> None:
    code = """
import warnings; warnings.simplefilter("ignore", DeprecationWarning)
print(client.run("chat", HELLO).content, flush=True)
pieces = client.stream("chat", HELLO); next(pieces)
child = os.fork()
if child == 0:
    print(client.run("chat", HELLO).content, flush=True)
    client.close()
    sys.exit(0)
_, status = os.waitpid(child, 0)
print(status, client.run("chat", HELLO).content, "".join(pieces))
"""
    said = "some-model heard: Hello"
    assert ran(path, code) == f"{said}\n{said}\n0 {said}  heard: Hello\n"


@not_on_windows("Ctrl-C is an event of the console")
@pytest.mark.parametrize("call", ["run('chat', HELLO)", "stream('chat', HELLO).__next__()"])
def test_ctrl_c_ends_a_call_at_once_and_the_next_one_works(call: str, tmp_path: Path) -> None:
    with Simulator() as sim:
        sim.fault("openai", Fault.HANG, times=1)
        path = write_config(tmp_path, config_for("openai", sim.url("openai")))
        code = f"""
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
try:
    client.{call}
except KeyboardInterrupt:
    print(client.run("chat", HELLO).content)
"""
        with started(path, code, sim.key("openai")) as program:
            assert program.stdout
            assert program.stdout.readline() == "ready\n"
            assert sim.wait_until_asked()
            program.send_signal(signal.SIGINT)
            out, errors = program.communicate(timeout=60)
    assert (program.returncode, out, errors) == (0, "some-model heard: Hello\n", "")


@not_on_windows("Ctrl-C is an event of the console")
def test_what_ctrl_c_interrupts_is_cancelled(path: Path) -> None:
    code = """
import signal
from rollcall.runtime.network import Network
signal.signal(signal.SIGINT, signal.default_int_handler)
network, ended = Network(), threading.Event()
async def call():
    try:
        print("ready", flush=True)
        await asyncio.sleep(3600)
    finally:
        ended.set()
try:
    network.wait(call())
except KeyboardInterrupt:
    print(ended.wait(30))
"""
    with started(path, code) as program:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
        program.send_signal(signal.SIGINT)
        out, errors = program.communicate(timeout=60)
    assert (program.returncode, out, errors) == (0, "True\n", "")


def test_a_client_that_is_closed_ends_its_calls_and_its_thread(tmp_path: Path) -> None:
    told: list[str] = []
    before = set(threading.enumerate())
    with Simulator() as sim:
        sim.fault("openai", Fault.HANG)
        client = client_of(write_config(tmp_path, config_for("openai", sim.url("openai"))))

        def ask() -> None:
            try:
                client.run("chat", HELLO)
            except LLMError as error:
                told.append(error.what)

        asking = threading.Thread(target=ask)
        asking.start()
        assert sim.wait_until_asked()
        client.close()
        asking.join(30)
    assert told == ["The client was closed during the call."]
    assert threads_since(before) == []


def test_a_client_that_is_dropped_ends_its_thread(path: Path) -> None:
    before = set(threading.enumerate())
    client = client_of(path)
    client.run("chat", HELLO)
    (thread,) = threads_since(before)
    del client
    thread.join(30)
    assert not thread.is_alive()


def test_a_call_from_inside_a_call_is_told_instead_of_waiting_for_itself(path: Path) -> None:
    client = client_of(path)
    told: list[str] = []

    def environ() -> dict[str, str]:
        with pytest.raises(LLMError) as caught:
            client.run("chat", HELLO)
        told.append(caught.value.what)
        return {"ORCH_AUTH_MAIN_API_KEY": KEY}

    client._environ = environ
    with client:
        assert client.run("chat", HELLO).content
    assert told == ["A call was made from inside a call."]
