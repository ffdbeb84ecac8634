"""Starts LiteLLM's own proxy for tests: offline, on loopback, on a free port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.platforms import OF_THE_SYSTEM, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MASTER_KEY = "sk-rollcall-tests-master-key"
"""Not `sk-1234`, which LiteLLM refuses to start with."""

OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
    "LITELLM_LOG": "ERROR",
}
"""What keeps LiteLLM from looking anything up outside this machine."""


@dataclass(frozen=True, slots=True)
class LiteLLMProxy:
    """A running proxy. Unpacks as `base_url, master_key`."""

    base_url: str
    master_key: str
    log_path: Path

    def __iter__(self) -> Iterator[str]:
        return iter((self.base_url, self.master_key))


def litellm_command() -> str:
    """The litellm beside this Python; skips the test where there is none."""
    beside = Path(sys.executable).parent
    found = shutil.which("litellm", path=str(beside)) or shutil.which("litellm")
    if found is None:
        pytest.skip("litellm is not installed: pip install 'litellm[proxy]'")
    return found


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_litellm(
    config_path: Path,
    environ: Mapping[str, str] | None = None,
    *,
    ready_seconds: float = 120.0,
) -> Iterator[LiteLLMProxy]:
    """LiteLLM's proxy on `config_path`, ready to answer; ended when the block ends.

    Args:
        config_path: its config.yaml; a `master_key` in it must read
            `os.environ/LITELLM_MASTER_KEY` or be left out.
        environ: variables of the proxy beyond PATH, HOME and the master key, for example keys.
        ready_seconds: deadline for /health/readiness; a start takes some six seconds.

    Raises:
        AssertionError: it ended or was not ready in time; says the end of its output.
    """
    port = free_port()
    log_path = config_path.parent / f"litellm-{port}.log"
    command = [
        litellm_command(),
        "--config",
        str(config_path),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--telemetry",
        "False",
    ]
    variables = {
        **{k: v for k, v in os.environ.items() if k.upper().startswith(("PATH", *OF_THE_SYSTEM))},
        "HOME": str(config_path.parent),
        "PYTHONUTF8": "1",
        "LITELLM_MASTER_KEY": MASTER_KEY,
        **OFFLINE,
        **(environ or {}),
    }
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=config_path.parent,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    base_url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, base_url, log_path, ready_seconds)
        yield LiteLLMProxy(base_url, variables["LITELLM_MASTER_KEY"], log_path)
    finally:
        _stop(process)


def _wait_until_ready(
    process: subprocess.Popen[bytes], base_url: str, log_path: Path, ready_seconds: float
) -> None:
    deadline = time.monotonic() + PATIENCE * ready_seconds
    with httpx.Client(trust_env=False, timeout=2.0) as client:
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(httpx.HTTPError):
                if client.get(f"{base_url}/health/readiness").status_code == 200:
                    return
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
    tail = log_path.read_text("utf-8", "replace")[-3000:]
    raise AssertionError(f"litellm was not ready (exit code {process.poll()}):\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
