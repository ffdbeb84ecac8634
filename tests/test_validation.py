"""`apply --validate`: LiteLLM and a YAML 1.2 reader see the new config before it is there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rollcall import settings
from rollcall.errors import ConfigRefused
from rollcall.launch.validation import LiteLLMCheck, check_yaml_1_2, expected_rows
from tests.house import OWN
from tests.litellm_proxy import MASTER_KEY, OFFLINE

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1%s}
aliases: {claude: {family: claude-sonnet}}
"""


@pytest.fixture
def offline(house: House) -> House:
    """LiteLLM looks nothing up."""
    for name, value in {**OFFLINE, "LITELLM_MASTER_KEY": MASTER_KEY}.items():
        house.monkeypatch.setenv(name, value)
    return house


@pytest.mark.litellm
def test_litellm_says_yes_and_it_is_written(offline: House) -> None:
    offline.write_policy(RULES % "", "anthropic")
    offline.applied("--validate")
    assert offline.names() == ["anthropic/claude-sonnet-5"]
    assert not list(offline.folder.glob(".rollcall-check-*"))


@pytest.mark.litellm
def test_what_litellm_would_drop_is_not_written(offline: House) -> None:
    offline.write_policy(RULES % ", params: {custom_llm_provider: frobnicator}", "anthropic")
    ran = offline.run("apply", "--validate")
    assert ran.code == 1
    assert "entries of the new config" in ran.err
    assert offline.config.read_text(encoding="utf-8") == OWN


def test_rows_are_entries_and_what_visible_aliases_lead_to(tmp_path: Path) -> None:
    text = b"""
model_list:
  - {model_name: a, litellm_params: {model: x/a}}
  - {model_name: a, litellm_params: {model: y/a}}
  - {model_name: b, litellm_params: {model: x/b}}
router_settings:
  model_group_alias: {one: a, two: {model: b, hidden: true}, three: nothing}
"""
    here = settings.resolve(cwd=tmp_path, environ={"LITELLM_ENVIRONMENT": "production"})
    assert expected_rows(text, here) == 5
    more = b"model_list: [{model_name: b, litellm_params: {model: z/b}}]\n"
    (tmp_path / "x.yaml").write_bytes(more)
    assert expected_rows(b"include: [x.yaml]\n" + text, here) == 6
    elsewhere = b"  - {model_name: c, litellm_params: {model: x/c}, model_info: {%s}}\n"
    for environment, rows in ((b"staging", 5), (b"production", 6)):
        entry = elsewhere % (b"supported_environments: [" + environment + b"]")
        assert expected_rows(text.replace(b"router", entry + b"router"), here) == rows


@pytest.mark.parametrize("router", [b"nope", b"[a]", b"5", b"", b"{model_group_alias: [a]}"])
def test_sections_that_are_none_are_no_bug(router: bytes, tmp_path: Path) -> None:
    here = settings.resolve(cwd=tmp_path, environ={})
    assert expected_rows(b"model_list: nope\nrouter_settings: " + router + b"\n", here) == 0


SAYS = """#!{python}
import sys
text = open(sys.argv[sys.argv.index("--config") + 1], encoding="utf-8").read()
for words, answer in {answers!r}:
    if words in text:
        print(answer, file=sys.stdout if "OK" in answer else sys.stderr)
        sys.exit("OK" not in answer)
"""
NEW, OLD = b"model_list: [] # new\n", b"model_list: [] # old\n"


class Judge:
    """A litellm that says what it is told to of the new and of the present config."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self, new: str, old: str, *, config: bytes = NEW, present: bytes = OLD) -> None:
        """Run the check of `config` over what is present."""
        (self.folder / "config.yaml").write_bytes(present)
        self.made([("# new", new), ("# old", old)])(config)

    def made(self, answers: list[tuple[str, str]]) -> LiteLLMCheck:
        """The check with a litellm that says what stands behind the first words it finds."""
        path = self.folder / "litellm"
        path.write_text(SAYS.format(python=sys.executable, answers=answers), encoding="utf-8")
        path.chmod(0o755)
        environ = {"ROLLCALL_LITELLM": str(path), "OPENAI_API_KEY": KEY, "PATH": os.defpath}
        return LiteLLMCheck(settings.resolve(cwd=self.folder, environ=environ))


KEY = "a-secret-of-mine-123456"
TWO = b"""model_list: # new
  - {model_name: a, litellm_params: {model: x/a}}
  - {model_name: b, litellm_params: {model: x/b}}
