"""Loads what other lists say of models: LiteLLM's own price map, and the files a policy names.

LiteLLM's map has 3.5 MB. What was looked up in it, and in files, is kept beside the state under the
file's size and time, so a run reads a list only when the list changed or a model is new.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from rollcall.catalog.facts import Facts, RecordedFacts
from rollcall.errors import SettingsError
from rollcall.files import read_regular
from rollcall.litellm_config.entries import called_by
from rollcall.policy.schema import FACT_SOURCES
from rollcall.settings import as_path, given

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.catalog.model import Answer
    from rollcall.litellm_config.document import ConfigDocument
    from rollcall.policy.schema import Policy
    from rollcall.providers.open_lists import ModelsDev, PriceMap
    from rollcall.settings import Settings

OPENROUTER, LITELLM = FACT_SOURCES
NO_MAP = (
    "write_prices: borrowed writes nothing here: LiteLLM's own price map is not found, so nobody "
    "can tell what it knows; ROLLCALL_PRICE_MAP names one, or facts: {files: [...]} a copy"
)
VARIABLE = "ROLLCALL_PRICE_MAP"
"""Names the price map of a litellm that is not installed beside rollcall."""
MOST_BYTES = 64 * 1024 * 1024
DEFAULT_FILE = "facts.json"
FETCH_SECONDS = 60.0


class FactFile(NamedTuple):
    """A list on disk.

    Attributes:
        name: how values from it are marked. path: where it is.
        mark: what changes when the file does.
    """

    name: str
    path: Path
    mark: tuple[int, int]


class _Table(BaseModel):
    """What a list said, as it is kept: `told` the facts of each name, `silent` the unknown ones."""

    name: str
    mark: tuple[int, int]
    charges: bool
    told: dict[str, dict[str, Any]]
    silent: list[str]


class _Kept(BaseModel):
    """What is kept of all lists."""

    version: Literal[1] = Field(1, alias="schema")
    lists: dict[str, _Table] = {}


class Recorded(NamedTuple):
    """What lists on disk say of the models of one run.

    Attributes:
        sources: `litellm` or a file of the policy -> what it says.
        kept: what to keep for the next run; None = it is kept already.
        notes: lists that could not be read.
    """

    sources: dict[str, RecordedFacts]
    kept: bytes | None
    notes: tuple[str, ...]


class FactLists:
    """The lists on disk that a policy believes."""

    def __init__(self, policy: Policy, settings: Settings, kept: bytes | None) -> None:
        """`kept` is what an earlier run left, see `Recorded.kept`."""
        order = policy.fact_sources
        self._writes = bool(order) and policy.defaults.write_prices == "borrowed"
        words = [word for word in order if word != OPENROUTER]
        if self._writes and LITELLM not in words:
            words.append(LITELLM)
        self._kept = _unpacked(kept)
        self._lists = [_List(word, settings, self._kept.get(word)) for word in words]

    def prepare(self) -> None:
        """Find the lists, and read those that changed: what can be done before providers answer."""
        for one in self._lists:
            if not one.is_unchanged:
                one.read()

    def say_of(self, wanted: Iterable[str]) -> Recorded:
        """What they say of everything wanted, by the names LiteLLM calls models by.

        A list that is gone, or cannot be read, says what it said last: that it is away must not
        look as if it knew nothing.
        """
        names = sorted(set(wanted))
        found = {one.word: table for one in self._lists if (table := one.table(names))}
        notes = [one.problem for one in self._lists if one.problem]
        if self._writes and not any(table.charges for table in found.values()):
            notes.append(NO_MAP)
        packed = _Kept(lists=found).model_dump_json(by_alias=True).encode() + b"\n"
        sources = {word: _source(table) for word, table in found.items()}
        return Recorded(sources, packed if found != self._kept else None, tuple(notes))


class _List:
    """One list: its file, and what of it an earlier run kept.

    Attributes:
        problem: why it cannot be used, or what is used instead; "" where all is well.
    """

    def __init__(self, word: str, settings: Settings, kept: _Table | None) -> None:
        self.word = word
        self.problem = ""
        self._settings = settings
        self._kept = kept
        self._reader: PriceMap | ModelsDev | None = None

    @cached_property
    def _file(self) -> FactFile | None:
        if self.word == LITELLM:
            try:
                return _price_map(self._settings)
            except SettingsError as error:
                self.problem = f"facts: {error.what.rstrip('.')}"
                return None
        return _fact_file(self._settings.policy_path.parent / self.word)

    @cached_property
    def is_unchanged(self) -> bool:
        """Whether it is the list that was looked into before."""
        file, kept = self._file, self._kept
        return bool(file and kept and (kept.name, kept.mark) == (file.name, file.mark))

    def read(self) -> None:
        """Read it, where it is there and was not read yet."""
        if self._reader is None and not self.problem and self._file is not None:
            from rollcall.providers.open_lists import UnknownFormat, read_facts

            try:
                self._reader = read_facts(read_regular(self._file.path, MOST_BYTES))
            except (OSError, UnknownFormat) as error:
                why = getattr(error, "strerror", None) or str(error)
                self.problem = f"facts: {self._file.path.name} cannot be used: {why}"

    def table(self, names: Sequence[str]) -> _Table | None:
        """What it says of these: read only where what is kept does not know them all."""
        kept = self._kept
        if kept and self.is_unchanged and not set(names).difference(kept.told, kept.silent):
            return kept
        self.read()
        if self._reader is not None and self._file is not None:
            return _table(self._file, self._reader, names)
        if self._file is None and not self.problem and (kept or self.word != LITELLM):
            self.problem = f"facts: {self.word} is not there"
        if kept:
            self.problem += "; what it said before counts"
        return kept


def _table(file: FactFile, reader: PriceMap | ModelsDev, names: Sequence[str]) -> _Table:
    rows = {name: reader.facts_of(name) for name in names}
    return _Table(
        name=file.name,
        mark=file.mark,
        charges=reader.charges,
        told={
            name: facts.model_dump(mode="json", exclude_defaults=True)
            for name, facts in rows.items()
            if facts is not None
        },
        silent=[name for name, facts in rows.items() if facts is None],
    )


def _source(table: _Table) -> RecordedFacts:
    def facts_of(litellm_model: str) -> Facts | None:
        row = table.told.get(litellm_model)
        return None if row is None else Facts.model_validate(row)

    return RecordedFacts(table.name, facts_of, charges=table.charges)


def _price_map(settings: Settings) -> FactFile | None:
    """LiteLLM's own map: as ROLLCALL_PRICE_MAP names it, else that of the installed package.

    Raises:
        SettingsError: the variable names no file.
    """
    if named := given(settings.environ, VARIABLE):
        found = _fact_file(as_path(named, Path()))
        if found is None:
            raise named.error("there is no such file", "Name LiteLLM's price map.")
        return found
    from rollcall.launch.find import find_package
    from rollcall.providers.open_lists import FILE_NAME

    install = find_package(settings.environ)
    if install is None:
        return None
    return _fact_file(install.library / "litellm" / FILE_NAME, f"litellm {install.version}")


def _fact_file(path: Path, name: str = "") -> FactFile | None:
    """A list on disk, under its own name unless another is given; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return FactFile(name or path.name, path, (found.st_mtime_ns, found.st_size))


