"""One LiteLLM proxy over HTTP: readiness, its list, one small call. Network.

What LiteLLM answers without a database is not what one would guess: a wrong key gives 400
"No connected db.", and no key gives a bare 500 in 1.106, 401 in later versions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from rollcall.providers.chat.answer import UnexpectedShape
from rollcall.providers.chat.errors import Outcome
from rollcall.providers.chat.openai import OpenAIProtocol
from rollcall.providers.chat.responses import ResponsesProtocol
from rollcall.providers.chat.trial import CUT_WORDS, MAX_TOKENS, PROMPT, judge_answer
from rollcall.providers.http_client import httpx, open_client
from rollcall.providers.wire import bearer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.providers.chat.call import ChatProtocol
    from rollcall.secrets import Redactor


DETAIL_LENGTH = 300
NO_COMPLETION = "with no completion in it"
NO_KEY_WORDS = ("No connected db", "prisma", "No api key passed", "Invalid proxy server token")
TRAILERS = ("LiteLLM: model group", "Received Model Group=")
"""Where LiteLLM's remarks on fallbacks begin, after the error itself."""


class SmokeVerdict(StrEnum):
    """What became of the whole test. Everything but OK ends in exit 1."""

    OK = "ok"
    DEAD = "dead"
    """It answers, but a name is missing from its list or does not answer."""
    NO_SERVER = "no_server"
    NOT_LITELLM = "not_litellm"
    NO_KEY = "no_key"
    """It wants a key, and none was given."""
    WRONG_KEY = "wrong_key"


