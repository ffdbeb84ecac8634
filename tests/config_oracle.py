"""What must hold of an edited config.yaml, checked without the code that edits it.

Lines between markers are cut out textually; data is loaded by LiteLLM's own loader (PyYAML's
pure-Python one) and by ruamel.yaml as YAML 1.2.
"""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

from rollcall.litellm_config.document import Blocks

DATA = Path(__file__).resolve().parent / "data" / "configs"
START = re.compile(rb"^[ \t]*# >>> rollcall: managed (models|aliases|fallbacks)")
END = re.compile(rb"^[ \t]*# <<< rollcall: managed (models|aliases|fallbacks) <<<")
KEYS = (b"model_list", b"router_settings", b"model_group_alias", b"fallbacks")
EMPTY = re.compile(rb":\s*(\[\s*\]|\{\s*\}|null|~)")


def entry(name: str, **params: Any) -> dict[str, Any]:
    """An entry as a plan would write it."""
    return {
        "model_name": name,
        "litellm_params": {"model": f"openrouter/{name}", **params},
        "model_info": {
            "id": f"rollcall/{name}",
            "managed_by": "rollcall",
            "input_cost_per_token": 3e-06,
            "max_input_tokens": 200000,
            "supports_vision": True,
            "access_groups": ["team-a"],
        },
    }


OURS = Blocks(
    models=(
        entry("acme/one", api_key="os.environ/ACME_KEY"),
        entry("no", timeout=60),
        entry("12:30"),
    ),
    aliases={"rc-default": "acme/one", "rc-off": {"model": "no", "hidden": True}},
    fallbacks=({"acme/one": ["no", "12:30"]},),
)
OTHERS = Blocks(
    models=(OURS.models[1], entry("acme/two")),
    aliases={"rc-other": "acme/two"},
)
"""A later plan: two entries and the fallbacks gone, one added."""


def load(raw: bytes) -> dict[str, Any]:
    """The data as LiteLLM gets it."""
    return yaml.load(raw.decode("utf-8-sig"), yaml.SafeLoader) or {}


def load_as_12(raw: bytes) -> dict[str, Any]:
    """The data as a YAML 1.2 reader gets it; duplicate keys are let pass, as LiteLLM does."""
    reader = YAML(typ="safe", pure=True)
    reader.allow_duplicate_keys = True
    found: dict[str, Any] = reader.load(StringIO(raw.decode("utf-8-sig"))) or {}
    return found


def outside(raw: bytes) -> bytes:
    """The text without our lines."""
    kept = []
    inside = False
    for line in raw.split(b"\n"):
        assert not (inside and START.match(line)), "a block begins inside a block"
        inside = inside or bool(START.match(line))
        if not inside:
            kept.append(line)
        if END.match(line):
            assert inside, "a block ends that never began"
            inside = False
    assert not inside, "a block never ends"
    return b"\n".join(kept)


def assert_outside_kept(old: bytes, new: bytes) -> None:
    """Every byte of `old` stands in `new` outside the markers, in order.

    Beside them stand only keys that were missing. Exempt are an empty value that ours replace, and
    the line breaks that comments need inside a collection written on one line.
    """
    rest = outside(new)
    if rest == old:
        return
    missing, added = _compare_lines(old.split(b"\n"), rest.split(b"\n"))
    if not missing and all(line.strip(b' \r":') in (b"", *KEYS) for line in added):
        return
    bare_old = EMPTY.sub(b":", old)
    squeezed_old, squeezed = b"".join(bare_old.split()), b"".join(EMPTY.sub(b":", rest).split())
    for key in KEYS:
        for text in (b'"' + key + b'":', key + b":"):
            if squeezed.count(text) > squeezed_old.count(text):
                squeezed = _without_last(squeezed, text, squeezed_old)
    brackets = bytes.maketrans(b"", b"")
    strip = b"[]{},"
    assert squeezed.translate(brackets, strip) == squeezed_old.translate(brackets, strip)
    assert is_subsequence(re.sub(rb":(\[\]|\{\})", b":", squeezed_old), squeezed)


def _without_last(text: bytes, piece: bytes, original: bytes) -> bytes:
    """`text` less the occurrence of `piece` whose removal brings it nearest to `original`."""
    common = 0
    while common < min(len(text), len(original)) and text[common] == original[common]:
        common += 1
    start = text.rfind(piece, 0, common + len(piece))
    start = start if start >= 0 else text.find(piece)
    after = text.find(piece, max(start, common - len(piece)))
    start = after if after >= 0 else start
    return text[:start] + text[start + len(piece) :]


def is_subsequence(part: bytes, whole: bytes) -> bool:
    """Whether `part` is left when some bytes of `whole` are taken out."""
    rest = iter(whole)
    return all(byte in rest for byte in part)


def _compare_lines(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """(lines of `old` that are missing in `new`, lines of `new` that were added), in order."""
    position = 0
    added = []
    for line in new:
        if position < len(old) and line == old[position]:
            position += 1
        else:
            added.append(line)
    return old[position:], added


def assert_holds(old: dict[str, Any], new: dict[str, Any], blocks: Blocks) -> None:
    """`new` is `old` plus `blocks`, and nothing else, to the type of every value."""
    items = _list(new.get("model_list"))
    ours = [item for item in items if _is_ours(item)]
    own = [item for item in items if not _is_ours(item)]
    assert repr(ours) == repr([*blocks.models])
    assert repr(own) == repr(_list(old.get("model_list")))
    assert repr(rest_of(new)) == repr(rest_of(old))
    assert _aliases(new) == {**_aliases(old), **blocks.aliases}
    ours_last = [*_fallbacks(old), *blocks.fallbacks]
    assert sorted(map(repr, _fallbacks(new))) == sorted(map(repr, ours_last))


def rest_of(data: dict[str, Any]) -> dict[str, Any]:
    """The data without our three places; a section with nothing else in it is left out."""
    rest = {key: value for key, value in data.items() if key != "model_list"}
    for section in ("router_settings", "litellm_settings"):
        if isinstance(rest.get(section), dict):
            keys = ("model_group_alias", "fallbacks")
            rest[section] = {k: v for k, v in rest[section].items() if k not in keys}
        if section in rest and not rest[section]:
            del rest[section]
    return rest


def _is_ours(item: Any) -> bool:
    info = item.get("model_info") if isinstance(item, dict) else None
    return isinstance(info, dict) and info.get("managed_by") == "rollcall"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _aliases(data: dict[str, Any]) -> dict[str, Any]:
    return (data.get("router_settings") or {}).get("model_group_alias") or {}


def _fallbacks(data: dict[str, Any]) -> list[Any]:
    """The list LiteLLM uses: `fallbacks or litellm.fallbacks`."""
    router = (data.get("router_settings") or {}).get("fallbacks")
    return router or (data.get("litellm_settings") or {}).get("fallbacks") or []
