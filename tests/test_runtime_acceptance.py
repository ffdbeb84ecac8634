"""The acceptance of the first plan, point by point."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rollcall.errors import RollcallError
from rollcall.runtime.adapter import ChatAdapter, ProviderAdapter
from rollcall.runtime.client import LLMClient, get_llm_client
from rollcall.runtime.config import parse_config
from rollcall.runtime.errors import (
    AuthVariableMissing,
    InvalidYAML,
    ProviderNotDefined,
    RoleNotDefined,
)
from rollcall.runtime.response import LLMResponse
from tests.runtime_support import HELLO, KEY, config_for, simulated, write_config

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "examples" / "minimal_app"
FIRST_PLAN = ("openai", "gemini", "anthropic", "deepseek", "qwen", "openrouter")

CONFIG = """
project: shop
env: dev
providers:
  openai: {auth_profile: openai_default}
roles:
  llm.preprocess: {provider: openai, model: gpt-5.4-mini}
  llm.lost: {provider: nobody, model: gpt-5.4-mini}
"""


def two_lines(error: RollcallError) -> list[str]:
    lines = str(error).split("\n")
    assert len(lines) == 2
    assert all(lines)
    return lines


def test_point_1_role_lookup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role gives provider, model, key and address; the key comes from ORCH_AUTH_*."""
    monkeypatch.setenv("ORCH_AUTH_OPENAI_DEFAULT_API_KEY", KEY)
    resolved = get_llm_client(write_config(tmp_path, CONFIG)).resolve("llm.preprocess")
    assert resolved.provider == "openai"
    assert resolved.model == "gpt-5.4-mini"
    assert resolved.api_key == KEY
    assert resolved.api_base == "https://api.openai.com/v1"
    assert KEY not in repr(resolved)


def test_point_1_the_key_may_stand_in_dotenv(tmp_path: Path, isolated: Path) -> None:
    """`.env` of the working directory is read as everywhere else."""
    (isolated / ".env").write_text(f'ORCH_AUTH_OPENAI_DEFAULT_API_KEY="{KEY}"\n', encoding="utf-8")
    resolved = get_llm_client(write_config(tmp_path, CONFIG)).resolve("llm.preprocess")
    assert resolved.api_key == KEY


def test_point_2_clean_error_invalid_yaml(tmp_path: Path) -> None:
    with pytest.raises(InvalidYAML) as caught:
        get_llm_client(write_config(tmp_path, "providers: {}\nroles: a: b\n"))
    what, _ = two_lines(caught.value)
    assert "llm_orchestrator.yaml, line 2" in what


def test_point_2_clean_error_missing_role(tmp_path: Path) -> None:
    client = get_llm_client(write_config(tmp_path, CONFIG))
    with pytest.raises(RoleNotDefined) as caught:
        client.run("llm.preproces", HELLO)
    what, hint = two_lines(caught.value)
    assert "'llm.preproces'" in what
    assert "Did you mean 'llm.preprocess'?" in hint


def test_point_2_clean_error_missing_provider(tmp_path: Path) -> None:
    client = get_llm_client(write_config(tmp_path, CONFIG))
    with pytest.raises(ProviderNotDefined) as caught:
        client.run("llm.lost", HELLO)
    what, hint = two_lines(caught.value)
    assert "'nobody'" in what
    assert "under `providers:`" in hint


def test_point_2_clean_error_missing_auth_variable(tmp_path: Path) -> None:
    client = get_llm_client(write_config(tmp_path, CONFIG))
    with pytest.raises(AuthVariableMissing) as caught:
        client.run("llm.preprocess", HELLO)
    what, hint = two_lines(caught.value)
    assert "ORCH_AUTH_OPENAI_DEFAULT_API_KEY is not set" in what
    assert ".env" in hint


@pytest.mark.parametrize("kind", [*FIRST_PLAN, "xai", "perplexity"])
def test_point_3_one_interface_for_all_adapters(kind: str, tmp_path: Path) -> None:
    """`run_chat(model, messages, params) -> LLMResponse`, over a real socket, for each."""
    paths = {"gemini": "/v1beta", "anthropic": "", "perplexity": ""}
    protocol = kind if kind in ("anthropic", "gemini", "perplexity") else "openai"
    with simulated(protocol) as server:
        text = config_for(kind, server.url + paths.get(kind, "/v1"))
        environ = {"ORCH_AUTH_MAIN_API_KEY": KEY}
        client = LLMClient(write_config(tmp_path, text), environ=lambda: environ)
        adapter: ChatAdapter = ProviderAdapter(client.resolve("chat"))
        response = adapter.run_chat("any-model", HELLO, {"temperature": 0, "max_tokens": 20})

    assert list(inspect.signature(adapter.run_chat).parameters) == ["model", "messages", "params"]
    assert isinstance(response, LLMResponse)
    assert response.content == "any-model heard: Hello"
    assert response.provider == kind
    assert response.model == "any-model"
    assert response.raw


