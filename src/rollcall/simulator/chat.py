"""The calls a simulated provider answers: completions in each provider's own protocol."""

from __future__ import annotations

from rollcall.simulator.http import Reply, Request


def answer(protocol: str, request: Request) -> Reply | None:
    """The reply to a completion call of `protocol`, or None when the path is not one."""
    raise NotImplementedError
