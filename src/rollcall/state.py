"""What rollcall remembers between runs. Pure values; `rollcall.store` keeps them on disk.

Losing the state loses no entry: guards and grace compare with config.yaml itself. It holds what
the file cannot say: last good times, when an id was first seen, what was accepted.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

SCHEMA = 1


class ProviderState(BaseModel):
    """One provider's history. Times are ISO 8601 UTC; None = never.

    Attributes:
        last_good: last time it answered well. stale_since: start of the present run of failures.
        first_seen: id -> the day we saw it first; ids seen in the very first good answer carry
            None, they are old enough for every `min_age`.
        last_seen: id -> the last day it was listed (kept for ids that left, pruned after a year).
    """

    model_config = ConfigDict(extra="ignore")

    verdict: str = "not_asked"
    detail: str = ""
    last_asked: str | None = None
    last_good: str | None = None
    stale_since: str | None = None
    models: int = 0
    first_seen: dict[str, date | None] = {}
    last_seen: dict[str, date] = {}


class RunRecord(BaseModel):
    """One run that wrote, or would have: for `status`, the page and `models`."""

    model_config = ConfigDict(extra="ignore")

    at: str
    command: str
    outcome: str
    """applied | unchanged | refused | nobody | error"""
    summary: str = ""
    changes: list[str] = []
    backup_id: str | None = None


class State(BaseModel):
    """The whole of `.rollcall/state.json`."""

    model_config = ConfigDict(extra="ignore")

    schema_version: int = SCHEMA
    last_run: str | None = None
    providers: dict[str, ProviderState] = {}
    accepted: list[str] = []
    policy_text: str | None = None
    """The policy at the last apply: tells a policy edit from a change at the provider."""
    written_sha256: str | None = None
    """config.yaml as we last wrote it: tells that entries between our markers were edited."""
    runs: list[RunRecord] = []
    """Newest last, at most 20."""
