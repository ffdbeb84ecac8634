"""What rollcall remembers between runs: providers, first-seen days, runs, trials, acceptances.

Losing it loses no entry: guards and grace compare with config.yaml itself. It holds what the file
cannot say: last good times, when an id was first seen, what was accepted.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, ValidationError

from rollcall.files import sha256_of

SCHEMA = 1
RUNS_KEPT = 20
"""On record, the newest."""


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
        key_mark: of the key it was last asked with (`secrets.key_mark`); "" = not known.
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
    key_mark: str = ""


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
    by: str = ""
    """Who ran it."""
    version: str = ""
    """What the store calls what was written, `version_of` a file; "" where nothing was."""


class TrialRecord(BaseModel):
    """What one model said when it was tried, at one address with one key.

    Attributes:
        key: a salted one-way fingerprint of the key; "" = none was needed. Never the key.
        outcome: a `providers.chat.errors.Outcome`. asked: the last try, ISO 8601 UTC.
        answered: the last time it answered; None = never.
        words: the provider's own, redacted, one line; "" where it answered.
    """

    model_config = ConfigDict(extra="ignore")

    provider: str
    id: str
    address: str
    key: str = ""
    outcome: str
    asked: str
    answered: str | None = None
    words: str = ""


class State(BaseModel):
    """The whole of state.json."""

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
    salt: str = ""
    """Of the keys' fingerprints in `trials`; random, made with the first of them."""
    trials: list[TrialRecord] = []

    def merged(self, other: State) -> State:
        """This state and another run's of the same config, where both began from one.

        Of each provider what was learnt last stands, the first day an id was seen and the last.
        """
        ours_is_newer = (self.last_run or "") >= (other.last_run or "")
        newest, older = (self, other) if ours_is_newer else (other, self)
        providers = dict(older.providers)
        for name, row in newest.providers.items():
            providers[name] = _joined(row, providers[name]) if name in providers else row
        runs = {(run.at, run.command, run.summary): run for run in (*older.runs, *newest.runs)}
        return newest.model_copy(
            update={
                "providers": providers,
                "accepted": sorted({*self.accepted, *other.accepted}),
                "runs": sorted(runs.values(), key=lambda run: run.at)[-RUNS_KEPT:],
            }
        )

    def first_seen(self, provider: str, model_id: str, listed_on: date) -> date | None:
        """The day an id was first seen; None = there from our first look, old enough for all.

        Args:
            listed_on: the day of the list that has it: what counts for an id not yet remembered.
        """
        known = self.providers.get(provider)
        if known is None or not known.last_good:
            return None
        return known.first_seen.get(model_id, listed_on)

    @classmethod
    def from_bytes(cls, content: bytes) -> State:
        """Read state.json.

        Raises:
            StateUnreadable: it is damaged, or a newer rollcall's.
        """
        try:
            version = _Version.model_validate_json(content).schema_version
            if version > SCHEMA:
                raise StateUnreadable("state.json was written by a newer rollcall.", version)
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise StateUnreadable("state.json is damaged.") from error

    def to_bytes(self) -> bytes:
        """state.json, on one line: the same state gives the same bytes."""
        return self.model_dump_json().encode() + b"\n"


def _joined(one: ProviderState, other: ProviderState) -> ProviderState:
    newest, older = (
        (one, other) if (one.last_asked or "") >= (other.last_asked or "") else (other, one)
    )
    first = {**older.first_seen}
    for model_id, day in newest.first_seen.items():
        known = first.get(model_id, day)
        first[model_id] = min(day, known) if day and known else None
    last = {**older.last_seen, **newest.last_seen}
    good = [day for day in (one.last_good, other.last_good) if day]
    return newest.model_copy(
        update={"first_seen": first, "last_seen": last, "last_good": max(good, default=None)}
    )


class _Version(BaseModel):
    schema_version: int = SCHEMA


def digest_of_ours(config: bytes) -> str:
    """sha256 of our lines in a config.yaml, as `State.written_blocks_sha256` keeps it."""
    from rollcall.litellm_config.sections import managed_text

    return sha256_of(managed_text(config).encode()) if config else sha256_of(b"")
