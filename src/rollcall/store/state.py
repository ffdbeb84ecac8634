"""What rollcall remembers between runs, and the files it is kept in.

Losing the state loses no entry: guards and grace compare with config.yaml itself. It holds what
the file cannot say: last good times, when an id was first seen, what was accepted.

Written whole by rename, but not synced: after a power cut they may be damaged, which is noticed,
and costs a note and one more question to the providers, never an entry of config.yaml.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from rollcall.catalog.model import Verdict
from rollcall.errors import StoreError
from rollcall.files import MOST_TEXT_BYTES, sha256_of
from rollcall.store.atomic import read_bytes, replace_file
from rollcall.store.disk_errors import words
from rollcall.store.folder import config_folder, prepare_part
from rollcall.store.freshness import STAMP

if TYPE_CHECKING:
    from pathlib import Path

    from rollcall.catalog.model import Answer


FACTS = "facts.json"
SCHEMA = 1
STATE = "state.json"
REPLIES = "replies"


class StateUnreadable(ValueError):
    """Bytes that are no state of ours: damaged, or a newer version's.

    Attributes:
        schema_version: the newer version; None when damaged.
    """

    def __init__(self, what: str, schema_version: int | None = None) -> None:
        super().__init__(what)
        self.schema_version = schema_version


class KeptReply(NamedTuple):
    """A provider's last good reply.

    Attributes:
        pages: the bodies. fetched_at: when they first came. partial: see `Answer.partial`.
    """

    pages: tuple[bytes, ...]
    fetched_at: str
    partial: str = ""


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
    """Who ran it, where several may; "" of a config that is a file."""
    version: str = ""
    """What the store calls what was written; "" of a file, or where nothing was."""


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
    _unread: bool = PrivateAttr(default=False)
    """Stands for a state that is there and could not be read: it is never written."""

    @classmethod
    def unread(cls) -> State:
        """What stands for a state that is there and cannot be read: it is never written."""
        state = cls()
        state._unread = True
        return state

    @property
    def is_unread(self) -> bool:
        """Whether it stands for one that could not be read."""
        return self._unread

    def merged(self, other: State) -> State:
        """This state and another run's of the same config, where both began from one.

        Of each provider what was learnt last stands, the first day an id was seen and the last.
        """
        newest, older = (self, other) if _last(self) >= _last(other) else (other, self)
        providers = dict(older.providers)
        for name, row in newest.providers.items():
            providers[name] = _joined(row, providers[name]) if name in providers else row
        runs = {(run.at, run.command, run.summary): run for run in (*older.runs, *newest.runs)}
        return newest.model_copy(
            update={
                "providers": providers,
                "accepted": sorted({*self.accepted, *other.accepted}),
                "runs": sorted(runs.values(), key=lambda run: run.at)[-20:],
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


def _last(state: State) -> str:
    return state.last_run or ""


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
    schema_version: int


def _schema_version(content: bytes) -> int | None:
    try:
        return _Version.model_validate_json(content).schema_version
    except ValidationError:
        return None


@dataclass(frozen=True)
class StateFiles:
    """What the state folder knows of one config; all of it may be lost without harm.

    `.rollcall/` may serve several configs. Each has a folder in it, named by `config_folder`, with
    state.json, fresh.json and replies/. An older rollcall kept one of each for all: what lies there
    still is moved to the config that wrote it last.
    """

    state_dir: Path
    config_path: Path

    @cached_property
    def folder(self) -> Path:
        """This config's own."""
        return config_folder(self.config_path, self.state_dir)

    def read_state(self) -> tuple[State, tuple[str, ...]]:
        """The state, or a fresh one and a note why.

        One that is there and cannot be read just now is not a damaged one: a fresh state stands
        for it in this run, and `write_state` leaves the file alone.
        """
        try:
            content = read_bytes(self._state_path)
            if content is not None:
                return State.from_bytes(content), ()
            return self._from_shared()
        except StateUnreadable as error:
            return State(), (f"The state was begun anew: {error}",)
        except StoreError as error:
            why = f"{error.what} This run goes on without what it remembers, and keeps nothing new."
            return State.unread(), (why,)

    def write_state(self, state: State) -> tuple[str, ...]:
        """Keep the state, unless it is there already; put aside what is damaged."""
        if state.is_unread:
            return ()
        content = state.to_bytes()
        try:
            present = read_bytes(self._state_path)
            if present == content:
                return ()
            prepare_part(self.folder)
            heir = present is None and self._is_heir()
            if present is not None:
                self._put_aside_unreadable(present)
            replace_file(self._state_path, content, synced=False)
            if heir:
                self._move_shared()
        except OSError as error:
            return (f"The state could not be kept in {self.folder}: {words(error)}.",)
        except StoreError as error:
            return (f"The state could not be kept: {error.what}",)
        return ()

    def _from_shared(self) -> tuple[State, tuple[str, ...]]:
        """What an older rollcall kept for all configs of the folder, if it is this one's."""
        content = read_bytes(self._shared_path)
        if content is None:
            return State(), ()
        state = State.from_bytes(content)
        if self._wrote(state):
            return state, (f"{self._shared_path} is taken over for {self.config_path.name}.",)
        note = f"The state was begun anew: {self._shared_path} is that of another config."
        return State(), (note,)

    def _is_heir(self) -> bool:
        """Whether what an older rollcall kept for all configs of the folder is this one's."""
        try:
            content = read_bytes(self._shared_path)
            return content is not None and self._wrote(State.from_bytes(content))
        except (StateUnreadable, StoreError):
            return False

    def _wrote(self, state: State) -> bool:
        """Whether this config is the one a shared state was kept for last: our lines in it are as
        that run left them, or at least those of no other config beside it are.
        """
        last = state.written_blocks_sha256
        if last in (None, digest_of_ours(b""), self._digest(self.config_path)):
            return True
        beside = self.config_path.parent.glob("*.y*ml")
        return all(self._digest(path) != last for path in sorted(beside))

    def _digest(self, path: Path) -> str | None:
        try:
            return digest_of_ours(read_bytes(path, MOST_TEXT_BYTES) or b"")
        except StoreError:
            return None

    def _move_shared(self) -> None:
        """Take over the stored lists, where we have no newer ones, and leave nothing behind."""
        self._prepare_replies()
        for path in sorted((self.state_dir / REPLIES).glob("*.reply")):
            kept = self._replies / path.name
            if kept.exists():
                path.unlink()
            else:
                path.replace(kept)
        with suppress(OSError):
            (self.state_dir / REPLIES).rmdir()
        (self.state_dir / STAMP).unlink(missing_ok=True)
        self._shared_path.unlink(missing_ok=True)

    def write_replies(self, answers: tuple[Answer, ...]) -> tuple[str, ...]:
        """Keep the bodies of good answers; a note where that fails."""
        notes = []
        for answer in answers:
            if is_good(answer):
                try:
                    self._write_reply(answer)
                except (OSError, StoreError) as error:
                    why = words(error) if isinstance(error, OSError) else error.what
                    notes.append(
                        f"The reply of {answer.provider} could not be kept: {why.rstrip('.')}."
                    )
        return tuple(notes)

    def read_replies(self, provider: str) -> KeptReply | None:
        """The last good reply; None when none is kept, or it is damaged."""
        try:
            content = read_bytes(self._reply_path(provider))
            if content is None and not self._state_path.exists() and self._is_heir():
                content = read_bytes(self.state_dir / REPLIES / self._reply_path(provider).name)
        except StoreError:
            return None
        return None if content is None else unpack_reply(provider, content)

    def write_stamp(self, text: str) -> tuple[str, ...]:
        """Keep the stamp of freshness, unless it is there already; a note where that fails."""
        return self._keep(STAMP, text.encode())

    def read_facts(self) -> bytes | None:
        """What was looked up in other lists, as `write_facts` left it; None = nothing is kept."""
        try:
            return read_bytes(self.folder / FACTS)
        except StoreError:
            return None

    def write_facts(self, content: bytes) -> tuple[str, ...]:
        """Keep what was looked up in other lists; a note where that fails."""
        return self._keep(FACTS, content)

    def _keep(self, name: str, content: bytes) -> tuple[str, ...]:
        path = self.folder / name
        try:
            if read_bytes(path) != content:
                prepare_part(self.folder)
                replace_file(path, content, synced=False)
        except OSError as error:
            return (f"{path} could not be written: {words(error)}.",)
        except StoreError as error:
            return (error.what,)
        return ()

    @property
    def _state_path(self) -> Path:
        return self.folder / STATE

    @property
    def _replies(self) -> Path:
        return self.folder / REPLIES

    def _prepare_replies(self) -> None:
        prepare_part(self.folder)
        self._replies.mkdir(mode=0o700, exist_ok=True)

    @property
    def _shared_path(self) -> Path:
        return self.state_dir / STATE

    def _put_aside_unreadable(self, content: bytes) -> None:
        """Keep, once, a state that is damaged or a newer version's, before it is overwritten."""
        try:
            State.from_bytes(content)
        except StateUnreadable as error:
            kind = "newer" if error.schema_version and error.schema_version > SCHEMA else "broken"
            aside = self.folder / f"{STATE}.{kind}"
            if kind == "newer" or not aside.exists():
                replace_file(aside, content, synced=False)

    def _write_reply(self, answer: Answer) -> None:
        path = self._reply_path(answer.provider)
        with suppress(StoreError):
            present = read_bytes(path)
            kept = unpack_reply(answer.provider, present) if present else None
            if kept and (kept.pages, kept.partial) == (answer.pages, answer.partial):
                return
        self._prepare_replies()
        replace_file(path, pack_reply(answer), synced=False)

    def _reply_path(self, provider: str) -> Path:
        return self._replies / reply_name(provider)


