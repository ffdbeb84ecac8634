"""What the routes do, put together from its parts."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from rollcall.service.access import Gate
from rollcall.service.forwarding import Forwarding
from rollcall.service.inventory_watch import InventoryWatch, files_stamp
from rollcall.service.listings import Listings
from rollcall.service.problems import TOKEN_NEEDED, Problem, bad_request
from rollcall.service.question import Asked, QueryError, Question, Shape, read_question
from rollcall.service.refresher import Refresher
from rollcall.service.rendering import etag_of, to_json
from rollcall.service.replies import content_reply, problem_reply
from rollcall.service.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rollcall.inspect.inventory import Inventory
    from rollcall.service.known import Known
    from rollcall.service.options import ServeOptions

_log = logging.getLogger("rollcall.service")


class Service:
    """The service of one process."""

    def __init__(
        self,
        options: ServeOptions,
        inventory: Callable[[], Inventory],
        refresh: Callable[[], None] | None,
        seconds: Callable[[], float],
    ) -> None:
        self.options = options
        self.gate = Gate(options.tokens, options.upstream_key, options.operator_keys)
        settings = options.settings
        keys_set = frozenset(name for name, value in settings.environ.items() if value.strip())
        self.watch = InventoryWatch(inventory, lambda: files_stamp(settings), keys_set)
        self.upstream = Upstream(options.upstream_url)
        self.listings = Listings(
            self.upstream,
            lambda: self.watch.known,
            patience_seconds=options.upstream_timeout_seconds,
            clock=seconds,
        )
        self._seconds = seconds
        self._refresher = Refresher(refresh, seconds)
        self._forwarding = Forwarding(self.upstream, self.gate)

    @property
    def known(self) -> Known:
        """What rollcall knows now."""
        return self.watch.known

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read the inventory, keep it and our own list fresh, and tidy up in the end."""
        await self.watch.look()
        tasks = [asyncio.create_task(self.watch.watch())]
        if self.gate.has_tokens:
            tasks.append(asyncio.create_task(self._stay_warm()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.listings.close()
            await self.upstream.close()

    async def list_models(self, request: Request) -> Response:
        """LiteLLM's list for this caller, enriched."""
        scope = request.scope
        caller = self.gate.admit(scope["headers"])
        if caller is None:
            return problem_reply(TOKEN_NEEDED, scope)
        try:
            asked = read_question(_listing_path(scope), scope["query_string"], scope["headers"])
        except QueryError as error:
            return problem_reply(bad_request(str(error)), scope)
        answer = await self.listings.answer(caller, asked, now=asked.refresh)
        extra: dict[str, str] = {}
        if asked.refresh and not isinstance(answer, Problem):
            extra["x-rollcall-refresh"] = await self._refresher.ask_anew()
            await self.watch.look()
            answer = await self.listings.answer(caller, asked)
        if isinstance(answer, Problem):
            return problem_reply(answer, scope)
        rendered = answer.rendered
        return content_reply(rendered.content, rendered.etag, answer, scope, extra)

    async def one_model(self, name: str, request: Request) -> Response | None:
        """One row of the caller's list; None when it is not in it: LiteLLM decides then.

        LiteLLM's own route answers neither names with a slash nor aliases.
        """
        scope = request.scope
        caller = self.gate.admit(scope["headers"])
        if caller is None:
            return problem_reply(TOKEN_NEEDED, scope)
        try:
            asked = read_question("/v1/models", scope["query_string"], scope["headers"])
        except QueryError as error:
            return problem_reply(bad_request(str(error)), scope)
        if asked.question.shape is Shape.CODEX:
            return None
        answer = await self.listings.answer(caller, asked)
        if isinstance(answer, Problem):
            return problem_reply(answer, scope)
        row = answer.rendered.rows.get(name)
        if row is None:
            return None
        content = to_json(row)
        return content_reply(content, etag_of(content), answer, scope, {})

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Any other call, streamed to LiteLLM and back."""
        caller = self.gate.admit(scope["headers"])
        if caller is None:
            return await problem_reply(TOKEN_NEEDED, scope)(scope, receive, send)
        return await self._forwarding.forward(caller, scope, receive, send)

    def health(self) -> JSONResponse:
        """Whether LiteLLM answers, and how old the last good list is. Says nothing about keys."""
        health = self.listings.health
        age = None if health.last_good is None else round(self._seconds() - health.last_good, 1)
        well = health.answers is not False and self.watch.problem is None
        return JSONResponse(
            {
                "status": "ok" if well else "degraded",
                "upstream": {"answers": health.answers, "last_good_age_seconds": age},
                "inventory": {"readable": self.watch.problem is None},
            },
            headers={"cache-control": "no-store"},
        )

    async def _stay_warm(self) -> None:
        """Ask for the list in the background, from the start and whether or not anybody else does.

        So there is a last good list when LiteLLM goes down, and its return is noticed.
        """
        plain = Asked(Question(Shape.OPENAI, "/v1/models"))
        while True:
            await self.listings.answer(self.gate.own, plain)
            await asyncio.sleep(self.options.refresh_interval_seconds)
            await self.listings.refresh_warm(self.gate.own)


class ForwardReply(Response):
    """A response that is LiteLLM's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            return


def _listing_path(scope: Scope) -> str:
    """Where LiteLLM answers this listing: without a trailing slash, which it redirects."""
    path: str = scope["path"].rstrip("/")
    return "/v1/models" if path == "/models" else quote(path)
