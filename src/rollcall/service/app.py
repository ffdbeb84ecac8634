"""The routes of the service and what each does."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rollcall.service.access import Authenticator
from rollcall.service.cache import ModelListCache
from rollcall.service.formats import Format
from rollcall.service.inventory_source import InventorySource, Refresher, files_stamp
from rollcall.service.model_list import etag_of, to_json
from rollcall.service.page_routes import page_routes
from rollcall.service.requests import (
    INTERNAL,
    LIST_PATHS,
    NO_WEBSOCKET,
    TOKEN_NEEDED,
    ApiError,
    ListRequest,
    Refusal,
    error_reply,
    not_served,
    read_list_request,
    tidy_path,
)
from rollcall.service.upstream import ForwardedReply, OtherAnswer, Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rollcall.inspect.inventory import Inventory
    from rollcall.service import ServeOptions
    from rollcall.service.access import Caller
    from rollcall.service.cache import ListAnswer

UNPREFIXED_CALLS = ("/chat/completions", "/completions", "/embeddings", "/responses")
"""What clients call whose base URL has no `/v1`; LiteLLM serves both."""

_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_VARY = "Authorization, X-Api-Key, X-LiteLLM-Api-Key, Anthropic-Version, User-Agent"


def create_app(
    options: ServeOptions,
    *,
    inventory: Callable[[], Inventory],
    refresh: Callable[[], None] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    seconds: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The application.

    Args:
        inventory: reads what rollcall knows; called in a thread, at start and after a change of
            config.yaml, the policy or the state folder.
        refresh: what `?refresh=true` calls, in a thread; None = off.
        now: the clock of the page's ages. seconds: the clock lists grow old by.

    Raises:
        SettingsError: the upstream's address makes no sense.
    """
    service = Service(options, inventory, refresh, seconds)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        routes=[*_api_routes(service), *page_routes(service, now)],
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={Refusal: _refusal, HTTPException: _http_error, 500: _bug},
    )
    app.state.service = service
    app.add_middleware(TidyPath)
    if options.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(options.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["etag", "age", "x-rollcall-source", "x-rollcall-refresh"],
        )
    return app


def _api_routes(service: Service) -> list[BaseRoute]:
    get = ["GET", "HEAD"]
    return [
        *(Route(path, service.list_models, methods=get) for path in LIST_PATHS),
        Route("/v1/models/{name:path}", service.one_model, methods=get),
        Route("/healthz", service.health, methods=get),
        Route("/v1/realtime", _no_websocket, methods=get),
        *(
            Route(path, service.forward, methods=_EVERY_METHOD)
            for path in ("/v1/{path:path}", *UNPREFIXED_CALLS)
        ),
    ]


