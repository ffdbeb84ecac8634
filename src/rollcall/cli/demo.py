"""`rollcall demo`: the whole job on loopback, with simulated providers, no key, no network.

Every step is the real command in a process of its own, in a temporary folder. The providers list
what is recorded in `demo_replies/`, over real sockets, and one of them fails half-way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rollcall.report.text import FORCE_TTY, is_terminal, out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPLIES: Final = Path(__file__).with_name("demo_replies")
"""One recorded reply per provider, named after it."""

PROVIDERS: Final = {
    "anthropic": "ANTHROPIC_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "xai": "XAI_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
}
"""Who is simulated, and the variable of its key."""

BROKEN: Final = "gemini"
"""The provider that fails half-way through."""

ERROR_PAGE: Final = b"<!DOCTYPE html><html><head><title>Sorry</title></head></html>"

CONFIG = """\
# The proxy of our team. Everything outside rollcall's markers stays as it is.
model_list:
  - model_name: my-local-model        # written by hand
    litellm_params:
      model: ollama/llama3.3
      api_base: http://127.0.0.1:11434

general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""

POLICY = """\
version: 1
defaults: {{facts: [openrouter]}}    # the same on every machine, whatever litellm is there
providers:
{providers}
allow:
  - {{family: claude-sonnet, from: [anthropic], newest: 1, name: "{{id}}"}}
  - {{family: claude-haiku, from: [anthropic], newest: 1, name: "{{id}}"}}
  - {{family: gemini-flash, from: [gemini], newest: 1}}
  - {{family: grok, from: [xai], newest: 1}}
  - {{family: claude-sonnet, from: [openrouter], newest: 1}}
aliases:
  default: {{family: claude-haiku}}
  claude: {{family: claude-sonnet, from: [anthropic, openrouter], fallbacks: [claude-fallback]}}
  claude-fallback: {{family: claude-sonnet, from: [openrouter]}}
  cheap: {{cheapest: {{context: ">= 100000"}}}}
"""


class SimulatedProviders(ThreadingHTTPServer):
    """Answers every request with the recorded list of the provider its path begins with.

    Attributes:
        broken: the provider that answers with a web page instead, if any.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.broken: str | None = None

    def url(self, provider: str) -> str:
        """The base_url of a provider."""
        return f"http://127.0.0.1:{self.server_address[1]}/{provider}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SimulatedProviders

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer with the list, or with the error page."""
        provider = self.path.split("/")[1]
        known = provider in PROVIDERS
        well = known and provider != self.server.broken
        body = (REPLIES / f"{provider}.json").read_bytes() if well else ERROR_PAGE
        self.send_response(200 if known else 404)
        self.send_header("content-type", "application/json" if well else "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def simulated_providers() -> Iterator[SimulatedProviders]:
    """The providers, until the end of the `with`."""
    with SimulatedProviders() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def run_demo() -> int:
    """Tell and do the whole job; returns the exit code of the step that failed, else 0."""
    with tempfile.TemporaryDirectory(prefix="rollcall-demo-") as name, simulated_providers() as own:
        write_files(Path(name), own)
        return _Story(Path(name), environment(), own).tell()


def environment() -> dict[str, str]:
    """This process's environment without its own keys, with the simulated ones; the commands print
    for people, though this process reads what they say.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith(("_KEY", "_API_BASE", "_BASE_URL"))
        and not name.upper().startswith(("ROLLCALL_", "LITELLM_"))
    }
    keys = {variable: f"demo-{name}-key-0123456789" for name, variable in PROVIDERS.items()}
    columns = str(shutil.get_terminal_size((100, 24)).columns)
    plain = {} if is_terminal(sys.stdout) else {"NO_COLOR": "1"}
    return {**kept, **keys, **plain, FORCE_TTY: columns, "PYTHONUTF8": "1"}


def write_files(folder: Path, providers: SimulatedProviders) -> None:
    rows = "\n".join(f"  {name}: {{base_url: {providers.url(name)}}}" for name in PROVIDERS)
    policy = POLICY.format(providers=rows)
    (folder / "config.yaml").write_bytes(CONFIG.encode())
    (folder / "policy.yaml").write_bytes(policy.encode())


@dataclass(frozen=True, slots=True)
class _Story:
    """The steps, one after the other; the first that goes wrong ends it."""

    folder: Path
    environ: Mapping[str, str]
    providers: SimulatedProviders

    def tell(self) -> int:
        self._say("A config.yaml written by hand, a policy, and four providers on loopback.")
        self._show("config.yaml")
        self._say("What would change, and why? Nothing is written yet.")
        if code := self._rollcall("plan"):
            return code
        self._say("Write it.")
        if code := self._rollcall("apply"):
            return code
        self._show("config.yaml")
        self._say(f"{BROKEN} now answers every request with an error page. Apply again.")
        before = self._config()
        self.providers.broken = BROKEN
        if code := self._rollcall("apply"):
            return code
        if self._config() != before:
            self._say("Something was lost: this is a bug.")
            return 70
        self._say("Not a byte of config.yaml changed: nothing was lost.")
        self.providers.broken = None
        self._say("Go back to where we came from.")
        if code := self._rollcall("rollback"):
            return code
        if self._config() != CONFIG.encode():
            self._say("The old file did not come back: this is a bug.")
            return 70
        self._say("config.yaml is what it was, to the byte.")
        return 0

    def _say(self, text: str) -> None:
        out()
        out(f"=== {text}")

    def _show(self, name: str) -> None:
        out()
        out(f"--- {name}")
        out((self.folder / name).read_text(encoding="utf-8").rstrip("\n"))

    def _config(self) -> bytes:
        return (self.folder / "config.yaml").read_bytes()

    def _rollcall(self, command: str) -> int:
        out()
        out(f"$ rollcall {command}")
        sys.stdout.flush()
        done = subprocess.run(  # noqa: S603 - our own command, fixed words
            [sys.executable, "-m", "rollcall", command],
            cwd=self.folder,
            env=dict(self.environ),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        out(done.stdout.rstrip("\n"))
        return done.returncode
