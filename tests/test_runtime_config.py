"""llm_orchestrator.yaml: what may stand in it, and how a mistake is told."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from rollcall.runtime.config import load_config, parse_config
from rollcall.runtime.errors import (
    AuthProfileMissing,
    AuthVariableMissing,
    ConfigError,
    ConfigNotFound,
    InvalidConfig,
    InvalidYAML,
    ProviderNotDefined,
    RoleNotDefined,
)
from tests.runtime_support import KEY, client_of, config_for, write_config

WRONG: list[tuple[str, type[ConfigError], int | None, str, str]] = [
    ("providers: {}\nroles: a: b", InvalidYAML, 2, "", "not YAML"),
    ("\tproviders: {}", InvalidYAML, 1, "", "not YAML"),
    ("a: \x07", InvalidYAML, None, "", "U+0007"),
    ("&a [*a]", InvalidYAML, 1, "", "deep"),
    ("", InvalidConfig, 1, "", "is empty"),
    ("- 1", InvalidConfig, 1, "", "not a mapping"),
    ("roles: {}\nroles: {}", InvalidConfig, 2, "roles", "twice"),
    ("roles: {}", InvalidConfig, 1, "providers", "missing"),
    ("providers:\nroles: {}", InvalidConfig, 1, "providers", "fields of its own"),
    ("providers: {}\nroles: {}\nrole: {}", InvalidConfig, 3, "role", "Did you mean 'roles'"),
    (
        "providers:\n  openai:\n    auth_profil: x\nroles: {}",
        InvalidConfig, 3, "providers.openai.auth_profil", "Did you mean 'auth_profile'",
    ),
    ("providers:\n  opnai: {}\nroles: {}", InvalidConfig, 2, "providers.opnai", "mean 'openai'"),
    ("providers:\n  x: {type: y}\nroles: {}", InvalidConfig, 2, "providers.x.type", "no known"),
    (
        "providers:\n  openai:\n    api_base: ftp://x\nroles: {}",
        InvalidConfig, 3, "providers.openai.api_base", "web address",
    ),
    (
        "providers:\n  openai:\n    api_base: https://u:p@x/v1\nroles: {}",
        InvalidConfig, 3, "providers.openai.api_base", "auth_profile",
    ),
    ("providers:\n  openai: {timeout: 0}\nroles: {}", InvalidConfig, 2,
     "providers.openai.timeout", "30s"),
    ("providers:\n  openai: {timeout: soon}\nroles: {}", InvalidConfig, 2,
     "providers.openai.timeout", "duration"),
    ("providers: {}\nroles:\n  a: {provider: x}", InvalidConfig, 3, "roles.a", "`model` is"),
    ("providers: {}\nroles:\n  a: {model: x}", InvalidConfig, 3, "roles.a", "`provider` is"),
    ("providers: {}\nroles:\n  a: gpt", InvalidConfig, 3, "roles.a", "fields of its own"),
    ("providers: {}\nroles:\n  a:\n    provider: x\n    model: 4.1", InvalidConfig, 5,
     "roles.a.model", 'quotes: "4.1"'),
    ("providers: {}\nroles:\n  a:\n    provider: x\n    model:", InvalidConfig, 3,
     "roles.a", "`model` is missing"),
    (
        "providers: {}\nroles:\n  a:\n    provider: x\n    model: y\n    params: {temperature: 9}",
        InvalidConfig, 6, "roles.a.params", "from 0 to 2",
    ),
    (
        "providers: {}\nroles:\n  a:\n    provider: x\n    model: y\n    fallbacks:\n"
        "      - {provider: x}",
        InvalidConfig, 7, "roles.a.fallbacks.0.model", "missing",
    ),
    (
        "providers: {}\nroles:\n  a:\n    provider: x\n    model: y\n    select: {family: z}",
        InvalidConfig, 3, "roles.a", "Leave those two out",
    ),
    ("providers: {}\nroles:\n  a:\n    select:\n      famly: z", InvalidConfig, 5,
     "roles.a.select.famly", "Did you mean 'family'"),
    ("providers: {}\nroles:\n  a:\n    select: {cheapest: {tols: true}}", InvalidConfig, 4,
     "roles.a.select.cheapest.tols", "unknown field"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "error", "line", "field", "words"), WRONG)
def test_a_mistake_names_file_line_and_field(
    text: str, error: type[ConfigError], line: int | None, field: str, words: str
) -> None:
    with pytest.raises(error) as caught:
        parse_config(text, "llm_orchestrator.yaml")
    told = str(caught.value)
    assert told.startswith("llm_orchestrator.yaml")
    assert len(told.split("\n")) == 2
    assert words in told
    assert isinstance(caught.value, InvalidYAML | InvalidConfig)
    assert caught.value.line == line
    assert getattr(caught.value, "field", "") == field


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigNotFound, match="no file"):
        load_config(tmp_path / "absent.yaml")
    with pytest.raises(ConfigNotFound, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "x.yaml").write_bytes("roles: é".encode("utf-16"))
    with pytest.raises(InvalidConfig, match="UTF-8"):
        load_config(tmp_path / "x.yaml")


def test_a_byte_order_mark_and_crlf_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfproviders: {}\r\nroles: {}\r\n")
    assert load_config(path).roles == {}


def test_everything_that_may_stand_in_it() -> None:
    config = parse_config(
        """