def test_point_3_the_call_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`client.run(role=..., messages=..., params_override=...)`, word for word."""
    monkeypatch.setenv("ORCH_AUTH_MAIN_API_KEY", KEY)
    with simulated("openai") as server:
        client = get_llm_client(write_config(tmp_path, config_for("openai", server.url + "/v1")))
        response = client.run(
            role="chat",
            messages=[{"role": "user", "content": "Hello"}],
            params_override={"temperature": 0},
        )
        client.close()
    assert response.content == "some-model heard: Hello"


def run_app(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(APP / "llm_bindings.py"), *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environ},
        timeout=60,
        check=False,
    )


def test_point_4_the_example_application_runs_without_a_key() -> None:
    done = run_app("--demo", "What is a roll call?")
    assert done.returncode == 0, done.stderr
    assert "gpt-5.4-mini" in done.stdout
    assert "heard: What is a roll call?" in done.stdout


def test_point_4_the_example_application_says_which_key_it_needs() -> None:
    done = run_app()
    assert done.returncode == 1
    assert "ORCH_AUTH_OPENAI_DEFAULT_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_point_5_the_readme_section() -> None:
    """Install, ORCH_AUTH_*, YAML and run stand at the top of docs/LIBRARY.md, and are right."""
    text = (ROOT / "docs" / "LIBRARY.md").read_text(encoding="utf-8")
    section = text.split("\n## ")[0]
    for word in ("pip install", "ORCH_AUTH_OPENAI_DEFAULT_API_KEY", "get_llm_client", ".run("):
        assert word in section
    example = section.split("```yaml\n")[1].split("```")[0]
    assert list(parse_config(example, "x").roles) == ["llm.preprocess"]


def test_point_5_every_file_shown_in_the_documentation_is_valid() -> None:
    text = (ROOT / "docs" / "LIBRARY.md").read_text(encoding="utf-8")
    pages = [yaml.safe_load(part.split("```")[0]) for part in text.split("```yaml\n")[1:]]
    assert len(pages) >= 4
    for page in pages:
        whole = {"providers": {"openai": {}}, "roles": {}, **page}
        parse_config(yaml.safe_dump(whole), "docs/LIBRARY.md")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, rollcall; heavy = {'httpx', 'typer', 'rich', 'ruamel', 'pydantic', 'yaml'};"
        "print(sorted(heavy & set(sys.modules)));"
        "rollcall.get_llm_client; heavy -= {'httpx', 'pydantic', 'yaml'};"
        "print(sorted(heavy & set(sys.modules)), 'litellm' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "[] False"]


def test_every_public_name_can_be_had() -> None:
    import rollcall

    assert list(rollcall.__all__) == sorted(rollcall.__all__)
    assert dir(rollcall) == sorted(rollcall.__all__)
    assert all(getattr(rollcall, name) for name in rollcall.__all__)
    with pytest.raises(AttributeError):
        rollcall.absent  # noqa: B018 - reading it is the test


def test_a_shell_that_completes_names_shows_them_before_anything_is_imported() -> None:
    code = (
        "import sys, rollcall; print('get_llm_client' in dir(rollcall), 'pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert done.stdout == "True False\n"


def snippets() -> list[str]:
    """The Python of the documentation."""
    text = (ROOT / "docs" / "LIBRARY.md").read_text(encoding="utf-8")
    return [part.split("```")[0] for part in text.split("```python\n")[1:]]


def test_point_5_every_snippet_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one program, one after the other, the way a reader would try them."""
    monkeypatch.setenv("ORCH_AUTH_MAIN_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    with simulated("openai") as server:
        names = ("llm.preprocess", "llm.inference", "llm.embedding")
        roles = "".join(f"  {name}: {{provider: openai, model: m}}\n" for name in names)
        base = f'providers: {{openai: {{auth_profile: main, api_base: "{server.url}/v1"}}}}\n'
        write_config(tmp_path, f"{base}roles:\n{roles}")
        program = {"role": "llm.preprocess", "messages": HELLO}
        for snippet in snippets():
            exec(compile(snippet, "docs/LIBRARY.md", "exec"), program)
        exec("import asyncio; asyncio.run(answer()); client.close()", program)
    assert len(snippets()) >= 7
    assert capsys.readouterr().out.count("m heard: ") >= 4
