"""The routes."""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rollcall._version import __version__
from rollcall.service import api_description
from rollcall.service.access_log import AccessLog
from rollcall.service.page_routes import page_routes
from rollcall.service.problems import INTERNAL, Problem, bad_request, not_found
from rollcall.service.replies import problem_reply
from rollcall.service.service import ForwardReply, Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rollcall.inspect.inventory import Inventory
    from rollcall.service.options import ServeOptions

LISTING_PATHS = ("/v1/models", "/models", "/v1/model/info", "/model/info")
UNPREFIXED_CALLS = ("/chat/completions", "/completions", "/embeddings", "/responses")
"""What clients call whose base URL has no `/v1`; LiteLLM serves both."""

_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


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
        title="rollcall",
        version=__version__,
        description=api_description.ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _http_problem, 500: _bug},
    )
    app.state.service = service
    _add_api(app, service)
    app.router.routes.extend(page_routes(service, now))
    app.router.routes.extend(_forward_routes(service))
    _describe_security(app)
    app.add_middleware(AccessLog)
    if options.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(options.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["etag", "age", "x-rollcall-source", "x-rollcall-refresh"],
        )
    return app


def _add_api(app: FastAPI, service: Service) -> None:
    async def list_models(request: Request) -> Response:
        return await service.list_models(request)

    async def one_model(request: Request) -> Response:
        name = request.path_params["model_id"].rstrip("/")
        if not name:
            return await service.list_models(request)
        reply = await service.one_model(name, request)
        return reply or ForwardReply(service.forward)

    async def healthz() -> Response:
        return service.health()

    for path in LISTING_PATHS:
        extra = api_description.listing(path)
        _add_get(app, path, list_models, extra)
        if path != "/v1/models":
            _add_get(app, path + "/", list_models, None)
    _add_get(app, "/v1/models/{model_id:path}", one_model, api_description.one_model())
    _add_get(app, "/healthz", healthz, api_description.health())


def _add_get(
    app: FastAPI, path: str, endpoint: Callable[..., Any], description: dict[str, Any] | None
) -> None:
    """A GET that HEAD may ask too; only GET stands in the description."""
    app.add_api_route(
        path,
        endpoint,
        methods=["GET"],
        response_model=None,
        include_in_schema=description is not None,
        **(description or {}),
    )
    app.add_api_route(
        path, endpoint, methods=["HEAD"], response_model=None, include_in_schema=False
    )


def _forward_routes(service: Service) -> list[Route]:
    """Everything else under /v1, streamed; and the calls clients make without the /v1."""

    async def forward(request: Request) -> Response:
        path = request.scope["path"]
        if path.rstrip("/") in LISTING_PATHS or path.startswith("/v1/models/"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        return ForwardReply(service.forward)

    paths = ("/v1/{path:path}", *UNPREFIXED_CALLS)
    return [Route(path, forward, methods=_EVERY_METHOD, include_in_schema=False) for path in paths]


def _describe_security(app: FastAPI) -> None:
    """Say in the OpenAPI description how a key is sent; FastAPI knows only its own classes."""
    described = app.openapi

    def with_security() -> dict[str, Any]:
        schema = described()
        schema.setdefault("components", {})["securitySchemes"] = api_description.SECURITY_SCHEMES
        return schema

    app.openapi = with_security  # type: ignore[method-assign] # the documented way to extend it


async def _http_problem(request: Request, error: Exception) -> Response:
    """404 and 405 in the words of whoever asked."""
    assert isinstance(error, HTTPException)
    problem: Problem = (
        not_found("There is nothing here.")
        if error.status_code == 404
        else bad_request(f"{error.detail}.", error.status_code)
    )
    reply = problem_reply(problem, request.scope)
    reply.headers.update(error.headers or {})
    return reply


async def _bug(request: Request, error: Exception) -> Response:
    """500: our mistake; the log has the traceback, the caller does not."""
    logging.getLogger("rollcall.service").error("unexpected error", exc_info=error)
    return problem_reply(INTERNAL, request.scope)
