"""Real LiteLLM configs, written by hand by many people: edited around every byte, or refused.

They are not ours to redistribute: they lie beside the checkout, or where ROLLCALL_CORPUS says.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.adoption import eject
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.writing import with_blocks
from tests.adopting import adopt
from tests.config_oracle import (
    OTHERS,
    OURS,
    assert_holds,
    assert_outside_kept,
    load,
    load_as_12,
    outside,
    rest_of,
)

CORPUS = Path(
    os.environ.get("ROLLCALL_CORPUS") or Path(__file__).resolve().parents[1].parent / "shared"
)
FILES = sorted((CORPUS / "configs").glob("*.yaml"))
REFUSED = {
    "019.yaml": ("not_litellm", 5),
    "055.yaml": ("kubernetes", 7),
    "083.yaml": ("kubernetes", 7),
    "093.yaml": ("kubernetes", 20),
    "109.yaml": ("kubernetes", 31),
    "113.yaml": ("several_documents", 16),
    "117.yaml": ("kubernetes", 18),
    "119.yaml": ("not_litellm", 5),
    "135.yaml": ("kubernetes", 10),
    "181.yaml": ("kubernetes", 11),
}
EDITED = [path for path in FILES if path.name not in REFUSED]

pytestmark = pytest.mark.skipif(not FILES, reason="the corpus of real configs is not here")


@pytest.mark.parametrize("path", EDITED, ids=lambda path: path.name)
def test_a_real_config_is_edited_around_every_byte(path: Path) -> None:
    raw = path.read_bytes()
    new = with_blocks(parse(raw), OURS)
    assert_outside_kept(raw, new)
    assert_holds(load(raw), load(new), OURS)
    document = parse(new)
    assert with_blocks(document, OURS) is document.raw
    other = with_blocks(document, OTHERS)
    assert with_blocks(parse(other), OURS) == new
    back = with_blocks(document, Blocks())
    assert_outside_kept(raw, back)
    assert_holds(load(raw), load(back), Blocks())


@pytest.mark.parametrize("path", EDITED, ids=lambda path: path.name)
def test_a_real_config_reads_alike_as_yaml_12(path: Path) -> None:
    raw = path.read_bytes()
    assert_holds(load_as_12(raw), load_as_12(with_blocks(parse(raw), OURS)), OURS)


@pytest.mark.parametrize("path", EDITED, ids=lambda path: path.name)
def test_lost_markers_are_put_back_and_entries_given_up(path: Path) -> None:
    raw = path.read_bytes()
    new = with_blocks(parse(raw), Blocks(OURS.models))
    lost = b"\n".join(line for line in new.split(b"\n") if b"rollcall: managed" not in line)
    with pytest.raises(ConfigRefused, match="stands outside our markers"):
        with_blocks(parse(lost), OURS)
    found = parse(adopt(parse(lost), frozenset()))
    assert (found.managed, found.strays) == (Blocks(OURS.models), ())
    assert outside(found.raw) == outside(new)
    given_up = load(eject(parse(new)))
    assert rest_of(given_up) == rest_of(load(new))
    assert [entry["model_name"] for entry in given_up["model_list"]] == [
        entry["model_name"] for entry in load(new)["model_list"]
    ]
    assert b"managed_by" not in eject(parse(new))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_litellm_config_is_refused_with_its_line(name: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        parse((CORPUS / "configs" / name).read_bytes())
    assert (refused.value.reason, refused.value.line) == REFUSED[name]


def test_the_whole_corpus_is_accounted_for(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes: Counter[str] = Counter()
    for path in FILES:
        try:
            with_blocks(parse(path.read_bytes()), OURS)
            outcomes["edited"] += 1
        except ConfigRefused as refused:
            outcomes[f"refused: {refused.reason}"] += 1
    with capsys.disabled():
        for what, count in outcomes.most_common():
            sys.stdout.write(f"\n{count:4d} {what}")
    assert outcomes == {
        "edited": 92,
        "refused: kubernetes": 7,
        "refused: not_litellm": 2,
        "refused: several_documents": 1,
    }