def _unpacked(kept: bytes | None) -> dict[str, _Table]:
    """What an earlier run left; nothing where it is damaged or another version's."""
    try:
        return _Kept.model_validate_json(kept or b"{}").lists
    except ValidationError:
        return {}


def models_of_interest(answers: Iterable[Answer], document: ConfigDocument) -> set[str]:
    """What LiteLLM calls the models that a run decides about: those listed, and every entry's."""
    named = {model.litellm_model for answer in answers for model in answer.models}
    for entry in (*document.managed.models, *document.own_entries):
        if called := called_by(entry):
            named.add(called)
    return named


class Fetched(NamedTuple):
    """A copy of an open list that was fetched.

    Attributes:
        path: where it was written. named: the policy names it already. changed: it is another
            text than before.
    """

    path: Path
    named: bool
    changed: bool


def update(settings: Settings, url: str, to: Path | None = None) -> Fetched:
    """Fetch a copy of models.dev's list or of LiteLLM's price map, and write it beside the policy.

    Args:
        to: where to write it; left out: the one file the policy names, else facts.json.

    Raises:
        SettingsError: it cannot be fetched, is no such list, or the policy names several files.
        PolicyError, StoreError: see their docstrings.
    """
    from rollcall.providers.open_lists import UnknownFormat, read_facts
    from rollcall.store.atomic import write_named
    from rollcall.sync.gather import read_policy

    folder = settings.policy_path.parent
    named = [word for word in read_policy(settings)[1].fact_sources if word not in FACT_SOURCES]
    if to is None and len(named) > 1:
        raise SettingsError(
            f"The policy names several files: {', '.join(named)}.", "Say which with --to FILE."
        )
    target = to or folder / (named[0] if named else DEFAULT_FILE)
    content = _fetch(url)
    try:
        read_facts(content)
    except UnknownFormat as error:
        raise SettingsError(
            f"What {url} gives is of no use: {error}.",
            "Known: https://models.dev/api.json, LiteLLM's model_prices_and_context_window.json.",
        ) from None
    try:
        before = read_regular(target, MOST_BYTES)
    except OSError:
        before = None
    if before != content:
        write_named(target, content)
    return Fetched(target, any(folder / word == target for word in named), before != content)


def _fetch(url: str) -> bytes:
    """The body at an address; no key is sent, redirects lead nowhere."""
    from rollcall.providers.http_client import fetch_body

    if not url.lower().startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise SettingsError(f"{url} is no https address.", "Give one that begins with https://.")
    body, why = fetch_body(url, FETCH_SECONDS)
    if body is None:
        raise SettingsError(f"{url} could not be fetched: {why}.", "Check the address.")
    return body
