"""Whatever the config's style and whatever the plan: outside bytes stay, twice is once."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.writing import with_blocks
from tests.config_oracle import assert_holds, assert_outside_kept, load, load_as_12
from tests.test_config_render import TEXT, VALUES

COMMENTS = st.sampled_from(
    ["", "", "", "# a comment", "# >>> managed >>>", "# - model_name: old", "# é 😀"]
)
PLAIN = ("drop_params: true", "num_retries: 2  # twice", "timeout: 1_0", "note: 'it''s'", 'x: "#"')
LAST_VALUES = (
    "ollama/m",
    '"ollama/m"',
    "|\n{pad}  text\n{pad}  more",
    "|-\n{pad}  text",
    ">+\n{pad}  text\n\n",
)


@st.composite
def entry_lines(draw: st.DrawFn, column: int, number: int) -> list[str]:
    """One hand-written entry at `column`."""
    pad, gap = " " * column, draw(st.sampled_from([" ", "   "]))
    inner = pad + " " + gap
    if draw(st.booleans()):
        return [
            f"{pad}-{gap}{{model_name: own-{number}, litellm_params: {{model: ollama/m}}}}  # own"
        ]
    value = draw(st.sampled_from(LAST_VALUES)).format(pad=inner + "  ")
    lines = [
        f"{pad}-{gap}model_name: own-{number}",
        f"{inner}litellm_params:",
        f"{inner}  model: {value}",
    ]
    comment = draw(COMMENTS)
    if comment:
        lines.insert(draw(st.integers(0, 2)), draw(st.sampled_from([pad, inner])) + comment)
    return "\n".join(lines).split("\n")


@st.composite
def model_list_lines(draw: st.DrawFn) -> list[str]:
    """`model_list` in one of its styles."""
    style = draw(st.sampled_from(["block", "block", "block", "flow", "open", "empty"]))
    row = "{model_name: own, litellm_params: {model: ollama/m}}"
    if style == "empty":
        value = draw(
            st.sampled_from(["", "[]", "{}", "~", "null", "[ ]", "[\n]", "  # nothing yet"])
        )
        return f"model_list: {value}".split("\n")
    if style == "flow":
        return [f"model_list: [{row}{draw(st.sampled_from(['', ', ' + row, ',']))}]  # flow"]
    if style == "open":
        return [
            "model_list: [",
            f"  {row},  # one",
            f"  {row}{draw(st.sampled_from(['', ',']))}",
            "  ]",
        ]
    column = draw(st.sampled_from([0, 2, 4]))
    lines = ["model_list:" + draw(st.sampled_from(["", "  # ours and theirs", " "]))]
    for number in range(draw(st.integers(1, 3))):
        lines += draw(entry_lines(column, number))
        lines += draw(st.sampled_from([[], [""], [" " * (column + 2) + "# deep"]]))
    return lines


SECTION_VALUES = ("", "{}", "null", "{timeout: 3}", "{a: [b]} # c")
ALIAS_VALUES = ("", " {}", " {own: m}", " {own: m, o2: {model: m, hidden: true}}", "\n~  own: m")
FALLBACK_VALUES = ("", " []", " [{own: [m]}]", "\n~- own: [m]", "\n~    - own:\n~        - m")


@st.composite
def settings_lines(draw: st.DrawFn, name: str) -> list[str]:
    """A settings section with or without aliases and fallbacks, in one of its styles."""
    if draw(st.integers(0, 4)) == 0:
        return [f"{name}: {draw(st.sampled_from(SECTION_VALUES))}"]
    pad = " " * draw(st.sampled_from([1, 2, 4]))
    texts = draw(st.lists(st.sampled_from(PLAIN), max_size=2, unique=True))
    if name == "router_settings" and draw(st.booleans()):
        texts.append("model_group_alias:" + draw(st.sampled_from(ALIAS_VALUES)))
    if draw(st.booleans()):
        texts.append("fallbacks:" + draw(st.sampled_from(FALLBACK_VALUES)))
    parts = [(pad + text.replace("~", pad)).split("\n") for text in texts]
    assume(parts)
    order = draw(st.permutations(parts))
    comment = draw(COMMENTS)
    return [
        f"{name}:",
        *(line for part in order for line in part),
        *([pad + comment] if comment else []),
    ]


@st.composite
def configs(draw: st.DrawFn) -> bytes:
    """A config.yaml as people write them, down to its bytes."""
    sections = [draw(model_list_lines())] if draw(st.integers(0, 9)) else []
    for name in ("router_settings", "litellm_settings", "general_settings"):
        if draw(st.booleans()):
            sections.append(draw(settings_lines(name)))
    head = draw(st.sampled_from([[], ["# ours"], ["---"], ["%YAML 1.1", "---"], ["", "# top", ""]]))
    lines = list(head)
    for section in draw(st.permutations(sections)):
        lines += section + draw(st.sampled_from([[], [""], ["", "# next", ""], ["  # in between"]]))
    lines += draw(st.sampled_from([[], ["# the end"], ["    # deep end"], ["..."], ["", "", ""]]))
    shift = " " if draw(st.integers(0, 9)) == 0 else ""
    lines = [
        shift + line if line and line[:3] not in ("---", "...", "%YA") else line for line in lines
    ]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = newline.join(lines) + draw(st.sampled_from([newline, newline, ""]))
    return (b"\xef\xbb\xbf" if draw(st.booleans()) else b"") + text.encode()


NAMES = TEXT.filter(lambda name: name not in ("own", "o2"))
MODELS = st.builds(
    lambda name, params, info: {
        "model_name": name,
        "litellm_params": {"model": name, **params},
        "model_info": {"managed_by": "rollcall", **info},
    },
    TEXT.filter(bool),  # what nobody calls by a name is no entry
    st.dictionaries(TEXT, VALUES, max_size=2).map(
        lambda found: {"p" + k: v for k, v in found.items()}
    ),
    st.dictionaries(TEXT, VALUES, max_size=2).map(
        lambda found: {"i" + k: v for k, v in found.items()}
    ),
)
TARGETS = TEXT | st.builds(
    lambda name, hidden: {"model": name, "hidden": hidden}, TEXT, st.booleans()
)
BLOCKS = st.builds(
    Blocks,
    st.lists(MODELS, max_size=3).map(tuple),
    st.dictionaries(NAMES, TARGETS, max_size=3),
    st.lists(
        st.dictionaries(NAMES, st.lists(TEXT, max_size=2), min_size=1, max_size=1), max_size=2
    ).map(tuple),
)


def edit(raw: bytes, blocks: Blocks) -> bytes:
    """The edited text; what a generated config may rightly be refused for is passed over."""
    try:
        return with_blocks(parse(raw), blocks)
    except ConfigRefused as refused:
        assume(refused.reason not in ("two_fallbacks", "block_scalar_end"))
        raise


def readable(raw: bytes) -> dict[str, Any]:
    """What LiteLLM loads. A text it cannot load is refused, and that is all there is to it."""
    try:
        data = load(raw)
    except yaml.YAMLError:
        with pytest.raises(ConfigRefused):
            parse(raw)
        assume(False)
    return data


@settings(max_examples=60, deadline=None)
@given(configs(), BLOCKS)
def test_the_users_bytes_and_data_stay(raw: bytes, blocks: Blocks) -> None:
    old = readable(raw)
    new = edit(raw, blocks)
    assert_outside_kept(raw, new)
    assert_holds(old, load(new), blocks)
    assert_holds(load_as_12(raw), load_as_12(new), blocks)
    assert new.isascii() or not raw.isascii()


@settings(max_examples=60, deadline=None)
@given(configs(), BLOCKS, BLOCKS)
def test_twice_is_once_and_the_way_does_not_matter(raw: bytes, one: Blocks, two: Blocks) -> None:
    readable(raw)
    new = edit(raw, one)
    document = parse(new)
    assert document.managed == one
    assert with_blocks(document, one) is document.raw
    both = edit(new, two)
    assert parse(both).managed == two
    back = edit(both, Blocks())
    assert_holds(load(raw), load(back), Blocks())
    assert_outside_kept(raw, back)
    assert edit(edit(back, one), Blocks()) == back
