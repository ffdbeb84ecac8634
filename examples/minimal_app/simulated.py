"""Simulated providers on loopback for `llm_bindings.py --demo`: they repeat what they were asked.

Only the two protocols of `llm_orchestrator.yaml`, OpenAI's and Anthropic's, and no streams.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving() -> Iterator[str]:
    """A base URL that answers both protocols, until the end of the `with`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer a question in the protocol it came in."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        reply = _anthropic(asked) if self.path.endswith("/messages") else _openai(asked)
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _openai(asked: dict[str, object]) -> dict[str, object]:
    message = {"role": "assistant", "content": _spoken(asked)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "demo", "object": "chat.completion", "model": asked["model"], "choices": [choice]}


def _anthropic(asked: dict[str, object]) -> dict[str, object]:
    content = [{"type": "text", "text": _spoken(asked)}]
    reply: dict[str, object] = {"id": "demo", "type": "message", "role": "assistant"}
    return {**reply, "model": asked["model"], "content": content, "stop_reason": "end_turn"}


def _spoken(asked: dict[str, object]) -> str:
    messages = asked["messages"]
    assert isinstance(messages, list)
    system = next((one["content"] for one in messages if one["role"] in _TOLD), asked.get("system"))
    question = messages[-1]["content"]
    told = f" (told: {_text(system)})" if system else ""
    return f"{asked['model']}{told} heard: {_text(question)}"


_TOLD = ("system", "developer")


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return str(content)
