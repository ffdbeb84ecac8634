"""`python -m benchmarks.serving rollcall|constant UPSTREAM`: one server, for the load generator.

Prints its base URL, then serves until terminated. `constant` is the floor: the same FastAPI and
uvicorn, answering the bytes that UPSTREAM lists, kept from one request before.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import httpx


def main() -> None:
    """Serve."""
    what, upstream = sys.argv[1:]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}/v1\n")
    sys.stdout.flush()
    (_rollcall if what == "rollcall" else _constant)(port, upstream)


def _rollcall(port: int, upstream: str) -> None:
    from rollcall import settings
    from rollcall.service import ServeOptions, serve

    found = settings.resolve(cwd=Path.cwd())
    serve(ServeOptions(settings=found, port=port, upstream=upstream))


def _constant(port: int, upstream: str) -> None:
    import uvicorn
    from fastapi import FastAPI, Response

    key = os.environ["OPENAI_API_KEY"]
    listed = httpx.get(f"{upstream}/models", headers={"authorization": f"Bearer {key}"}).content
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> Response:
        return Response(listed, media_type="application/json")

    uvicorn.run(app, port=port, access_log=False, log_level="error")


if __name__ == "__main__":
    main()
