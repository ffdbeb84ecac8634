"""What one run tells the next, beside the config: state, providers' lists, freshness, facts.

One set of rules for every home. All of it may be lost: what cannot be read is begun anew with a
note, what cannot be kept is a note, never an error.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.catalog.model import Verdict
from rollcall.errors import LostRace, StoreError
from rollcall.files import sha256_of
from rollcall.settings import parse_moment
from rollcall.store.shelf import REPLIES, Held, packed, unpacked
from rollcall.store.state import State, StateUnreadable

if TYPE_CHECKING:
    from rollcall.catalog.model import Answer
    from rollcall.store.shelf import Shelf

STATE = "state.json"
FACTS = "facts.json"
TRIES = 5
"""How often a state is merged with what another run wrote meanwhile."""
QUIET_SECONDS = 3600
"""A shared state in which nothing but times has changed is not written again within this time."""
_TIMES = frozenset({"at", "last_asked", "last_good", "last_run"})


class KeptReply(NamedTuple):
    """A provider's last good reply.

    Attributes:
        pages: the bodies. fetched_at: when they first came. partial: see `Answer.partial`.
    """

    pages: tuple[bytes, ...]
    fetched_at: str
    partial: str = ""


class Memory:
    """Keeps and finds the pieces.

    Args:
        shelf: where they lie. shared: whether other machines write there too. Then a state is
            merged with what another run wrote since it was read, and a run that learnt nothing
            writes nothing. On one machine the last run's stands.
    """

    def __init__(self, shelf: Shelf, *, shared: bool) -> None:
        self._shelf = shelf
        self._shared = shared
        self._seen: dict[str, Held | None] = {}
        self._is_unread = False

    def read_state(self) -> tuple[State, tuple[str, ...]]:
        """The state, or a fresh one and a note why.

        One that is there and cannot be read just now is not a damaged one: a fresh state stands
        for it in this run, and `write_state` leaves it alone.
        """
        self._is_unread = False
        try:
            held = self._look(STATE)
            return (State.from_bytes(held.content), ()) if held else self._first_state()
        except StateUnreadable as error:
            return State(), (f"The state was begun anew: {error}",)
        except StoreError as error:
            why = f"{error.what} This run goes on without what it remembers, and keeps nothing new."
            self._is_unread = True
            return State(), (why,)

    def write_state(self, state: State) -> tuple[str, ...]:
        """Keep the state, unless it is there already; put aside what is damaged."""
        if self._is_unread:
            return ()
        try:
            held = self._seen.get(STATE) if self._shared else self._look(STATE)
            for _ in range(TRIES):
                content = state.to_bytes()
                if held and self._says_the_same(held.content, content):
                    return ()
                try:
                    self._put_aside_unreadable(held)
                    self._write(STATE, content, held)
                except LostRace:
                    held = self._look(STATE)
                    with suppress(StateUnreadable):
                        state = state.merged(State.from_bytes(held.content)) if held else state
                else:
                    return ()
        except StoreError as error:
            return (f"The state could not be kept: {error.what}",)
        return ("The state could not be kept: other runs write it all the time.",)

    def write_replies(self, answers: tuple[Answer, ...]) -> tuple[str, ...]:
        """Keep the bodies of good answers that are new; one note where that fails."""
        failed: dict[str, str] = {}
        for answer in answers:
            if _is_good(answer):
                try:
                    self._write_reply(answer)
                except LostRace:  # another run's is as new
                    continue
                except StoreError as error:
                    failed[answer.provider] = error.what
        if not failed:
            return ()
        what = f"repl{'ies' if len(failed) > 1 else 'y'} of {', '.join(failed)}"
        return (f"The {what} could not be kept: {next(iter(failed.values()))}",)

    def _write_reply(self, answer: Answer) -> None:
        name = _reply_name(answer.provider)
        try:
            held = self._look(name)
        except StoreError:
            held = None  # what cannot be read is written over, where that can be done
        kept = _reply_in(answer.provider, held.content) if held else None
        if not kept or (kept.pages, kept.partial) != (answer.pages, answer.partial):
            self._write(name, _packed_reply(answer), held)

    def read_replies(self, provider: str) -> KeptReply | None:
        """The last good reply; None when none is kept, or it is damaged."""
        content = self.read(_reply_name(provider))
        return None if content is None else _reply_in(provider, content)

    def read(self, name: str) -> bytes | None:
        """One piece; None where it is not there, or cannot be read."""
        with suppress(StoreError):
            held = self._look(name)
            return held.content if held else None
        return None

    def keep(self, name: str, content: bytes) -> tuple[str, ...]:
        """Keep one piece; a note where that fails."""
        try:
            held = self._look(name)
            if held is None or not self._says_the_same(held.content, content):
                self._write(name, content, held)
        except LostRace:
            pass  # another run's is as new
        except StoreError as error:
            return (error.what,)
        return ()

    def _first_state(self) -> tuple[State, tuple[str, ...]]:
        """What a run begins with where none is kept."""
        return State(), ()

    def _put_aside_unreadable(self, held: Held | None) -> None:
        """Keep, once, a state that is damaged or a newer version's, before it is overwritten."""
        if held is None:
            return
        try:
            State.from_bytes(held.content)
        except StateUnreadable as error:
            kind = "newer" if error.schema_version else "broken"
            aside = self._look(f"{STATE}.{kind}")
            if kind == "newer" or aside is None:
                self._write(f"{STATE}.{kind}", held.content, aside)

    def _look(self, name: str) -> Held | None:
        held = self._seen[name] = self._shelf.get(name)
        return held

    def _write(self, name: str, content: bytes, over: Held | None) -> None:
        version = self._shelf.put(name, content, over.version if over else None)
        self._seen[name] = Held(content, version)

    def _says_the_same(self, old: bytes, new: bytes) -> bool:
        return old == new or (self._shared and _differ_in_times_alone(old, new))


