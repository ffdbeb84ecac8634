"""The config under examination: its files' texts and data, and where in them something stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.errors import ConfigRefused
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.releases import as_of
from rollcall.litellm_config.effective import LiteLLMView, mapping, merged, rows_of, text_in, view
from rollcall.litellm_config.nodes import lines_to
from rollcall.litellm_config.text import LoadedYaml, decode

if TYPE_CHECKING:
    from rollcall.yaml_reading import Place


class Reading(NamedTuple):
    """One text read: its nodes and its value, or why it cannot be read."""

    body: str
    root: Any
    value: Any
    refused: ConfigRefused | None = None


@dataclass(frozen=True)
class CheckedFile:
    """One file of a config: config.yaml itself, or one it includes.

    Args:
        name: how findings call it. raw: its bytes. release: of LiteLLM, "1.108.7"; None = unknown.
    """

    name: str
    raw: bytes = field(repr=False)
    release: str | None = None

    @cached_property
    def reading(self) -> Reading:
        """The text as LiteLLM reads it."""
        raw = self.raw
        if b"\n" not in raw:  # LiteLLM reads lone carriage returns as line ends, too
            raw = raw.replace(b"\r", b"\n")
        try:
            loaded = LoadedYaml(decode(raw).body)
            value = loaded.construct(loaded.root) if loaded.root is not None else None
        except ConfigRefused as refused:
            return Reading("", None, None, refused)
        return Reading(loaded.body, loaded.root, value)

    @cached_property
    def data(self) -> dict[str, Any]:
        """The file's own data, {} where it is no mapping."""
        return mapping(self.reading.value)

    @cached_property
    def entries(self) -> tuple[CheckedEntry, ...]:
        """What stands in its model_list, whatever it is."""
        rows = rows_of(self.data.get("model_list"))
        return tuple(CheckedEntry(self, index, row) for index, row in enumerate(rows))

    def line(self, path: Place) -> int | None:
        """The 1-based line of a key or list item, or of the nearest part of its path that exists.

        None where nothing of the path exists.
        """
        found = lines_to(self.reading.body, self.reading.root, path)
        return found[-1] if found else None

    def error(self, code: str, what: str, path: Place | int | None, fix: str) -> Finding:
        """A finding of level error at a path, or at a line that is known."""
        return self.finding(Level.ERROR, code, what, path, fix)

    def warning(self, code: str, what: str, path: Place | int | None, fix: str) -> Finding:
        """A finding of level warning at a path, or at a line that is known."""
        return self.finding(Level.WARNING, code, what, path, fix)

    def finding(
        self, level: Level, code: str, what: str, path: Place | int | None, fix: str
    ) -> Finding:
        """A finding at a path, or at a line that is known, as of the installed release."""
        line = path
        if isinstance(path, tuple):
            line = self.line(path)
            level, what = as_of(self.release, level, code, what, path)
        return Finding(level, code, what, self.name if line is None else f"{self.name}:{line}", fix)


@dataclass(frozen=True)
class CheckedEntry:
    """One item of a model_list that LiteLLM uses: its file, its index there, what it is."""

    file: CheckedFile
    index: int
    item: Any

    @cached_property
    def data(self) -> dict[Any, Any]:
        """The item, {} where it is no mapping."""
        return mapping(self.item)

    @cached_property
    def params(self) -> dict[Any, Any]:
        """Its litellm_params, {} where they are no mapping."""
        return mapping(self.data.get("litellm_params"))

    @cached_property
    def info(self) -> dict[Any, Any]:
        """Its model_info, {} where it is no mapping."""
        return mapping(self.data.get("model_info"))

    @property
    def name(self) -> str | None:
        """Its model_name, None where that is no text."""
        return text_in(self.data, "model_name")

    @property
    def called(self) -> str:
        """How a finding calls it."""
        return f"entry {self.index + 1} of model_list" if self.name is None else f"`{self.name}`"

    def error(self, code: str, what: str, fix: str, *below: str) -> Finding:
        """A finding of level error at a place in it."""
        return self.file.error(code, what, ("model_list", self.index, *below), fix)

    def warning(self, code: str, what: str, fix: str, *below: str) -> Finding:
        """A finding of level warning at a place in it."""
        return self.file.warning(code, what, ("model_list", self.index, *below), fix)


