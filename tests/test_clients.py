"""`rollcall env CLIENT`: lines a shell runs, with no key in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rollcall.errors import NotFound, SettingsError
from rollcall.inspect.clients import CLIENTS, client_lines, sample_calls
from rollcall.inspect.shells import SHELLS, Shell
from tests.house import House
from tests.service.fake_litellm import KEY, FakeLiteLLM

URL = "http://127.0.0.1:4000"


def in_sh(lines: list[str], shown: str, **environ: str) -> str:
    """Run the lines in a shell and give one variable back."""
    sh = shutil.which("sh")
    if sh is None:
        pytest.skip("Windows: no sh")
    script = "\n".join([*lines, f'printf "%s" "${{{shown}-unset}}"'])
    done = subprocess.run(
        [sh, "-eu", "-c", script], env=environ, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


def test_claude_code() -> None:
    lines = client_lines("claude-code", URL, "LITELLM_API_KEY", "sh", model="claude")
    environ = {"LITELLM_API_KEY": "sk $x'1", "ANTHROPIC_API_KEY": "old"}
    assert in_sh(lines, "ANTHROPIC_BASE_URL", **environ) == URL
    assert in_sh(lines, "ANTHROPIC_AUTH_TOKEN", **environ) == "sk $x'1"
    assert in_sh(lines, "ANTHROPIC_API_KEY", **environ) == "unset"
    assert in_sh(lines, "ANTHROPIC_MODEL", **environ) == "claude"
    assert in_sh(lines, "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", **environ) == "1"


def test_powershell() -> None:
    lines = client_lines("claude-code", URL, "MY_KEY", "powershell")
    assert "$env:ANTHROPIC_BASE_URL = 'http://127.0.0.1:4000'" in lines
    assert "$env:ANTHROPIC_AUTH_TOKEN = $env:MY_KEY" in lines
    assert "Remove-Item Env:ANTHROPIC_API_KEY -ErrorAction Ignore" in lines
    assert not any("ANTHROPIC_MODEL" in line for line in lines)


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/v1", f"{URL}/v1/"])
def test_the_url_may_be_given_either_way(url: str) -> None:
    assert f"export OPENAI_BASE_URL='{URL}/v1'" in client_lines("openai", url, "K", "sh")
    assert f"export ANTHROPIC_BASE_URL='{URL}'" in client_lines("anthropic", url, "K", "sh")


def test_a_variable_is_not_assigned_to_itself_nor_removed() -> None:
    lines = client_lines("openai", URL, "OPENAI_API_KEY", "sh")
    assert not any("OPENAI_API_KEY" in line for line in lines)
    lines = client_lines("claude-code", URL, "ANTHROPIC_API_KEY", "sh")
    assert "unset ANTHROPIC_API_KEY" not in lines


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("client", CLIENTS)
def test_hostile_words_stay_words(client: str, shell: Shell) -> None:
    bad = 'x\'; touch ran; "$(touch ran)`touch ran`"\ntouch ran\r\n'
    if shell == "cmd" and CLIENTS[client].variables:
        with pytest.raises(SettingsError, match="cmd has no way to write"):
            client_lines(client, f"http://h/{bad}", "K", shell, model=bad)
        return
    lines = client_lines(client, f"http://h/{bad}", "K", shell, model=bad)
    if shell == "sh":
        in_sh(lines, "K", K="1", PATH="/usr/bin:/bin")
        listed = subprocess.run(["ls"], capture_output=True, encoding="utf-8", check=True).stdout
        assert "ran" not in listed
    for line in lines:
        if line.startswith(("#", "rem")):
            assert "\n" not in line
            assert "\r" not in line


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_is_told_something_in_every_shell(client: str, shell: Shell) -> None:
    lines = client_lines(client, URL, "LITELLM_API_KEY", shell)
    assert len(lines) > 1
    assert any(URL in line for line in lines)
    assert any("LITELLM_API_KEY" in line for line in lines)
    assert not any(word in line for line in lines for word in ("{root}", "{v1}", "{key}"))
    if shell == "powershell":
        parses(lines)


def parses(lines: list[str]) -> None:
    import tree_sitter_powershell
    from tree_sitter import Language, Parser

    script = "\n".join([*lines, "$null"])  # the grammar wants more than comments
    tree = Parser(Language(tree_sitter_powershell.language())).parse(script.encode())
    assert not tree.root_node.has_error


HOSTILE = "x'; touch ran; \"$(touch ran)`touch ran`\u2019; echo \\"


@pytest.mark.parametrize("model", ["default", HOSTILE])
@pytest.mark.parametrize("what", ["curl", "Python"])
def test_a_sample_call_calls(what: str, model: str) -> None:
    program = shutil.which("curl" if what == "curl" else "sh")
    if program is None:
        pytest.skip("Windows: no sh" if os.name == "nt" else "neither curl nor sh is here")
    with FakeLiteLLM() as litellm:
        call = sample_calls(litellm.url, "THEIR_KEY", model)[what]
        command = ["sh", "-euc", call] if what == "curl" else [sys.executable, "-c", call]
        environ = {"THEIR_KEY": KEY, "PATH": os.environ["PATH"]}
        done = subprocess.run(
            command, env=environ, capture_output=True, encoding="utf-8", check=True
        )
    assert "hello" in done.stdout
    seen = litellm.seen[-1]
    assert json.loads(seen.body)["model"] == model
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert not Path("ran").exists()


def test_a_sample_call_for_powershell_parses_and_quotes() -> None:
    for model in ("default", HOSTILE):
        call = sample_calls(URL + "/v1/", "THEIR_KEY", model)["PowerShell"]
        parses(call.splitlines())
        assert f"'{URL}/v1/chat/completions'" in call
        assert '"Bearer $env:THEIR_KEY"' in call
    assert "x''; touch" in call


def test_an_unknown_client_is_told_its_neighbour() -> None:
    with pytest.raises(NotFound) as caught:
        client_lines("claud-code", URL, "K", "sh")
    assert caught.value.hint == "Did you mean 'claude-code'?"


@pytest.mark.parametrize("given", ["sk-abc-123", "A B", "", "1A", "A\nB"])
def test_a_key_in_place_of_a_name_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        client_lines("openai", URL, given, "sh")
    assert "sk-abc" not in str(caught.value)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_model_that_is_named_is_used_by_every_client(client: str) -> None:
    assert any(
        "my-model" in line for line in client_lines(client, URL, "K", "sh", model="my-model")
    )
    for nothing in (None, "", "  "):
        lines = client_lines(client, URL, "K", "sh", model=nothing)
        assert not any("''" in line or "'  '" in line for line in lines)


@pytest.mark.parametrize(
    ("word", "client"),
    [
        ("gemini", "gemini-cli"),
        ("Gemini-CLI", "gemini-cli"),
        ("claude", "claude-code"),
        ("Claude Code", "claude-code"),
        ("webui", "open-webui"),
        ("openai", "openai"),
    ],
)
def test_a_part_of_a_clients_word_is_enough_where_no_other_has_it(word: str, client: str) -> None:
    assert client_lines(word, URL, "K", "sh") == client_lines(client, URL, "K", "sh")


@pytest.mark.parametrize("word", ["open", "c", "", "-"])
def test_a_word_that_several_have_is_none(word: str) -> None:
    with pytest.raises(NotFound):
        client_lines(word, URL, "K", "sh")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_no_empty_token_is_printed_but_a_warning(
    value: str | None, shell: Shell, house: House
) -> None:
    """Neither an empty one, nor the key of a provider that the shell holds already."""
    house.monkeypatch.delenv("LITELLM_API_KEY", raising=False)
    if value is not None:
        house.monkeypatch.setenv("LITELLM_API_KEY", value)
    ran = house.run("env", "codex", "--shell", shell)
    assert ran.code == 0
    assert "LITELLM_API_KEY is" in ran.err
    assert "Set LITELLM_API_KEY in this shell first" in ran.err
    lines = [line for line in ran.out.splitlines() if not line.startswith(("#", "rem "))]
    assert not any("LITELLM_API_KEY" in line for line in lines)
    if shell == "sh":
        assert in_sh(ran.out.splitlines(), "OPENAI_API_KEY", OPENAI_API_KEY="theirs") == "unset"


def test_a_key_that_only_dotenv_has_is_not_this_shells(house: House) -> None:
    house.monkeypatch.delenv("LITELLM_API_KEY", raising=False)
    (house.folder / ".env").write_text("LITELLM_API_KEY=sk-of-the-file\n", encoding="utf-8")
    ran = house.run("env", "claude-code", "--shell", "sh")
    assert "LITELLM_API_KEY stands in" in ran.err
    assert ".env" in ran.err
    assert 'AUTH_TOKEN="$LITELLM_API_KEY"' not in ran.out
    house.monkeypatch.setenv("LITELLM_API_KEY", "sk-x")
    ran = house.run("env", "claude-code", "--shell", "sh")
    assert ran.err == ""
    assert 'AUTH_TOKEN="$LITELLM_API_KEY"' in ran.out


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_blank_address_is_none(blank: str, house: House) -> None:
    house.monkeypatch.setenv("LITELLM_API_KEY", "sk-x")
    house.monkeypatch.setenv("LITELLM_BASE_URL", blank)
    assert f"export OPENAI_BASE_URL='{URL}/v1'" in house.run("env", "codex", "--shell", "sh").out
    ran = house.run("env", "codex", "--shell", "sh", "--url", blank)
    assert f"export OPENAI_BASE_URL='{URL}/v1'" in ran.out
    house.monkeypatch.setenv("LITELLM_BASE_URL", " http://proxy.internal:4000 ")
    assert "'http://proxy.internal:4000/v1'" in house.run("env", "codex", "--shell", "sh").out
