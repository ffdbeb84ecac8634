"""The requests of clients people use, as their public code makes them, and what they read.

Claude Code asks at start where CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY is set; Zed's own list is
written by hand in its settings, so it only calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]

USER = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True, slots=True)
class ReplayedClient:
    """One client.

    Attributes:
        key_headers: how it sends its key, `{}` being the key.
        list_path: what it asks for its picker; None = it asks nothing.
        reads: the names its picker shows, from the answer.
        call_path, call: the call it makes with the first of them.
        whole: what only a whole answer holds.
    """

    name: str
    key_headers: Mapping[str, str]
    list_path: str | None
    reads: Callable[[Json], list[str]]
    call_path: str
    call: Mapping[str, Any]
    whole: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def headers_with(self, key: str) -> dict[str, str]:
        """The headers it sends."""
        keys = {name: value.format(key) for name, value in self.key_headers.items()}
        return {**self.headers, **keys}


def _claude_code(body: Json) -> list[str]:
    wanted = [row for row in body["data"] if "claude" in row["id"] or "anthropic" in row["id"]]
    return [row.get("display_name") or row["id"] for row in wanted]


def _codex(body: Json) -> list[str]:
    return [row["display_name"] for row in body["models"] if row["visibility"] == "list"]


def _cline(body: Json) -> list[str]:
    rows = [(row["model_name"], row["model_info"]) for row in body["data"]]
    return [f"{name} ({info.get('max_input_tokens') or 8192:,} tokens)" for name, info in rows]


def _open_webui(body: Json) -> list[str]:
    return [row.get("name") or row["id"] for row in body["data"]]


def _ids(body: Json) -> list[str]:
    return [row["id"] for row in body["data"]]


BEARER = {"authorization": "Bearer {}"}
CHAT = {"model": "default", "messages": USER, "stream": True}
MESSAGE = {"model": "default", "max_tokens": 20, "messages": USER, "stream": True}

CLAUDE_CODE = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
    "user-agent": "claude-cli/2.1.223 (external, cli)",
    "x-app": "cli",
}

CLIENTS = (
    ReplayedClient(
        name="Claude Code",
        key_headers=BEARER,
        headers=CLAUDE_CODE,
        list_path="/v1/models?limit=1000",
        reads=_claude_code,
        call_path="/v1/messages?beta=true",
        call=MESSAGE,
        whole="message_stop",
    ),
    ReplayedClient(
        name="Claude Code with a subscription",
        key_headers={
            "x-litellm-api-key": "Bearer {}",
            "authorization": "Bearer sk-ant-oat01-of-the-person",
        },
        headers=CLAUDE_CODE,
        list_path="/v1/models?limit=1000",
        reads=_claude_code,
        call_path="/v1/messages?beta=true",
        call={**MESSAGE, "model": "claude-subscription", "stream": False},
        whole="end_turn",
    ),
    ReplayedClient(
        name="Codex",
        key_headers=BEARER,
        headers={"user-agent": "codex_cli_rs/0.159.3 (Linux)", "originator": "codex_cli_rs"},
        list_path="/v1/models?client_version=0.159.3",
        reads=_codex,
        call_path="/v1/responses",
        call={"model": "openai/gpt-5.5", "input": USER, "stream": True, "store": False},
        whole="response.completed",
    ),
    ReplayedClient(
        name="Cline",
        key_headers={"x-litellm-api-key": "{}"},
        headers={"accept": "application/json", "user-agent": "Cline/3.40"},
        list_path="/v1/model/info",
        reads=_cline,
        call_path="/chat/completions",
        call=CHAT,
        whole="[DONE]",
    ),
    ReplayedClient(
        name="Open WebUI",
        key_headers=BEARER,
        headers={"user-agent": "Python/3.11 aiohttp/3.12"},
        list_path="/v1/models",
        reads=_open_webui,
        call_path="/v1/chat/completions",
        call={**CHAT, "stream_options": {"include_usage": True}},
        whole="[DONE]",
    ),
    ReplayedClient(
        name="LibreChat",
        key_headers=BEARER,
        headers={"user-agent": "axios/1.12.2", "accept": "application/json, text/plain, */*"},
        list_path="/v1/models",
        reads=_ids,
        call_path="/v1/chat/completions",
        call={**CHAT, "user": "6650f1"},
        whole="[DONE]",
    ),
    ReplayedClient(
        name="Continue",
        key_headers={"authorization": "Bearer {}", "api-key": "{}"},
        headers={"content-type": "application/json"},
        list_path="/v1/models",
        reads=_ids,
        call_path="/v1/chat/completions",
        call=CHAT,
        whole="[DONE]",
    ),
    ReplayedClient(
        name="Zed",
        key_headers=BEARER,
        headers={"user-agent": "Zed/0.215.3 (linux; x86_64)"},
        list_path=None,
        reads=_ids,
        call_path="/v1/chat/completions",
        call={**CHAT, "stream_options": {"include_usage": True}},
        whole="[DONE]",
    ),
)