project: demo
env: dev
providers:
  openai: {auth_profile: openai_default, api_base: https://eu.api.openai.com/v1/, timeout: 30s}
  local: {type: openai, auth_profile: null, api_base: http://127.0.0.1:8000/v1, max_retries: 0}
catalog: {config: ../proxy/config.yaml, max_age: 12h}
roles:
  a: {provider: openai, model: gpt-x, params: {temperature: 0, seed: 1}, fallbacks: [b]}
  b: {provider: local, model: m, fallbacks: [{provider: openai, model: y, params: {top_p: 1}}]}
  c: {select: {cheapest: {tools: true, context: ">= 128000"}, from: [openai]}}
  d: {select: {first_of: [{family: claude-sonnet}, {family: gpt}]}}
""",
        "x.yaml",
    )
    assert config.providers["openai"].timeout == 30
    assert config.providers["openai"].api_base == "https://eu.api.openai.com/v1"
    assert config.catalog.max_age == 12 * 3600
    assert list(config.roles) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("kind", "api_base", "root"),
    [
        ("openai", "https://x.test/v1/chat/completions", "https://x.test/v1"),
        ("anthropic", "https://x.test/v1", "https://x.test"),
        ("anthropic", "https://x.test/v1/messages", "https://x.test"),
        ("perplexity", "https://x.test/v1/responses", "https://x.test"),
        ("ollama", "http://localhost:11434", "http://localhost:11434/v1"),
        ("ollama", "http://localhost:11434/v1/", "http://localhost:11434/v1"),
    ],
)
def test_api_base_may_be_written_as_people_paste_it(
    kind: str, api_base: str, root: str, tmp_path: Path
) -> None:
    with client_of(write_config(tmp_path, config_for(kind, api_base))) as client:
        assert client.resolve("chat").api_base == root


def test_the_proxys_address_may_come_from_its_variable(tmp_path: Path) -> None:
    text = (
        "providers: {litellm: {auth_profile: main}}\nroles: {a: {provider: litellm, model: best}}"
    )
    path = write_config(tmp_path, text)
    assert client_of(path).resolve("a").api_base == "http://127.0.0.1:4000"
    at = client_of(path, LITELLM_BASE_URL="http://proxy.test:4000/").resolve("a")
    assert at.api_base == "http://proxy.test:4000"


ROLES = """
providers:
  openai: {auth_profile: openai-default}
  bare: {type: openai}
  local: {type: openai, auth_profile: null, api_base: "http://127.0.0.1:9/v1"}
roles:
  good: {provider: openai, model: gpt-x}
  lost: {provider: opnai, model: gpt-x}
  keyless: {provider: bare, model: gpt-x}
  local: {provider: local, model: m}
"""


def test_what_is_missing_says_what_to_add(tmp_path: Path) -> None:
    client = client_of(write_config(tmp_path, ROLES))
    with pytest.raises(RoleNotDefined, match=r"(?s)'goood'.*Did you mean 'good'.*roles:"):
        client.resolve("goood")
    with pytest.raises(ProviderNotDefined, match=r"(?s)'opnai'.*mean 'openai'.*providers:"):
        client.resolve("lost")
    with pytest.raises(AuthProfileMissing, match="auth_profile: bare_default"):
        client.resolve("keyless")
    with pytest.raises(AuthVariableMissing, match="ORCH_AUTH_OPENAI_DEFAULT_API_KEY") as caught:
        client.resolve("good")
    assert caught.value.variable == "ORCH_AUTH_OPENAI_DEFAULT_API_KEY"
    assert "platform.openai.com" in caught.value.hint


def test_a_local_server_needs_no_key(tmp_path: Path) -> None:
    resolved = client_of(write_config(tmp_path, ROLES)).resolve("local")
    assert resolved.api_key is None
    assert resolved.key_variable is None


@pytest.mark.parametrize("value", ["", "  ", "sk bad", "sk\nbad", "sk-ключ"])
def test_a_variable_without_a_key_in_it_is_told_without_showing_it(
    value: str, tmp_path: Path
) -> None:
    client = client_of(write_config(tmp_path, ROLES), ORCH_AUTH_OPENAI_DEFAULT_API_KEY=value)
    with pytest.raises(AuthVariableMissing) as caught:
        client.resolve("good")
    assert not value.strip() or value not in str(caught.value)


def test_a_key_is_stripped_and_in_no_repr(tmp_path: Path) -> None:
    path = write_config(tmp_path, ROLES)
    client = client_of(path, ORCH_AUTH_OPENAI_DEFAULT_API_KEY=f" {KEY}\n")
    resolved = client.resolve("good")
    assert resolved.api_key == KEY
    assert KEY not in repr(resolved) + str(resolved) + repr(client)


def test_the_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    path = write_config(tmp_path, config_for("openai", "http://127.0.0.1:9/v1", model="first"))
    client = client_of(path)
    assert client.resolve("chat").model == "first"
    write_config(tmp_path, config_for("openai", "http://127.0.0.1:9/v1", model="other-one"))
    assert client.resolve("chat").model == "other-one"


def test_a_change_of_the_same_size_is_seen_by_its_time(tmp_path: Path) -> None:
    path = write_config(tmp_path, config_for("openai", "http://127.0.0.1:9/v1", model="aaa"))
    client = client_of(path)
    write_config(tmp_path, config_for("openai", "http://127.0.0.1:9/v1", model="bbb"))
    os.utime(path, ns=(1, 1))
    assert client.resolve("chat").model == "bbb"


def test_a_file_that_breaks_keeps_what_was_valid(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_config(tmp_path, config_for("openai", "http://127.0.0.1:9/v1", model="first"))
    client = client_of(path)
    write_config(tmp_path, "providers: {")
    with caplog.at_level(logging.WARNING):
        assert client.resolve("chat").model == "first"
        assert client.resolve("chat").model == "first"
    assert len(caplog.records) == 1
    path.unlink()
    assert client.resolve("chat").model == "first"
    write_config(tmp_path, config_for("openai", "http://127.0.0.1:9/v1", model="mended"))
    assert client.resolve("chat").model == "mended"
