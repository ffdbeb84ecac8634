"""A config inside a Kubernetes manifest: edited in place, every other byte as it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.manifest import find_manifest
from rollcall.litellm_config.writing import with_blocks
from tests.config_oracle import OURS, assert_holds, load
from tests.house import House
from tests.test_config_corpus import FILES
from tests.test_config_properties import BLOCKS, configs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator.simulator import Simulator

MANIFESTS = [path for path in FILES if b"kind: ConfigMap" in path.read_bytes()]
MANIFEST = """\
# kept by hand
apiVersion: v1
kind: ConfigMap
metadata: {name: litellm, namespace: ai}   # where it lives
data:
  README: |
    Not the config.
  config.yaml: |
    # ours
    model_list:
      - model_name: mine   # by hand
        litellm_params: {model: ollama/mine}

    general_settings:
      master_key: os.environ/LITELLM_MASTER_KEY
  other: "x"   # the end
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: litellm}
"""


def edited(raw: bytes, blocks: Blocks = OURS, key: str | None = None) -> bytes:
    """The manifest with our blocks in its config."""
    manifest = find_manifest(raw, key)
    assert manifest is not None
    return manifest.with_config(with_blocks(parse(manifest.config), blocks))


def config_of(raw: bytes, name: str = "config.yaml") -> Any:
    """What LiteLLM gets when the manifest is applied."""
    for document in yaml.safe_load_all(raw):
        if name in ((document or {}).get("data") or {}):
            return yaml.safe_load(document["data"][name])
    raise AssertionError("no config in it")


def line_ends(raw: bytes) -> int:
    """How many line ends the config's text ends in."""
    text = next(iter(yaml.safe_load_all(raw)))["data"]["config.yaml"]
    return len(text) - len(text.rstrip("\n"))


def assert_only_added(old: bytes, new: bytes) -> None:
    """Every line of the old text stands in the new one, in order, to the byte."""
    rows = iter(new.splitlines(keepends=True))
    for line in old.splitlines(keepends=True):
        assert any(row == line for row in rows), line


@pytest.mark.skipif(not MANIFESTS, reason="the corpus of real configs is not here")
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_real_manifest_is_edited_around_every_byte(path: Path) -> None:
    raw = path.read_bytes()
    manifest = find_manifest(raw)
    assert manifest is not None
    assert manifest.with_config(manifest.config) == raw
    new = edited(raw)
    assert_only_added(raw, new)
    assert_holds(load(manifest.config), config_of(new, manifest.key), OURS)
    assert edited(new) == new
    others = [row for row in yaml.safe_load_all(new) if manifest.key not in (row.get("data") or {})]
    before = [row for row in yaml.safe_load_all(raw) if manifest.key not in (row.get("data") or {})]
    assert others == before