@dataclass(frozen=True)
class CheckedConfig:
    """A config: config.yaml, the files it includes, and the variables around it.

    Args:
        name: how findings call config.yaml. raw: its bytes.
        environ: variables as LiteLLM will see them.
        includes: name and bytes of the files it includes, in LiteLLM's order.
        missing_includes: those it names that are not there.
        folder: where config.yaml lies; None where it is no file of this machine.
        import_folders: where LiteLLM imports Python modules from; empty where that is not known.
        release: of the LiteLLM that is installed, "1.108.7"; None where that is not known.
    """

    name: str
    raw: bytes = field(repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    includes: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    missing_includes: tuple[str, ...] = ()
    folder: Path | None = None
    import_folders: tuple[Path, ...] = ()
    release: str | None = None

    @cached_property
    def root(self) -> CheckedFile:
        """config.yaml."""
        return CheckedFile(self.name, self.raw, self.release)

    @cached_property
    def included(self) -> tuple[CheckedFile, ...]:
        """The files it includes."""
        return tuple(CheckedFile(name, raw, self.release) for name, raw in self.includes)

    @property
    def files(self) -> tuple[CheckedFile, ...]:
        """config.yaml and the files it includes."""
        return (self.root, *self.included)

    @property
    def data(self) -> dict[str, Any]:
        """The data of config.yaml alone."""
        return self.root.data

    @cached_property
    def merged(self) -> dict[str, Any]:
        """The data with its includes, as LiteLLM puts them together."""
        return merged(self.data, [file.data for file in self.included])

    @cached_property
    def view(self) -> LiteLLMView:
        """The names a proxy on this config serves."""
        return view(self.merged, self.environ)

    def counts(self, file: CheckedFile, key: object) -> bool:
        """Whether LiteLLM uses what a file has under a root key: lists add up, of anything else
        the last file's is taken whole.
        """
        at = next(index for index, one in enumerate(self.files) if one is file)
        given = [one.data[key] for one in self.files[at:] if key in one.data]
        return len(given) == 1 or all(isinstance(value, list) for value in given)

    @cached_property
    def entries(self) -> tuple[CheckedEntry, ...]:
        """What stands in the model_lists LiteLLM uses."""
        return tuple(
            entry
            for file in self.files
            if "model_list" in file.data and self.counts(file, "model_list")
            for entry in file.entries
        )

    def section(self, name: str) -> dict[Any, Any]:
        """A section of the merged data, {} where it is no mapping."""
        return mapping(self.merged.get(name))

    @property
    def cache_params(self) -> dict[Any, Any] | None:
        """How LiteLLM's cache is set up; None where it is off."""
        settings = self.section("litellm_settings")
        return mapping(settings.get("cache_params")) if settings.get("cache") is True else None

    def error(self, code: str, what: str, path: Place | None, fix: str) -> Finding:
        """A finding of level error, in the file whose section counts."""
        file, place = self._home(path)
        return file.error(code, what, place, fix)

    def warning(self, code: str, what: str, path: Place | None, fix: str) -> Finding:
        """A finding of level warning, in the file whose section counts."""
        file, place = self._home(path)
        return file.warning(code, what, place, fix)

    def _home(self, path: Place | None) -> tuple[CheckedFile, Place | None]:
        """The file that has a place of the merged data, and the place there: the last one that has
        the section, or of lists, which add up, the one that has the item.
        """
        having = [file for file in self.files if path and path[0] in file.data]
        if not path or not having:
            return self.root, path
        section, at = str(path[0]), path[1] if len(path) > 1 else None
        if isinstance(at, int):
            for file in having:
                rows = file.data[section]
                if isinstance(rows, list) and self.counts(file, section):
                    if at < len(rows):
                        return file, (section, at, *path[2:])
                    at -= len(rows)
        return having[-1], path


def odd_name(name: str) -> tuple[str, str] | None:
    """Why LiteLLM cannot send a name back in a header, so that every call by it fails: the code
    and the words of the finding.
    """
    if name != name.strip() or "\n" in name or "\r" in name:
        return "name_with_blank", "begins or ends with a blank, or holds a line break"
    try:
        name.encode("latin-1")
    except UnicodeEncodeError as error:
        return "name_in_header", f"holds {name[error.start]!r}, which no HTTP header can"
    return None


def several(entries: Sequence[CheckedEntry], verb: str) -> str:
    """Entries that do the same, as a finding begins with them: "`a` and 2 more need"."""
    more = len(entries) - 1
    return f"{entries[0].called} and {more} more {verb}" if more else f"{entries[0].called} {verb}s"
