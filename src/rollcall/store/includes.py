"""The files config.yaml's `include:` names, found the way LiteLLM finds them."""

from __future__ import annotations

import os.path
from pathlib import Path

from rollcall.errors import StoreError
from rollcall.files import MOST_TEXT_BYTES
from rollcall.store.atomic import read_bytes

MOST_BESIDE = 50


def read_includes(config_path: Path, data: dict[str, object]) -> tuple[tuple[Path, bytes], ...]:
    """Their paths and bytes in LiteLLM's order, nested ones last; unreadable ones left out.

    A path is relative to the file that declares it, else to config.yaml (as LiteLLM 1.106 does);
    links are not followed first. A file is read once, so a circle ends.
    """
    root = Path(config_path).absolute()
    seen = {root}
    waiting = [(entry, root) for entry in _entries(data)]
    found: list[tuple[Path, bytes]] = []
    for entry, declared_in in waiting:
        path = _locate(entry, declared_in, root)
        content = None if path is None or path in seen else _read(path)
        if path is None or content is None:
            continue
        seen.add(path)
        found.append((path, content))
        waiting.extend((nested, path) for nested in _entries(_parse(content)))
    return tuple(found)


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
        content = None if path == target else _read(path)
        for entry in _entries(_parse(content)) if content else ():
            if _locate(entry, path, path) == target:
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


def _parse(content: bytes) -> object:
    if b"include" not in content:
        return None
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
