"""Arriving with a config of one's own: init, apply, adopt and rollback lose nothing of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.writing import with_blocks
from tests.arriving import CONFIGS, furnish, patient, somebody_answers, text_of
from tests.config_oracle import assert_outside_kept, load, outside

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House


def says_all(after: Any, before: Any) -> bool:
    """Whether everything that was said is said still; more may be."""
    if isinstance(before, dict):
        return isinstance(after, dict) and all(
            key in after and says_all(after[key], value) for key, value in before.items()
        )
    return bool(after == before)


def by_name(config: bytes) -> dict[str, list[Any]]:
    """The entries of each name, in order, ours and the person's."""
    found = defaultdict(list)
    for entry in load(config).get("model_list") or []:
        found[str(entry.get("model_name"))].append(entry)
    return found


def assert_nothing_lost(before: bytes, after: bytes) -> None:
    """Every key of every entry, every alias and fallback, every other section."""
    old, new = by_name(before), by_name(after)
    for name, entries in old.items():
        assert len(new[name]) == len(entries), name
        for entry, kept in zip(entries, new[name], strict=True):
            assert says_all(kept, entry), name
    rest = [{k: v for k, v in load(raw).items() if k != "model_list"} for raw in (before, after)]
    fallbacks = [(one.get("router_settings") or {}).get("fallbacks") or [] for one in rest]
    assert all(row in fallbacks[1] for row in fallbacks[0])
    for one in rest:
        (one.get("router_settings") or {}).pop("fallbacks", None)
    assert says_all(rest[1], rest[0])


@pytest.mark.skipif(not CONFIGS, reason="the corpus of real configs is not here")
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_real_config_from_init_to_rollback(path: Path, house: House) -> None:
    original = path.read_bytes()
    furnish(house, original)
    ran = house.run("init", "--timeout", "30s", "--deadline", "60s")
    try:
        before = text_of(house)
        parse(before)
    except ConfigRefused:
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 2, ran.err
        assert house.config.read_bytes() == original
        assert not house.policy.exists()
        return
    assert ran.code == 0, ran.text
    patient(house)

    code = 0 if somebody_answers(house) else 5
    assert house.run("apply").code == code
    applied = text_of(house)
    assert_outside_kept(before, applied)
    assert_nothing_lost(before, applied)

    assert house.run("adopt", "--yes").code == code
    adopted = text_of(house)
    assert_nothing_lost(before, adopted)
    bare = with_blocks(parse(adopted), Blocks())
    lines = iter(before.split(b"\n"))
    kept = [line for line in outside(bare).split(b"\n") if line.strip()]
    assert all(line in lines for line in kept), "no line but an adopted entry's is touched"

    for command in (("apply",), ("adopt", "--yes")):
        house.run(*command)
        assert text_of(house) == adopted, f"a second {command[0]} changes nothing"

    if house.config.read_bytes() != original:
        oldest = house.run("rollback", "--list", "--json").json()[-1]["id"]
        assert house.run("rollback", oldest).code == 0
    assert house.config.read_bytes() == original


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"image: x\nreplicas: 2\n",
        b"- a\n- b\n",
        b"model_list:\n\t- a\n",
        b"model_list: [\n",
        b"\xff\xfe\x00",
        b"apiVersion: v1\nkind: Secret\ndata: {a: b}\n",
        b"model_list: {{ .Values.models }}\n",
    ],
    ids=["empty", "another's", "list", "tab", "open", "binary", "manifest", "template"],
)
@pytest.mark.parametrize("command", ["init", "adopt", "plan"])
def test_nonsense_costs_nothing(text: bytes, command: str, house: House) -> None:
    """Untouched, and two lines."""
    furnish(house, text)
    if command != "init":
        house.write_policy("allow: [{family: claude-sonnet, newest: 1}]\n", "anthropic")
    ran = house.run(command)
    assert house.config.read_bytes() == text
    if text:
        assert ran.code == 1, ran.text
        assert len(ran.err.splitlines()) == 2, ran.err
        assert (house.folder / "policy.yaml").exists() is (command != "init")
    else:
        assert ran.code == 0, ran.text
