"""What rollcall remembers between runs. Pure values; `rollcall.store` keeps them on disk.

Losing the state loses no entry: guards and grace compare with config.yaml itself. It holds what
the file cannot say: last good times, when an id was first seen, what was accepted.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, ValidationError

SCHEMA = 1


class StateUnreadable(ValueError):
    """Bytes that are no state of ours: damaged, or a newer version's.

    Attributes:
        schema_version: the newer version; None when damaged.
    """

    def __init__(self, what: str, schema_version: int | None = None) -> None:
        super().__init__(what)
        self.schema_version = schema_version


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
    written_blocks_sha256: str | None = None
    """Our lines as we last left them: tells that they were edited by hand."""
    runs: list[RunRecord] = []
    """Newest last, at most 20."""

    @classmethod
    def from_bytes(cls, content: bytes) -> State:
        """Read state.json.

        Raises:
            StateUnreadable: it is damaged, or a newer rollcall's.
        """
        try:
            state = cls.model_validate_json(content)
        except ValidationError as error:
            version = _schema_version(content)
            if version is None or version <= SCHEMA:
                raise StateUnreadable("state.json is damaged.") from error
        else:
            version = state.schema_version
        if version > SCHEMA:
            raise StateUnreadable("state.json was written by a newer rollcall.", version)
        return state

    def to_bytes(self) -> bytes:
        """state.json, on one line: the same state gives the same bytes."""
        return self.model_dump_json().encode() + b"\n"


class _Version(BaseModel):
    schema_version: int


def _schema_version(content: bytes) -> int | None:
    try:
        return _Version.model_validate_json(content).schema_version
    except ValidationError:
        return None