class TidyPath:
    """Middleware that mends what a base URL with a slash or a `/v1` too many makes of a path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw = scope.get("raw_path") or quote(scope["path"]).encode()
            tidy = tidy_path(raw.decode("latin-1")).encode("latin-1")
            scope = {**scope, "path": tidy_path(scope["path"]), "raw_path": tidy}
        await self._app(scope, receive, send)


class Service:
    """What the routes share."""

    def __init__(
        self,
        options: ServeOptions,
        inventory: Callable[[], Inventory],
        refresh: Callable[[], None] | None,
        seconds: Callable[[], float],
    ) -> None:
        settings = options.settings
        self.options = options
        self.authenticator = Authenticator(
            options.tokens, options.upstream_key, options.operator_keys
        )
        self.source = InventorySource(inventory, lambda: files_stamp(settings))
        self._upstream = Upstream(options.upstream_url)
        self.lists = ModelListCache(
            self._upstream,
            lambda: self.source.known,
            patience_seconds=options.upstream_timeout_seconds,
            clock=seconds,
        )
        self._seconds = seconds
        self._refresher = Refresher(refresh, seconds)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read the inventory, keep it and our own list fresh, and tidy up in the end."""
        await self.source.look()
        tasks = [asyncio.create_task(self.source.watch())]
        if self.authenticator.has_tokens:
            tasks.append(asyncio.create_task(self._stay_warm()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.lists.close()
            await self._upstream.close()

    async def list_models(self, request: Request) -> Response:
        """LiteLLM's list for this caller, enriched."""
        scope, caller = request.scope, self._caller(request)
        asked = read_list_request(scope["path"], scope["query_string"], scope["headers"])
        answer = await self.lists.get(caller, asked, anew=asked.refresh)
        extra: dict[str, str] = {}
        if asked.refresh and not isinstance(answer, (ApiError, OtherAnswer)):
            extra["x-rollcall-refresh"] = await self._refresher.ask_anew()
            await self.source.look()
            answer = await self.lists.get(caller, asked)
        if isinstance(answer, (ApiError, OtherAnswer)):
            return _no_list(answer, scope)
        rendered = answer.rendered
        return _content_reply(rendered.content, rendered.etag, answer, scope, extra)

    async def one_model(self, request: Request) -> Response:
        """One row of the caller's list; LiteLLM's answer when it is not in it.

        LiteLLM's own route answers neither names with a slash nor aliases.
        """
        scope, caller = request.scope, self._caller(request)
        asked = read_list_request("/v1/models", scope["query_string"], scope["headers"])
        if asked.format is not Format.CODEX:
            answer = await self.lists.get(caller, asked)
            if isinstance(answer, ApiError):
                return error_reply(answer, scope)
            name = request.path_params["name"]
            if not isinstance(answer, OtherAnswer) and name in answer.rendered.rows:
                content = to_json(answer.rendered.rows[name])
                return _content_reply(content, etag_of(content), answer, scope, {})
        return ForwardedReply(self._upstream, self.authenticator, caller)

    async def forward(self, request: Request) -> Response:
        """Any other call, streamed to LiteLLM and back."""
        path = request.scope["path"]
        if path in LIST_PATHS or path.startswith("/v1/models/"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        if request.headers.get("upgrade", "").lower() == "websocket":
            raise Refusal(NO_WEBSOCKET)
        return ForwardedReply(self._upstream, self.authenticator, self._caller(request))

    def _caller(self, request: Request) -> Caller:
        caller = self.authenticator.admit(request.scope["headers"])
        if caller is None:
            raise Refusal(TOKEN_NEEDED)
        return caller

    async def health(self, _: Request) -> Response:
        """Whether LiteLLM answers, and how old the last good list is. Says nothing about keys."""
        health = self.lists.health
        age = None if health.last_good is None else round(self._seconds() - health.last_good, 1)
        readable = self.source.problem is None
        return JSONResponse(
            {
                "status": "ok" if readable and health.answers is not False else "degraded",
                "upstream": {"answers": health.answers, "last_good_age_seconds": age},
                "inventory": {"readable": readable},
            },
            headers={"cache-control": "no-store"},
        )

    async def _stay_warm(self) -> None:
        """Ask for the list in the background, from the start and whether or not anybody else does.

        So there is a last good list when LiteLLM goes down, and its return is noticed.
        """
        own = self.authenticator.own
        while True:
            await self.lists.get(own, ListRequest())
            await asyncio.sleep(self.options.refresh_interval_seconds)
            await self.lists.refresh_warm(own)


def _no_list(answer: ApiError | OtherAnswer, scope: Scope) -> Response:
    """An error of ours, or what LiteLLM answered as it is."""
    if isinstance(answer, ApiError):
        return error_reply(answer, scope)
    headers = {"cache-control": "no-store", "vary": _VARY, "x-rollcall-source": "litellm"}
    return Response(answer.content, answer.status, headers, answer.content_type or None)


def _content_reply(
    content: bytes, etag: str, answer: ListAnswer, scope: Scope, extra: dict[str, str]
) -> Response:
    """Bytes of a list or a model; 304 where the caller has them already."""
    headers = {
        "etag": etag,
        "cache-control": "private, no-cache",
        "vary": _VARY,
        "x-rollcall-source": answer.source,
        "x-content-type-options": "nosniff",
        **extra,
    }
    if answer.age_seconds is not None:
        headers["age"] = str(int(answer.age_seconds))
    given = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    tags = {tag.strip().removeprefix(b"W/") for tag in given.split(b",")}
    if b"*" in tags or etag.encode() in tags:
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, "application/json")


async def _no_websocket(_: Request) -> Response:
    raise Refusal(NO_WEBSOCKET)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error_reply(error.error, request.scope)


async def _http_error(request: Request, error: Exception) -> Response:
    """404 and 405 in the words of whoever asked."""
    assert isinstance(error, HTTPException)
    said = ApiError(error.status_code, f"{error.detail}.")
    if error.status_code == 404:
        said = not_served(request.scope["path"])
    reply = error_reply(said, request.scope)
    reply.headers.update(error.headers or {})
    return reply


async def _bug(request: Request, error: Exception) -> Response:
    """500: our mistake; the log has the traceback, the caller does not."""
    logging.getLogger("rollcall.service").error("unexpected error", exc_info=error)
    return error_reply(INTERNAL, request.scope)