def is_good(answer: Answer) -> bool:
    """Whether an answer's bodies are worth keeping."""
    public = answer.verdict is Verdict.NO_KEY and bool(answer.models)
    return (answer.verdict is Verdict.OK or public) and bool(answer.pages) and not answer.offline


def reply_name(provider: str) -> str:
    """A name that every file system takes: the policy may call a provider anything."""
    plain = re.sub(r"[^a-z0-9-]+", "_", provider.lower())[:40]
    digest = sha256_of(provider.encode(errors="surrogatepass"))[:8]
    return f"{plain}-{digest}.reply"


def digest_of_ours(config: bytes) -> str:
    """sha256 of our lines in a config.yaml, as `State.written_blocks_sha256` keeps it."""
    from rollcall.litellm_config.sections import managed_text

    return sha256_of(managed_text(config).encode()) if config else sha256_of(b"")


def pack_reply(answer: Answer) -> bytes:
    body = b"".join(answer.pages)
    header = {
        "schema": 1,
        "provider": answer.provider,
        "fetched_at": answer.fetched_at,
        **({"partial": answer.partial} if answer.partial else {}),
        "pages": [len(page) for page in answer.pages],
        "sha256": sha256_of(body),
    }
    return json.dumps(header).encode() + b"\n" + body


def unpack_reply(provider: str, content: bytes) -> KeptReply | None:
    header, _, body = content.partition(b"\n")
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        fields = json.loads(header)
        sizes: list[int] = fields["pages"]
        whole = fields["sha256"] == sha256_of(body) and sum(sizes) == len(body)
        if fields["provider"] == provider and fields["schema"] == 1 and whole and min(sizes) >= 0:
            ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
            pages = tuple(body[end - size : end] for end, size in zip(ends, sizes, strict=True))
            return KeptReply(pages, str(fields["fetched_at"]), str(fields.get("partial", "")))
    return None