"""


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    if os.name == "nt":
        pytest.skip("Windows: no #! lines")
    return Judge(tmp_path)


class TestWhatLiteLLMSays:
    def test_its_own_words_are_told_without_a_key(self, judge: Judge) -> None:
        new = f"traceback\nLiteLLM: config validation failed: no 'hidden'\n  in {KEY}"
        with pytest.raises(ConfigRefused) as caught:
            judge.check(new, "LiteLLM: config OK (0 models)")
        assert "refuses the new config: no 'hidden' in [redacted]" in caught.value.what
        assert "it takes that one" in caught.value.hint

    def test_the_last_line_where_it_has_no_words_of_its_own(self, judge: Judge) -> None:
        with pytest.raises(ConfigRefused) as caught:
            judge.check("Traceback\nyaml.Error: line 3\n\n", "LiteLLM: config OK (0 models)")
        assert "refuses the new config: yaml.Error: line 3" in caught.value.what

    def test_an_old_fault_is_not_the_new_configs(self, judge: Judge) -> None:
        """`mcp_servers: {garmin-connect: ...}`: the present file is refused already."""
        words = "LiteLLM: config validation failed: Server name cannot contain '-'"
        with pytest.raises(ConfigRefused) as caught:
            judge.check(words, words)
        assert "refuses the present config.yaml already: Server name cannot" in caught.value.what
        assert "new config" not in caught.value.what

    def test_entries_it_drops_are_counted_against_the_present_file(self, judge: Judge) -> None:
        judge.check("config OK (2 models)", "config OK (0 models)", config=TWO)
        with pytest.raises(ConfigRefused) as caught:
            judge.check("config OK (1 models)", "config OK (0 models)", config=TWO)
        assert "drop 1 of 2 entries" in caught.value.what

    def test_what_it_drops_already_does_not_stop_a_run(self, judge: Judge) -> None:
        """One's own entry with `rpm: 10k`: not ours to refuse for ever."""
        present = TWO.replace(b"# new", b"# old")
        judge.check("config OK (1 models)", "config OK (1 models)", config=TWO, present=present)


MCP = b"mcp_servers: {one: {url: 'http://127.0.0.1:1/mcp', transport: http}}\n"
REFUSED = [
    ("mcp_servers", "config validation failed: it would not end"),
    ("c", "config OK (3 models)"),
]
"""Of a config whose third entry is `c`."""


class TestMCPServers:
    """LiteLLM's own check of a config that names them does not end: it is asked without them."""

    C = b"  - {model_name: c, litellm_params: {model: x/c}, model_info: {since: 2026-01-02}}\n"

    def test_it_is_asked_without_them_and_that_is_noted_once(self, judge: Judge) -> None:
        check = judge.made(REFUSED)
        check(TWO + self.C + MCP)
        check(TWO + self.C + MCP)
        [note] = check.notes
        assert "does not end where mcp_servers are named" in note
        assert "rollcall doctor" in note

    def test_those_of_an_included_file_too(self, judge: Judge) -> None:
        (judge.folder / "i.yaml").write_bytes(MCP + b"model_list:\n" + self.C)
        check = judge.made(REFUSED)
        check(TWO + b"include: [i.yaml]\n")
        assert check.notes

    def test_what_else_is_wrong_is_still_refused(self, judge: Judge) -> None:
        with pytest.raises(ConfigRefused, match="no 'hidden'"):
            judge.made([("c", "config validation failed: no 'hidden'")])(TWO + self.C + MCP)

    @pytest.mark.parametrize("include", [b"gone.yaml", b"i.yaml"])
    def test_a_file_that_it_cannot_load_comes_first(self, include: bytes, judge: Judge) -> None:
        (judge.folder / "i.yaml").write_bytes(b"a: [\n")
        answers = [(include.decode(), "config validation failed: first")]
        with pytest.raises(ConfigRefused, match="first"):
            judge.made(answers)(TWO + MCP + b"include: [" + include + b"]\n")

    def test_without_any_nothing_is_noted(self, judge: Judge) -> None:
        check = judge.made(REFUSED)
        check(TWO + self.C)
        assert not check.notes


@pytest.mark.litellm
def test_a_user_of_mcp_servers_can_validate(offline: House) -> None:
    offline.config.write_bytes(OWN.encode() + MCP)
    offline.write_policy(RULES % "", "anthropic")
    ran = offline.applied("--validate")
    assert offline.names() == ["anthropic/claude-sonnet-5"]
    assert "note: LiteLLM's own check does not end" in ran.err


def test_an_entry_that_means_something_else_in_yaml_1_2_is_refused(house: House) -> None:
    house.write_policy(RULES % "", "anthropic")
    house.applied()
    good = house.config.read_bytes()
    check_yaml_1_2(good)
    with pytest.raises(ConfigRefused):
        check_yaml_1_2(good.replace(b"1000000", b"0o17"))
