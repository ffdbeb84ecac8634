"""A command that stands in for LiteLLM's proxy: reads config.yaml at its start and serves that.

`faults.json` beside the config says what is wrong: {"dead": [litellm_params.model ...],
"unready": [...]}: with one of the latter in the config it never becomes ready.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

SCRIPT = """#!{python}
import json, os, signal, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
import yaml

args = dict(zip(sys.argv[1:], sys.argv[2:]))
path = Path(args["--config"])
data = yaml.safe_load(path.read_text(encoding="utf-8"))
faults_path = path.parent / "faults.json"
groups = {{row["model_name"]: row["litellm_params"]["model"] for row in data["model_list"]}}
aliases = (data.get("router_settings") or {{}}).get("model_group_alias") or {{}}
with open({record!r}, "a", encoding="utf-8") as stream:
    stream.write(json.dumps([args.get("--port"), aliases]) + "\\n")

def faults(kind):
    return json.loads(faults_path.read_text(encoding="utf-8"))[kind] if faults_path.exists() else []

ready = not set(groups.values()) & set(faults("unready"))
if args.get("--port") in faults("unready_ports") and len(aliases) and {dies_on!r} in str(aliases):
    ready = False

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass
    def reply(self, body, status=200):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
    def do_GET(self):
        if self.path == "/health/readiness":
            return self.reply({{"status": "healthy"}}, 200 if ready else 503)
        self.reply({{"data": [{{"id": name}} for name in [*aliases, *groups]]}})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        model = groups.get(aliases.get(body["model"], body["model"]), "none")
        if model in faults("dead"):
            return self.reply({{"error": {{"message": "model " + model + " not found"}}}}, 404)
        choice = {{"index": 0, "finish_reason": "stop", "message": {{"content": model}}}}
        self.reply({{"model": model, "choices": [choice]}})

ThreadingHTTPServer.allow_reuse_address = True
server = ThreadingHTTPServer(("127.0.0.1", int(args.get("--port", 4000))), Handler)

def ended(number, frame):
    threading.Thread(target=server.shutdown).start()
signal.signal(signal.SIGTERM, ended)
server.serve_forever(0.05)
sys.exit(7)
"""


def stand_in_proxy(folder: Path, *, dies_on: str = "") -> Path:
    """Write the command; `starts.jsonl` in `folder` tells [port, aliases] of each start.

    Args:
        dies_on: a model whose alias keeps it from being ready at a port of `unready_ports`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "litellm"
    record = str(folder / "starts.jsonl")
    path.write_text(
        SCRIPT.format(python=sys.executable, record=record, dies_on=dies_on), encoding="utf-8"
    )
    path.chmod(0o755)
    return path


def starts(folder: Path) -> list[tuple[str, dict[str, str]]]:
    """[port, aliases] of every start so far."""
    record = folder / "starts.jsonl"
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return [tuple(json.loads(line)) for line in lines]


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    ends_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends_at, "it did not come about in time"
        time.sleep(0.05)


def environment(folder: Path) -> dict[str, str]:
    """Variables that have rollcall find it."""
    return {**os.environ, "ROLLCALL_LITELLM": str(folder / "litellm")}
