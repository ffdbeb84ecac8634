"""`serve` as a process: what it says, what it logs, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from rollcall.errors import SettingsError
from rollcall.service import HELP_EPILOG, ServeOptions, help_epilog
from tests.litellm_proxy import free_port
from tests.platforms import PATIENCE, not_on_windows
from tests.service.fake_litellm import KEY, FakeLiteLLM
from tests.service.samples import options
from tests.service.serving import client

TOKEN = "a-token-of-our-own"

SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from rollcall.service import ServeOptions, serve
    from rollcall.settings import resolve

    settings = resolve(cwd=Path.cwd())
    upstream, port = sys.argv[1], int(sys.argv[2])
    options = ServeOptions(settings=settings, upstream=upstream, port=port, shutdown_seconds=5)
    sys.exit(serve(options))
    """
)


@contextmanager
def process(
    upstream: str, folder: Path, **environ: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running service in a process of its own."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    running = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, upstream, str(port)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        deadline = time.monotonic() + PATIENCE * 60
        with client(base_url) as http:
            while True:
                assert running.poll() is None, running.communicate()
                assert time.monotonic() < deadline
                try:
                    http.get("/healthz")
                    break
                except httpx.ConnectError:
                    continue
        yield base_url, running
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


@not_on_windows("no SIGTERM to send")
def test_it_lets_a_running_answer_end_and_logs_no_key(tmp_path: Path) -> None:
    with (
        FakeLiteLLM() as litellm,
        process(litellm.url, tmp_path, ROLLCALL_API_TOKENS=TOKEN, LITELLM_API_KEY=KEY) as (
            base_url,
            running,
        ),
        client(base_url, authorization=f"Bearer {TOKEN}") as http,
    ):
        assert http.get(f"/v1/models?api_key={TOKEN}").status_code == 200
        assert (
            http.get("/v1/models", headers={"authorization": "Bearer sk-guess"}).status_code == 401
        )
        call = {"model": "default", "stream": True}
        with http.stream("POST", "/v1/chat/completions", json=call) as reply:
            chunks = reply.iter_raw()
            next(chunks)
            running.send_signal(signal.SIGTERM)
            litellm.release.set()
            assert b"[DONE]" in b"".join(chunks)
        out, log = running.communicate(timeout=20)
    assert running.returncode == 143
    assert out == ""
    for secret in (TOKEN, KEY, "sk-guess"):
        assert secret not in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    listed = next(line for line in lines if line["path"] == "/v1/models")
    assert listed["status"] == 200
    assert listed["source"] in ("litellm", "cache")
    assert "Traceback" not in log


def test_a_refused_key_of_its_own_is_logged_once_with_its_place(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"\nROLLCALL_API_TOKENS={TOKEN}\nLITELLM_API_KEY={KEY}\n", encoding="utf-8")
    with FakeLiteLLM() as litellm:
        litellm.mode = "unauthorized"
        with (
            process(litellm.url, tmp_path) as (base_url, running),
            client(base_url, authorization=f"Bearer {TOKEN}") as http,
        ):
            for path in ("/v1/models", "/v1/models", "/v1/model/info"):
                reply = http.get(path)
            assert str(tmp_path) not in reply.text, "a caller is not told where it lies"
            running.kill()
            _, log = running.communicate(timeout=20)
    assert log.count(f"LiteLLM refuses LITELLM_API_KEY in {dotenv}:3.") == 1
    assert KEY not in log


@not_on_windows("no SIGTERM to send")
def test_an_endless_answer_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with (
        FakeLiteLLM() as litellm,
        process(litellm.url, tmp_path) as (base_url, running),
        client(base_url, authorization=f"Bearer {KEY}") as http,
        http.stream("POST", "/v1/chat/completions", json={"model": "x", "stream": True}) as reply,
    ):
        next(reply.iter_raw())
        running.send_signal(signal.SIGINT)
        _, log = running.communicate(timeout=30)
        assert running.returncode == 130
        assert litellm.cancelled.wait(5)
        assert KEY not in log


def test_a_port_in_use_is_an_error_not_a_trace(tmp_path: Path) -> None:
    with FakeLiteLLM() as litellm, process(litellm.url, tmp_path) as (base_url, _):
        second = subprocess.run(
            [sys.executable, "-c", SCRIPT, litellm.url, base_url.rpartition(":")[2]],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
    assert second.returncode == 1
    assert "address already in use" in second.stderr.lower()
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "http://127.0.0.1:4000"),
        ("http://proxy:4000/", "http://proxy:4000"),
        ("https://llm.example/base/v1", "https://llm.example/base"),
        ("http://[::1]:4000", "http://[::1]:4000"),
    ],
)
def test_the_upstream_s_address(given: str | None, url: str) -> None:
    assert options("x")._replace(upstream=given).upstream_url == url


@pytest.mark.parametrize(
    "given",
    [
        "proxy:4000",
        "ftp://proxy",
        "http://",
        "http://user:secret@proxy",
        "http://proxy:99999",
        "http://127.0.0.1:4001",
        "http://localhost:4001/v1",
    ],
)
def test_an_address_that_makes_no_sense_is_refused_without_repeating_it(given: str) -> None:
    chosen = options("x")._replace(upstream=given, port=4001)
    with pytest.raises(SettingsError) as refused:
        assert chosen.upstream_url
    assert "secret" not in str(refused.value)


def test_litellm_base_url_is_the_default_upstream() -> None:
    chosen = options("x", {"LITELLM_BASE_URL": "http://other:1/v1"})
    assert chosen._replace(upstream=None).upstream_url == "http://other:1"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("lan", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert options("x")._replace(host=host).loopback is loopback


def test_tokens_may_be_parted_by_commas_or_blanks() -> None:
    assert options("x", {"ROLLCALL_API_TOKENS": "a, b  c,,a\n"}).tokens == ("a", "b", "c")


def test_importing_the_service_costs_no_fastapi() -> None:
    code = "import sys, rollcall.service as s; s.ServeOptions; print('fastapi' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert shown.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ("linux", ("[Service]", "systemctl --user", "WorkingDirectory=", "rollcall serve")),
        ("win32", ("Register-ScheduledTask", "-AtLogOn", "-WorkingDirectory C:\\litellm", "serve")),
        ("darwin", ("<plist", "launchctl bootstrap", "WorkingDirectory", "serve")),
    ],
)
def test_the_help_shows_how_this_system_keeps_it_running(
    platform: str, words: tuple[str, ...]
) -> None:
    told = help_epilog(platform)
    assert all(word in told for word in words)
    assert platform == "linux" or "systemd" not in told
    assert help_epilog(sys.platform) == HELP_EPILOG
    assert ServeOptions.__doc__
