"""What the tests of the library share: a config file, a simulated provider on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from rollcall.runtime.client import LLMClient
from rollcall.runtime.network import Network
from tests.loopback import Answering, listening
from tests.simulator.chat import answer
from tests.simulator.http import Reply, Request

KEY = "sk-test-4f9a0c7d21e8b3"
HELLO = [{"role": "user", "content": "Hello"}]

TYPES: dict[str, tuple[str, str]] = {
    "openai": ("openai", "/v1"),
    "deepseek": ("openai", ""),
    "qwen": ("openai", "/compatible-mode/v1"),
    "openrouter": ("openrouter", "/api/v1"),
    "xai": ("xai", "/v1"),
    "anthropic": ("anthropic", ""),
    "gemini": ("gemini", "/v1beta"),
    "perplexity": ("perplexity", ""),
    "ollama": ("ollama", "/v1"),
    "litellm": ("openai", "/v1"),
}
"""Type of provider -> (simulated protocol, path of its api_base)."""


@dataclass
class Simulated:
    """A simulated provider on loopback. `replies` are given first, then real ones."""

    protocol: str
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def simulated(protocol: str) -> Iterator[Simulated]:
    """Serve a simulated provider's completions on a free port."""
    state = Simulated(protocol)

    class Handler(Answering):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query))
            request = Request("POST", parts.path, query, headers, self.sent())
            state.requests.append(request)
            reply = state.replies.pop(0) if state.replies else answer(protocol, request)
            self._give(reply or Reply(status=404, body=b'{"error": {"message": "no such path"}}'))

        def _give(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("connection", "close")
            self.end_headers()
            for chunk in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                self.wfile.write(chunk)
                self.wfile.flush()
            self.close_connection = True

    with listening(Handler) as state.port:
        yield state


def write_config(folder: Path, text: str) -> Path:
    """llm_orchestrator.yaml in a folder."""
    path = folder / "llm_orchestrator.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def config_for(kind: str, api_base: str, model: str = "some-model", extra: str = "") -> str:
    """A config with one provider and the role `chat`."""
    return f"""
providers:
  {kind}: {{auth_profile: main, api_base: "{api_base}"}}
roles:
  chat: {{provider: {kind}, model: "{model}"{extra}}}
"""


@dataclass
class Slept:
    """Records pauses instead of waiting."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def client_of(path: Path, slept: Slept | None = None, **environ: str) -> LLMClient:
    """A client whose key is there and whose pauses take no time."""
    variables = {"ORCH_AUTH_MAIN_API_KEY": KEY} | environ
    return LLMClient(path, environ=lambda: variables, network=Network(sleep=slept or Slept()))


@contextmanager
def talking(
    kind: str, folder: Path, *, model: str = "some-model", slept: Slept | None = None
) -> Iterator[tuple[LLMClient, Simulated]]:
    """A client whose role `chat` leads to a simulated provider of a type."""
    protocol, base = TYPES[kind]
    with simulated(protocol) as server:
        path = write_config(folder, config_for(kind, server.url + base, model))
        with client_of(path, slept) as client:
            yield client, server