@pytest.mark.parametrize("chomping", ["", "-", "+", "2", "2-", "+2"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("tail", ["", "\n", "\n\n"])
def test_chomping_line_ends_and_blank_lines_stay(chomping: str, newline: str, tail: str) -> None:
    text = MANIFEST.replace("config.yaml: |", f"config.yaml: |{chomping} # as text")
    text = text.replace("  other:", f"{tail}  other:").replace("\n", newline)
    raw = text.encode()
    new = edited(raw)
    assert_only_added(raw, new)
    assert_holds(config_of(raw), config_of(new), OURS)
    assert edited(new) == new
    if "+" not in chomping:  # there the blank lines are the config's own, and ours follow them
        assert line_ends(raw) == line_ends(new)


def test_a_config_at_the_end_of_a_file_without_a_line_end() -> None:
    raw = MANIFEST[: MANIFEST.index("  other:")].rstrip("\n").encode()
    new = edited(raw)
    assert not new.endswith(b"\n")
    assert_only_added(raw + b"\n", new + b"\n")
    assert_holds(config_of(raw), config_of(new), OURS)


@settings(max_examples=60, deadline=None)
@given(
    configs(),
    BLOCKS,
    st.integers(1, 8),
    st.sampled_from(["", "-", "+"]),
    st.sampled_from(["", "  next: x\n", "---\nkind: Secret\napiVersion: v1\n"]),
)
def test_any_config_in_any_manifest(
    raw: bytes, blocks: Blocks, indent: int, chomping: str, after: str
) -> None:
    text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    if "model_list:" not in text or re.search(r"^(\.\.\.|---|%| )", text, re.MULTILINE):
        return  # a first line with a blank needs its indentation said
    rows = "".join(" " * (2 + indent) + row + "\n" if row else "\n" for row in text.split("\n"))
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
    manifest = f"{head}  config.yaml: |{chomping}\n{rows}{after}".encode()
    try:
        new = edited(manifest, blocks)
    except ConfigRefused:
        return
    assert new.startswith(head.encode())
    assert new.endswith(after.encode())
    assert_holds(config_of(manifest), config_of(new), blocks)


def reason_of(text: str, key: str | None = None) -> tuple[str, int | None]:
    """Why a manifest is refused, and the line."""
    with pytest.raises(ConfigRefused) as caught:
        edited(text.encode(), key=key)
    assert str(caught.value).count("\n") == 1
    return caught.value.reason, caught.value.line


def refuse(raw: bytes) -> None:
    """Read it as the store and a plan do."""
    manifest = find_manifest(raw)
    with_blocks(parse(manifest.config if manifest else raw), OURS)


HELM = [
    MANIFEST.replace("  other:", "  n: {{ .Values.x }}\n  other:"),
    MANIFEST.replace("name: litellm,", 'name: "{{ .Release.Name }}",'),
    MANIFEST.replace("ollama/mine}", '"{{ .Values.model }}"}'),
    MANIFEST.replace("    general_settings", "    {{- if .Values.x }}\n    general_settings"),
]


@pytest.mark.parametrize("text", HELM, ids=["bare", "quoted", "in the config", "a branch"])
def test_a_helm_template_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ConfigRefused) as caught:
        refuse(text.encode())
    assert caught.value.reason in ("helm", "template")
    assert caught.value.line == next(
        number for number, line in enumerate(text.split("\n"), 1) if "{{" in line
    )
    assert re.search("helm template|Render the template", caught.value.hint)


def test_braces_that_the_cluster_fills_in_are_no_template() -> None:
    text = MANIFEST.replace("apiVersion: v1", "apiVersion: external-secrets.io/v1")
    text = text.replace("os.environ/LITELLM_MASTER_KEY", '"{{ .MASTER_KEY }}"')
    assert_only_added(text.encode(), edited(text.encode()))
    commented = MANIFEST.replace("# kept by hand", "# {{ nothing }}")
    assert_only_added(commented.encode(), edited(commented.encode()))


def test_what_cannot_be_edited_is_refused_with_the_line() -> None:
    nothing = MANIFEST.replace("model_list", "models").replace("general_settings", "settings")
    assert reason_of(nothing) == ("kubernetes", 2)
    folded = MANIFEST.replace("config.yaml: |", "config.yaml: >")
    assert reason_of(folded)[0] in ("not_a_block", "kubernetes")
    config = "model_list: [{model_name: a, litellm_params: {model: a/b}}]\\nx: 1\\n"
    quoted = f'apiVersion: v1\nkind: ConfigMap\ndata:\n  config.yaml: "{config}"\n'
    assert reason_of(quoted) == ("not_a_block", 4)


def test_of_several_configs_one_is_named() -> None:
    other = MANIFEST.replace("name: litellm,", "name: staging,")
    both = f"{MANIFEST}---\n{other}"
    reason, line = reason_of(both)
    assert (reason, line) == ("several_configs", both[: both.index("staging")].count("\n") + 6)
    new = edited(both.encode(), key="staging/config.yaml")
    assert new.startswith(MANIFEST.encode())
    assert_only_added(both.encode(), new)
    assert reason_of(both, key="no-such-key")[0] == "kubernetes"
    two = MANIFEST.replace("  other:", "  b.yaml: |\n    model_list: []\n  other:")
    assert reason_of(two)[0] == "several_configs"
    assert b"rollcall" in edited(two.encode(), key="b.yaml")


def test_a_config_that_speaks_of_kubernetes_is_no_manifest() -> None:
    raw = b"model_list: []  # apiVersion, kind\n"
    assert find_manifest(raw) is None
    assert find_manifest(b"apiVersion: [\nkind: x\n") is None


@pytest.fixture
def house(tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> House:
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy("allow:\n  - {family: glm, from: [openrouter], newest: 1}\n", "openrouter")
    house.config.write_bytes(MANIFEST.encode())
    return house


def test_the_whole_life_of_a_manifest(house: House) -> None:
    house.applied()
    first = house.config.read_bytes()
    assert_only_added(MANIFEST.encode(), first)
    assert len(config_of(first)["model_list"]) == 2
    assert "Nothing to change" in house.run("apply").out
    assert house.config.read_bytes() == first
    assert house.run("explain", "mine").code == 0
    assert house.run("models", "--json").json()
    assert house.run("rollback").code == 0
    assert house.config.read_bytes() == MANIFEST.encode()
    assert house.run("apply").code == 0
    assert house.run("eject", "--remove").code == 0
    assert_only_added(MANIFEST.encode(), house.config.read_bytes())


def test_a_saved_plan_is_applied_to_a_manifest(house: House) -> None:
    assert house.run("plan", "--out", "plan.json").code == 0
    assert house.run("apply", "plan.json").code == 0
    assert len(config_of(house.config.read_bytes())["model_list"]) == 2
    changed = house.config.read_text(encoding="utf-8").replace("by hand", "by hands")
    house.config.write_text(changed, encoding="utf-8")
    assert house.run("apply", "plan.json").code == 1


def test_the_result_alone_goes_elsewhere(house: House) -> None:
    assert house.run("apply", "--write-to", "out.yaml").code == 0
    assert house.config.read_bytes() == MANIFEST.encode()
    assert len(load((house.folder / "out.yaml").read_bytes())["model_list"]) == 2
