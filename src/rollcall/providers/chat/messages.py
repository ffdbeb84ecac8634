"""The messages of a call: dicts or typed objects in, checked plain values out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollcall.providers.chat.errors import InvalidMessages

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: system, developer, user, assistant, tool.
        content: text, or parts as OpenAI writes them: `{"type": "text", "text": ...}`,
            `{"type": "image_url", "image_url": {"url": ...}}`.
        extra: other fields: `tool_calls` of an assistant, `tool_call_id` of a tool, `name`.
    """

    role: str
    content: str | Sequence[Mapping[str, Any]] | None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> list[Mapping[str, Any]]:
        """The content as parts; text is one text part, nothing is none."""
        if self.content is None:
            return []
        if isinstance(self.content, str):
            return [{"type": "text", "text": self.content}] if self.content else []
        return list(self.content)

    @property
    def text(self) -> str:
        """The text of all text parts."""
        return "".join(str(part.get("text", "")) for part in self.parts)

    @property
    def tool_calls(self) -> list[Mapping[str, Any]]:
        """The tools an assistant wanted called, as OpenAI writes them."""
        return [call for call in self.extra.get("tool_calls") or () if isinstance(call, Mapping)]

    @property
    def tool_call_id(self) -> str:
        """Which of those calls a tool's message answers."""
        return str(self.extra.get("tool_call_id") or "")


def read_messages(messages: Iterable[Any]) -> tuple[Message, ...]:
    """Messages given as dicts, `Message`s, or any object with `role` and `content`.

    Raises:
        InvalidMessages: says which message and what is wrong with it.
    """
    if isinstance(messages, str | bytes | Mapping):
        raise InvalidMessages(
            "`messages` is not a list of messages.",
            'Pass a list, such as [{"role": "user", "content": "..."}].',
        )
    read = tuple(_message(index, given) for index, given in enumerate(messages))
    if not any(message.role in ("user", "assistant", "tool", "function") for message in read):
        raise InvalidMessages(
            "There is no user message." if read else "The list of messages is empty.",
            'Add one: {"role": "user", "content": "..."}.',
        )
    return read


def _message(index: int, given: Any) -> Message:
    if isinstance(given, Message):
        fields: dict[str, Any] = {"role": given.role, "content": given.content, **given.extra}
    elif isinstance(given, Mapping):
        fields = dict(given)
    elif hasattr(given, "model_dump"):
        fields = dict(given.model_dump(exclude_none=True))
    else:
        fields = {name: getattr(given, name, None) for name in ("role", "content")}
    role, content = fields.pop("role", None), fields.pop("content", None)
    role = getattr(role, "value", role)
    if role not in ROLES:
        raise InvalidMessages(
            f"Message {index} has the role {role!r}.", f"Use one of: {', '.join(ROLES)}."
        )
    if content is None and not ({"tool_calls", "function_call", "refusal"} & fields.keys()):
        raise InvalidMessages(f"Message {index} ({role}) has no content.", "Give it a text.")
    return Message(role=role, content=_content(index, content), extra=fields)


def _content(index: int, content: Any) -> str | tuple[Mapping[str, Any], ...] | None:
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        raise InvalidMessages(
            f"The content of message {index} is of type {type(content).__name__}.",
            "It must be a text or a list of parts.",
        )
    parts = tuple(
        dict(part.model_dump(exclude_none=True)) if hasattr(part, "model_dump") else part
        for part in content
    )
    if not all(isinstance(part, Mapping) and isinstance(part.get("type"), str) for part in parts):
        raise InvalidMessages(
            f"Message {index} has a part that is not a typed one.",
            'A part looks like {"type": "text", "text": "..."}.',
        )
    return parts


def translatable(messages: Sequence[Message], provider: str) -> tuple[str, tuple[Message, ...]]:
    """The system prompt (all of them, a blank line between) and the rest, for a protocol other than
    OpenAI's.

    Raises:
        InvalidMessages: something only OpenAI's can say: another role, or no content.
    """
    told = [message.text for message in messages if message.role in ("system", "developer")]
    rest = tuple(message for message in messages if message.role not in ("system", "developer"))
    for index, message in enumerate(rest):
        if message.role == "tool" and not message.tool_call_id:
            raise InvalidMessages(
                f"Message {index} has the role 'tool' and no tool_call_id.",
                "Give it the id of the tool call that it answers.",
            )
        if message.role not in ("user", "assistant", "tool"):
            raise InvalidMessages(
                f"Message {index} has the role {message.role!r}, which {provider} calls do not "
                "translate.",
                "Use user, assistant and tool, or a provider that speaks OpenAI's protocol.",
            )
        if message.role != "tool" and not message.parts and not message.tool_calls:
            raise InvalidMessages(
                f"Message {index} ({message.role}) is empty, which {provider} refuses.",
                "Give it a text, or leave it out.",
            )
    return "\n\n".join(text for text in told if text), rest


def function_of(call: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    """(id, name, arguments) of a tool call in a message.

    Raises:
        InvalidMessages: it is no tool call as OpenAI writes them.
    """
    function = call.get("function")
    name = function.get("name") if isinstance(function, Mapping) else None
    given = function.get("arguments") if isinstance(function, Mapping) else None
    try:
        arguments = json.loads(given or "{}") if isinstance(given, str | None) else given
    except ValueError:
        arguments = None
    if not isinstance(name, str) or not isinstance(arguments, Mapping):
        raise InvalidMessages(
            "A tool call in the messages has no name, or arguments that are no JSON object.",
            'It looks like {"id": ..., "function": {"name": ..., "arguments": "{...}"}}.',
        )
    return str(call.get("id") or ""), name, arguments


def image_of(part: Mapping[str, Any], provider: str) -> tuple[str, str, str]:
    """(media type, base64 data, url) of an image part: the first two for a `data:` address.

    Raises:
        InvalidMessages: another kind of part.
    """
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else image
    if part.get("type") != "image_url" or not isinstance(url, str):
        raise InvalidMessages(
            f"A part of type {part.get('type')!r} cannot be sent to {provider}.",
            "Use text and image_url parts.",
        )
    if not url.startswith("data:"):
        return "", "", url
    head, _, data = url[len("data:") :].partition(",")
    media_type, _, encoding = head.partition(";")
    if encoding != "base64" or not media_type:
        raise InvalidMessages(
            "An image has a data: address that is not base64 with a media type.",
            "Write data:image/png;base64,...",
        )
    return media_type, data, ""
