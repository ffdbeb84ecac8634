"""`python -m benchmarks.load lists URL COUNT` or `streams URL URL COUNT`: load, on plain sockets.

A client library would cost more than the servers it measures. Prints one line of JSON; times are
in seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from statistics import median
from urllib.parse import urlsplit

CONNECTIONS = 8
PATIENCE_SECONDS = 15.0


def main() -> None:
    """Run and print."""
    kind, *rest = sys.argv[1:]
    if kind == "lists":
        found = asyncio.run(lists(rest[0], int(rest[1])))
    else:
        found = asyncio.run(streams(rest[0], rest[1], int(rest[2])))
    sys.stdout.write(json.dumps(found))


async def lists(url: str, count: int) -> dict[str, float]:
    """`count` GETs over CONNECTIONS connections that stay open."""
    await _until_ready(url)
    sizes: list[int] = []
    times: list[float] = []

    async def one_connection() -> None:
        link = await _Link.open(url)
        for _ in range(count // CONNECTIONS):
            started = time.perf_counter()
            sizes.append(len(await link.get()))
            times.append(time.perf_counter() - started)
        link.close()

    started = time.perf_counter()
    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))
    took = time.perf_counter() - started
    p99 = sorted(times)[int(0.99 * len(times))]
    return {"per_second": len(times) / took, "p99": p99, "bytes": max(sizes)}


async def streams(ours: str, direct: str, count: int) -> dict[str, float]:
    """Until the first byte of a streamed answer's body, in turn through ours and directly."""
    await _until_ready(f"{ours}/models")
    times: dict[str, list[float]] = {"ours": [], "direct": []}
    links = {"ours": await _Link.open(ours), "direct": await _Link.open(direct)}
    for turn in range(-2, count):
        for name, link in links.items():
            took = await link.first_byte("/chat/completions")
            if turn >= 0:
                times[name].append(took)
    return {name: median(taken) for name, taken in times.items()}


async def _until_ready(url: str) -> None:
    """Wait for a server that is still starting, and for its first list."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            link = await _Link.open(url)
            await link.get()
        except (OSError, RuntimeError, asyncio.IncompleteReadError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)
        else:
            return


class _Link:
    """One open connection."""

    def __init__(
        self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        parts = urlsplit(url)
        self._path, self._host = parts.path, parts.netloc
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> _Link:
        """Connect."""
        parts = urlsplit(url)
        streams = await asyncio.open_connection(parts.hostname, parts.port, limit=2**22)
        return cls(url, *streams)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def get(self) -> bytes:
        """The body of a GET."""
        self._send("GET", self._path)
        length = await self._head()
        return await self._reader.readexactly(length or 0)

    async def first_byte(self, path: str) -> float:
        """Seconds until the body of a streamed answer begins; the rest is read, too."""
        question = [{"role": "user", "content": "hello"}]
        body = json.dumps({"model": "gpt-5.5", "stream": True, "messages": question}).encode()
        started = time.perf_counter()
        self._send("POST", self._path + path, body)
        await self._head()
        size = await self._reader.readline()
        took = time.perf_counter() - started
        while int(size, 16):
            await self._reader.readexactly(int(size, 16) + 2)
            size = await self._reader.readline()
        await self._reader.readline()
        return took

    def _send(self, method: str, path: str, body: bytes = b"") -> None:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"host: {self._host}",
            f"authorization: Bearer {os.environ['LOAD_KEY']}",
            "content-type: application/json",
            f"content-length: {len(body)}",
        ]
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def _head(self) -> int | None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if not head.startswith("http/1.1 200"):
            raise RuntimeError(head.split("\r\n")[0])
        _, _, length = head.partition("content-length:")
        return int(length.split("\r\n")[0]) if length else None


if __name__ == "__main__":
    main()
