"""Texts made to bring a YAML reader down: refused in words, at once, wherever they are read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rollcall.errors import ConfigRefused, PolicyError
from rollcall.litellm_config.document import parse
from rollcall.policy.file import load_policy
from rollcall.runtime.config import parse_config
from rollcall.runtime.errors import InvalidYAML
from rollcall.store.picks import read_picked, write_picked
from rollcall.yaml_reading import UNREADABLE, Unbounded, load
from tests.platforms import not_on_windows
from tests.stand_in import StandIns

ENTRY = "model_list:\n- model_name: mine\n  litellm_params: {model: openai/x}\n"
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)
MERGES = "a0: &a0 {x: y}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}\n"
    for level in range(1, 10)
)
DEEP = "[" * 200_000 + "]" * 200_000
BOMBS = {
    "laughs": LAUGHS,
    "merges": MERGES,
    "circle": "c: &c [*c]\n",
    "deep": f"deep: {DEEP}\n",
    "deep braces": f"deep: {'{a: ' * 200_000}\n",
    "deep dashes": f"deep:\n{'- ' * 200_000}x\n",
    "a name": LAUGHS + "model_list:\n- model_name: *a9\n  litellm_params: *a9\n",
    "no number": 'a: !!int ""\n',
    "no time": "a: !!timestamp x\n",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_no_data(bomb: str) -> None:
    with pytest.raises(UNREADABLE):
        load(BOMBS[bomb])


@pytest.mark.parametrize("bomb", BOMBS)
def test_config_yaml_is_refused(bomb: str) -> None:
    text = BOMBS[bomb] if "model_list" in BOMBS[bomb] else BOMBS[bomb] + ENTRY
    with pytest.raises(ConfigRefused) as refused:
        parse(text.encode())
    assert len(refused.value.what) < 300


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_policy_is_refused(bomb: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy(f"version: 1\n{BOMBS[bomb]}", "policy.yaml")
    assert len(refused.value.what) < 300


@pytest.mark.parametrize("bomb", BOMBS)
def test_the_librarys_file_is_refused(bomb: str) -> None:
    with pytest.raises(InvalidYAML):
        parse_config(f"project: x\n{BOMBS[bomb]}", "llm_orchestrator.yaml")


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_pick_is_refused(tmp_path: Path, bomb: str) -> None:
    (tmp_path / "policy.picked.yaml").write_text(BOMBS[bomb], encoding="utf-8")
    with pytest.raises(PolicyError):
        read_picked(tmp_path / "policy.yaml")


def test_anchors_as_people_use_them_are_read() -> None:
    text = "base: &base {a: [1, 2]}\nother: {<<: *base, b: *base}\nrule: '[[[{{{*&'\n"
    assert load(text)["other"] == {"a": [1, 2], "b": {"a": [1, 2]}}
    assert load("a: " + "[" * 900 + "]" * 900)
    with pytest.raises(Unbounded):
        load("a: " + "[" * 1001 + "]" * 1001)


@pytest.mark.parametrize("bomb", ["laughs", "merges", "deep", "a name", "no number"])
def test_the_proxy_starts_over_an_included_bomb(tmp_path: Path, bomb: str) -> None:
    stand_ins = StandIns(tmp_path / "bin", tmp_path / "started.jsonl")
    litellm = stand_ins.add("litellm")
    (tmp_path / "config.yaml").write_text(f"include: [bomb.yaml]\n{ENTRY}", encoding="utf-8")
    (tmp_path / "bomb.yaml").write_text(f"include: []\n{BOMBS[bomb]}", encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(
        "version: 1\nallow: []\n"
        'providers: {here: {type: openai, base_url: "http://127.0.0.1:9/v1", key_env: null}}\n',
        encoding="utf-8",
    )
    source = Path(__file__).resolve().parents[1] / "src"
    command = [sys.executable, "-m", "rollcall", "start", "--discover", "--litellm", str(litellm)]
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "a bug" not in ran.stderr
    assert len(stand_ins.starts()) == 1


def test_a_picked_name_cannot_write_yaml(tmp_path: Path) -> None:
    name = 'openrouter/x"\nother: "y\u2028\U0001f600'
    write_picked(tmp_path / "policy.yaml", name)
    assert read_picked(tmp_path / "policy.yaml")[1] == name


@not_on_windows("links need a privilege")
def test_a_planted_link_at_the_pick_is_replaced_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    (tmp_path / "policy.picked.yaml").symlink_to(victim)
    write_picked(tmp_path / "policy.yaml", "openai/x")
    assert victim.read_text(encoding="utf-8") == "precious"
