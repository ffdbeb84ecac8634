"""The files a config's `include:` names, found the way LiteLLM finds them, wherever it lives."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rollcall.errors import StoreError
from rollcall.files import MOST_TEXT_BYTES, same_file
from rollcall.store.atomic import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_BESIDE = 50

Where = TypeVar("Where")


def included(
    config_path: Path, data: dict[str, object]
) -> Iterator[tuple[str, Path | None, bytes | None]]:
    """As `walk`, among files, in LiteLLM's order, nested ones last.

    A path is relative to the file that declares it, else to config.yaml (as LiteLLM 1.106 does);
    links are not followed first.
    """
    root = Path(config_path).absolute()

    def find(entry: str, declared_in: Path) -> tuple[Path, bytes | None] | None:
        path = _locate(entry, declared_in, root)
        return None if path is None else (path, _read(path))

    return walk(data, root, find)


def walk(
    data: object, root: Where, find: Callable[[str, Where], tuple[Where, bytes | None] | None]
) -> Iterator[tuple[str, Where | None, bytes | None]]:
    """Each path as it is written, where it leads and what is there: None, None where nothing is.

    A file comes once, so a circle ends.

    Args:
        data: of the config, which lies at `root`. find: where a path leads that a text at the
            given place names, and the bytes there, None where they cannot be read.
    """
    waiting, seen = [(entry, root) for entry in _entries(data)], {root}
    for entry, declared_in in waiting:
        found = find(entry, declared_in)
        if found is None:
            yield entry, None, None
        elif found[0] not in seen:
            where, content = found
            seen.add(where)
            yield entry, where, content
            waiting.extend((nested, where) for nested in _entries(parse(content or b"")))


def name_beside(path: Path, config_path: Path) -> str:
    """An included file as people would name it: by its path from config.yaml's folder."""
    if not path.is_absolute():  # the key of an object
        return path.as_posix()
    try:
        return Path(os.path.relpath(path, config_path.absolute().parent)).as_posix()
    except ValueError:  # another drive
        return str(path)


def including_file(config_path: Path) -> Path | None:
    """A YAML file beside `config_path` whose `include:` names it: what is written into an included
    file's sections replaces that file's own.
    """
    target = Path(config_path).absolute()
    try:
        beside = sorted(
            path for path in target.parent.iterdir() if path.suffix in (".yaml", ".yml")
        )
    except OSError:
        return None
    for path in beside[:MOST_BESIDE]:
        content = None if same_file(path, target) else _read(path)
        for entry in _entries(parse(content)) if content else ():
            found = _locate(entry, path, path)
            if found is not None and same_file(found, target):
                return path
    return None


def lost_at(target: Path, data: dict[str, object]) -> list[str]:
    """The relative `include:` paths of a config that lead nowhere from `target`'s folder."""
    return [
        entry
        for entry in _entries(data)
        if not Path(entry).is_absolute()
        and _locate(entry, target.absolute(), target.absolute()) is None
    ]


def _locate(entry: str, declared_in: Path, root: Path) -> Path | None:
    for base in (declared_in, root):
        try:
            path = Path(os.path.normpath(base.parent / entry))
            if path.is_file():
                return path
        except (OSError, ValueError):  # ValueError: a null character in the name
            continue
    return None


def _read(path: Path) -> bytes | None:
    try:
        return read_bytes(path, MOST_TEXT_BYTES)
    except StoreError:
        return None


def parse(content: bytes) -> object:
    """A text's data, where it may include something; else None."""
    return load(content) if b"include" in content else None


def load(content: bytes) -> object:
    """A text's data; None where it is no YAML (LiteLLM's own affair)."""
    from rollcall import yaml_reading

    try:
        return yaml_reading.load(content.decode("utf-8-sig"))
    except yaml_reading.UNREADABLE:
        return None


def _entries(data: object) -> list[str]:
    entries = data.get("include") if isinstance(data, dict) else None
    return (
        [entry for entry in entries if isinstance(entry, str)] if isinstance(entries, list) else []
    )