def _is_good(answer: Answer) -> bool:
    """Whether an answer's bodies are worth keeping."""
    public = answer.verdict is Verdict.NO_KEY and bool(answer.models)
    return (answer.verdict is Verdict.OK or public) and bool(answer.pages) and not answer.offline


def _reply_name(provider: str) -> str:
    """A name that every file system takes: the policy may call a provider anything."""
    plain = re.sub(r"[^a-z0-9-]+", "_", provider.lower())[:40]
    digest = sha256_of(provider.encode(errors="surrogatepass"))[:8]
    return f"{REPLIES}/{plain}-{digest}.reply"


def _packed_reply(answer: Answer) -> bytes:
    partial = {"partial": answer.partial} if answer.partial else {}
    return packed(answer.pages, provider=answer.provider, fetched_at=answer.fetched_at, **partial)


def _reply_in(provider: str, content: bytes) -> KeptReply | None:
    fields, pages = unpacked(content) or ({}, ())
    if fields.get("provider") != provider:
        return None
    return KeptReply(pages, str(fields.get("fetched_at", "")), str(fields.get("partial", "")))


def _differ_in_times_alone(old: bytes, new: bytes) -> bool:
    """Whether nothing but times has changed, and the old text is recent enough: runs without effect
    write nothing.
    """
    try:
        before, after = json.loads(old), json.loads(new)
    except ValueError:
        return False
    if _timeless(before) != _timeless(after):
        return False
    return 0 <= _moment(after) - _moment(before) < _quiet_seconds(before)


def _quiet_seconds(data: Any) -> float:
    ttl = data.get("ttl_seconds") if isinstance(data, dict) else None
    return ttl / 2 if isinstance(ttl, int | float) else QUIET_SECONDS


def _timeless(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _timeless(value) for key, value in data.items() if key not in _TIMES}
    if not isinstance(data, list):
        return data
    return [_timeless(item) for item in data if not _is_run_without_effect(item)]


def _is_run_without_effect(item: Any) -> bool:
    return isinstance(item, dict) and item.get("outcome") == "unchanged"


def _moment(data: Any) -> float:
    """When a text of ours was written, as Unix time."""
    said = data.get("at", data.get("last_run")) if isinstance(data, dict) else None
    if isinstance(said, int | float):
        return float(said)
    moment = parse_moment(str(said))
    return moment.timestamp() if moment else 0.0
