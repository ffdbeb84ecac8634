"""LiteLLM's own proxy in a process of its own, as the upstream of the service."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.process import environment
from benchmarks.providers import Providers

MASTER_KEY = "sk-benchmark-master-key"
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
PATIENCE_SECONDS = 120.0


def installed() -> str | None:
    """The litellm beside this Python."""
    return shutil.which("litellm", path=str(Path(sys.executable).parent))


@contextmanager
def running(folder: Path, providers: Providers) -> Iterator[str]:
    """Its base URL, with one model that the simulated OpenAI answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "litellm.yaml"
    params = {
        "model": "openai/gpt-5.5",
        "api_base": providers.urls["openai"],
        "api_key": "os.environ/OPENAI_API_KEY",
    }
    entries = [{"model_name": "gpt-5.5", "litellm_params": params}]
    settings = {"master_key": "os.environ/LITELLM_MASTER_KEY", "disable_model_info_refresh": True}
    config.write_text(
        json.dumps({"model_list": entries, "general_settings": settings}),
        encoding="utf-8",
        newline="\n",
    )
    process = subprocess.Popen(
        [str(installed()), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        env=environment({**providers.environ, **OFFLINE, "LITELLM_MASTER_KEY": MASTER_KEY}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base_url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, base_url)
        yield f"{base_url}/v1"
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_ready(process: subprocess.Popen[bytes], base_url: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{base_url}/health/readiness", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("LiteLLM's proxy was not ready in time.")