class Unusable(Exception):
    """No name of the proxy can be called: the verdict, what is wrong, what to do, and whether the
    proxy said that it is ready.
    """

    def __init__(self, verdict: SmokeVerdict, what: str, hint: str, *, ready: bool = False) -> None:
        super().__init__(what)
        self.verdict = verdict
        self.what = what
        self.hint = hint
        self.ready = ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one call gave.

    Attributes:
        ok: None = not called. deployment: LiteLLM's id of the entry that answered.
        model: the model LiteLLM says it called. fell_back: another group than asked answered.
    """

    ok: bool | None
    latency_ms: int | None = None
    deployment: str = ""
    model: str | None = None
    fell_back: bool = False
    detail: str = ""


CALLS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "chat": (
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": MAX_TOKENS},
    ),
    "responses": ("/v1/responses", {"input": PROMPT, "max_output_tokens": MAX_TOKENS}),
    "completion": ("/v1/completions", {"prompt": PROMPT, "max_tokens": MAX_TOKENS}),
    "embedding": ("/v1/embeddings", {"input": "OK"}),
}
"""A mode -> the path and the body of its smallest call; the others have no cheap one."""


class Proxy:
    """A client of one proxy; redirects are not followed, so the key goes nowhere else."""

    def __init__(
        self, root: str, key: str | None, timeout_seconds: float, redactor: Redactor
    ) -> None:
        self._root = root
        self._timeout_seconds = timeout_seconds
        self._redactor = redactor
        self._key_header = bearer(key)
        self._client = open_client([root], timeout_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self._client.aclose()

    async def ready(self) -> bool:
        """Whether /health/readiness, which needs no key, says so in LiteLLM's words.

        Raises:
            Unusable: nobody answers.
        """
        reply = await self._get("/health/readiness")
        return reply.status_code == 200 and "status" in _object(reply)

    async def names(self, *, ready: bool) -> list[str]:
        """What /v1/models lists.

        Args:
            ready: it has answered as LiteLLM does; then a bare 500 to no key is about the key.

        Raises:
            Unusable: nobody answers, it wants a key, or another one, or what it answers is no list.
        """
        reply = await self._get("/v1/models", self._key_header)
        without_key = ready and not self._key_header and reply.status_code == 500
        if without_key or _refuses_key(reply):
            raise self._key_refused(self._error_line(reply))
        rows = _object(reply).get("data")
        if reply.status_code != 200 or not isinstance(rows, list):
            kind = reply.headers.get("content-type", "no content type").partition(";")[0]
            what = f"{self._root}/v1/models answers {reply.status_code} ({kind}), not a model list."
            what = self._redactor.redact(what)
            if ready and reply.status_code >= 500:
                hint = "`rollcall doctor` looks for the entry that breaks the list."
                raise Unusable(SmokeVerdict.DEAD, what, hint, ready=True)
            hint = "Give the URL LiteLLM listens on, without /v1 or another path."
            raise Unusable(SmokeVerdict.NOT_LITELLM, what, hint)
        return [
            row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)
        ]

    async def call(self, name: str, mode: str | None) -> Reply:
        """One small call; whatever happens is the reply."""
        if (call := CALLS.get(mode or "chat")) is None:
            return Reply(ok=None, detail=f"not called: its mode is {mode}")
        path, body = call[0], {"model": name, **call[1]}
        began = time.monotonic()
        try:
            reply = await self._client.post(self._root + path, json=body, headers=self._key_header)
        except httpx.TimeoutException:
            return Reply(ok=False, detail=f"no answer within {self._timeout_seconds:g} s")
        except httpx.HTTPError as error:
            return Reply(ok=False, detail=self._line(f"{type(error).__name__}: {error}"))
        latency_ms = round((time.monotonic() - began) * 1000)
        if reply.status_code != 200:
            return self._failed(reply, latency_ms)
        return self._answered(reply, latency_ms, path)

    def _answered(self, reply: httpx.Response, latency_ms: int, path: str) -> Reply:
        body = _object(reply)
        if why := _no_answer(body, path):
            return Reply(
                ok=False, latency_ms=latency_ms, detail=self._line(f"answers 200, but {why}")
            )
        fell_back = reply.headers.get("x-litellm-attempted-fallbacks", "0") not in ("0", "")
        model = reply.headers.get("x-litellm-model-name") or body.get("model")
        return Reply(
            ok=True,
            latency_ms=latency_ms,
            deployment=reply.headers.get("x-litellm-model-id", ""),
            model=self._line(model) if isinstance(model, str) else None,
            fell_back=fell_back,
            detail="answered by a fallback" if fell_back else "",
        )

    def _failed(self, reply: httpx.Response, latency_ms: int) -> Reply:
        if CUT_WORDS in reply.text:
            return Reply(
                ok=True, latency_ms=latency_ms, detail=f"stopped at {MAX_TOKENS} tokens, thinking"
            )
        return Reply(
            ok=False,
            latency_ms=latency_ms,
            detail=f"{reply.status_code}: {self._error_line(reply)}",
        )

    async def _get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        try:
            return await self._client.get(self._root + path, headers=headers)
        except httpx.TimeoutException:
            what = f"{self._root} does not answer within {self._timeout_seconds:g} s."
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            what = f"No server answers at {self._root}: {error or type(error).__name__}"
        hint = "Start it with `rollcall start`, or give its URL: rollcall smoke URL"
        raise Unusable(SmokeVerdict.NO_SERVER, self._line(what), hint)

    def _key_refused(self, said: str) -> Unusable:
        if not self._key_header:
            hint = "Set LITELLM_API_KEY (or LITELLM_MASTER_KEY) to a key of this proxy."
            what = f"The proxy wants a key: {said}"
            return Unusable(SmokeVerdict.NO_KEY, what, hint, ready=True)
        hint = (
            "Compare LITELLM_API_KEY or LITELLM_MASTER_KEY with the key the proxy was started with."
        )
        what = f"The proxy does not know this key: {said}"
        return Unusable(SmokeVerdict.WRONG_KEY, what, hint, ready=True)

    def _error_line(self, reply: httpx.Response) -> str:
        """LiteLLM's own words without its trailing list of groups, on one line, redacted."""
        body = _object(reply)
        error = body.get("error", body.get("detail"))
        message = error.get("message") if isinstance(error, dict) else error
        text = message if isinstance(message, str) and message else reply.text
        for trailer in TRAILERS:
            text = text.partition(trailer)[0]
        return self._line(text) or reply.reason_phrase

    def _line(self, text: str) -> str:
        line = " ".join(self._redactor.redact(text).split())
        return line if len(line) <= DETAIL_LENGTH else line[: DETAIL_LENGTH - 3] + "..."


_PROTOCOLS: dict[str, ChatProtocol] = {
    "/v1/chat/completions": OpenAIProtocol(),
    "/v1/responses": ResponsesProtocol(),
}


def _no_answer(body: dict[str, Any], path: str) -> str:
    """Why a reply is no answer, by the rules of a trial; "" where it is one."""
    protocol = _PROTOCOLS.get(path)
    if protocol is None:
        listed = any(isinstance(body.get(part), list) for part in ("choices", "data"))
        return "" if listed else NO_COMPLETION
    try:
        outcome, words = judge_answer(protocol.parse(body))
    except UnexpectedShape:
        return NO_COMPLETION
    return "" if outcome is Outcome.ANSWERED else words


def _refuses_key(reply: httpx.Response) -> bool:
    if reply.status_code in (401, 403):
        return True
    return reply.status_code in (400, 500) and any(words in reply.text for words in NO_KEY_WORDS)


def _object(reply: httpx.Response) -> dict[str, Any]:
    """The JSON object of a reply; {} where it is none."""
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
