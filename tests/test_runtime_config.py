"""llm_orchestrator.yaml: what may stand in it, and how a mistake is told."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from rollcall.providers.builtin import BUILTIN
from rollcall.providers.registry import resolve_provider
from rollcall.runtime.config import load_config, parse_config
from rollcall.runtime.errors import (
    AuthProfileMissing,
    AuthVariableMissing,
    ConfigError,
    ConfigNotFound,
    InvalidConfig,
    InvalidYAML,
    LLMError,
    ProviderError,
    ProviderNotDefined,
    RoleNotDefined,
)
from tests.runtime_support import HELLO, KEY, client_of, config_for, simulated, write_config
from tests.simulator.http import Reply

WRONG: list[tuple[str, type[ConfigError], int | None, str, str]] = [
    ("providers: {}\nroles: a: b", InvalidYAML, 2, "", "not YAML"),
    ("\tproviders: {}", InvalidYAML, 1, "", "not YAML"),
    ("a: \x07", InvalidYAML, None, "", "U+0007"),
    ("&a [*a]", InvalidYAML, 1, "", "deep"),
    ("", InvalidConfig, 1, "", "is empty"),
    ("- 1", InvalidConfig, 1, "", "not a mapping"),
    ("roles: {}\nroles: {}", InvalidConfig, 2, "roles", "twice"),
    ("roles: {}", InvalidConfig, 1, "providers", "missing"),
    ("roles: {}\nprovders: {}", InvalidConfig, 2, "provders", "Did you mean 'providers'"),
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
        ("openai", "https://api.openai.com", "https://api.openai.com/v1"),
        ("openrouter", "https://openrouter.ai/", "https://openrouter.ai/api/v1"),
        ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("deepseek", "https://api.deepseek.com/v1", "https://api.deepseek.com/v1"),
        ("openai", "https://x.test", "https://x.test"),
        ("gemini", "https://x.test", "https://x.test/v1beta"),
        ("gemini", "https://x.test/v1beta/models", "https://x.test/v1beta"),
        ("gemini", "https://x.test/v1", "https://x.test/v1"),
        ("mistral", "https://x.test", "https://x.test/v1"),
        ("xai", "https://x.test/v1/responses", "https://x.test/v1"),
        ("litellm", "http://x.test:4000/v1/", "http://x.test:4000/v1"),
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


BASES = [
    *(("openai", base) for base in ("", "/v1", "/v1/", "/v1/chat/completions", "/v1/models")),
    *(("anthropic", base) for base in ("", "/", "/v1", "/v1/messages")),
    *(("gemini", base) for base in ("", "/v1beta", "/v1beta/models")),
    *(("perplexity", base) for base in ("", "/v1", "/v1/responses")),
    *(("ollama", base) for base in ("", "/v1", "/api")),
    *(("litellm", base) for base in ("", "/v1")),
]


@pytest.mark.parametrize(("kind", "base"), BASES)
def test_with_and_without_the_version_policy_and_library_call_the_same_place(
    kind: str, base: str, tmp_path: Path
) -> None:
    protocol = kind if kind in ("anthropic", "gemini", "perplexity") else "openai"
    with simulated(protocol) as server:
        path = write_config(tmp_path, config_for(kind, server.url + base))
        with client_of(path) as client:
            assert client.run("chat", HELLO).content == "some-model heard: Hello"
            called = client.resolve("chat").api_base
    if kind in BUILTIN:
        asked = resolve_provider(kind, base_url=server.url + base, environ={}).base_url
        assert called == asked + ("/v1" if kind == "ollama" else "")


@pytest.mark.parametrize(
    "first",
    [
        Reply(status=404, body=b'{"detail": "Not Found"}'),
        Reply(status=404, headers={"content-type": "text/plain"}, body=b"404 page not found"),
        Reply(body=b'{"error": "Unexpected endpoint or method. (POST /chat/completions)"}'),
    ],
)
def test_a_server_that_answers_below_v1_only_is_found_there(first: Reply, tmp_path: Path) -> None:
    with simulated("openai") as server:
        path = write_config(tmp_path, config_for("openai", server.url))
        with client_of(path) as client:
            server.replies += [first]
            assert client.run("chat", HELLO).content == "some-model heard: Hello"
            assert "".join(client.stream("chat", HELLO)) == "some-model heard: Hello"
            assert client.embed("chat", "x").embeddings
        paths = [request.path for request in server.requests]
    assert paths[:3] == ["/chat/completions", "/v1/chat/completions", "/v1/chat/completions"]
    assert paths[3:] == ["/v1/embeddings"]


def test_a_server_that_answers_nowhere_is_asked_at_both_places(tmp_path: Path) -> None:
    with simulated("openai") as server:
        path = write_config(tmp_path, config_for("openai", server.url))
        server.replies += [Reply(status=404, body=b"{}")] * 3
        with client_of(path) as client, pytest.raises(ProviderError, match="404") as caught:
            client.run("chat", HELLO)
        assert len(server.requests) == 2
        with client_of(path) as client:
            server.replies[:] = [Reply(status=404, body=b"{}")] * 2
            with pytest.raises(ProviderError):
                client.run("chat", HELLO)
            assert client.run("chat", HELLO).content  # it is back where it was
    assert server.requests[-1].path == "/chat/completions"
    assert "api_base" in caught.value.hint


KEYS = ["sk-proj-abcdefgh12345678", "AIzaSyA1234567890abcdef", "gsk_abcdefghij1234567890",
        "0123456789abcdef0123456789abcdef", "123e4567-e89b-12d3-a456-426614174000",
        "xai-abcdefghijklmnop"]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_key_where_a_name_belongs_is_told_and_not_repeated(key: str, tmp_path: Path) -> None:
    text = f"providers:\n  openai: {{auth_profile: {key}}}\nroles: {{}}"
    with pytest.raises(InvalidConfig, match=r"line 2: providers\.openai\.auth_profile") as caught:
        parse_config(text, "x.yaml")
    assert "looks like a key" in str(caught.value)
    assert key.lower() not in (str(caught.value) + repr(caught.value)).lower()
    assert key.replace("-", "_").upper() not in str(caught.value)


@pytest.mark.parametrize("name", ["openai_default", "team-2026-07-production", "other team", "eu1"])
def test_a_name_is_no_key(name: str) -> None:
    text = f"providers:\n  openai: {{auth_profile: {name}}}\nroles: {{}}"
    assert parse_config(text, "x.yaml").providers["openai"].auth_profile == name


@pytest.mark.parametrize(
    "text",
    [
        "providers: {openai: {type: sk-proj-abcdefgh12345678}}\nroles: {}",
        "providers: {sk-proj-abcdefgh12345678: {}}\nroles: {}",
        "providers: {openai: {sk-proj-abcdefgh12345678: 1}}\nroles: {}",
        "providers: {openai: {api_key: sk-proj-abcdefgh12345678}}\nroles: {}",
        "providers: {}\nroles: {a: {provider: sk-proj-abcdefgh12345678, model: m}}",
    ],
)
def test_a_key_anywhere_else_is_not_repeated_either(text: str, tmp_path: Path) -> None:
    with pytest.raises(LLMError) as caught:
        client_of(write_config(tmp_path, text)).run("a", HELLO)
    assert "abcdefgh12345678" not in str(caught.value)


USUAL = """
providers:
  openai: {auth_profile: openai_default}
  anthropic: {}
  mine: {type: openai, api_base: "http://127.0.0.1:9/v1"}
  other: {type: openai}
  none: {type: openai, auth_profile: null}
  ollama: {}
roles:
  profiled: {provider: openai, model: m}
  usual: {provider: anthropic, model: m}
  mine: {provider: mine, model: m}
  other: {provider: other, model: m}
  none: {provider: none, model: m}
  local: {provider: ollama, model: m}
"""


def test_a_missing_profile_variable_names_the_usual_one_that_is_set(tmp_path: Path) -> None:
    path = write_config(tmp_path, USUAL)
    with pytest.raises(AuthVariableMissing) as caught:
        client_of(path, OPENAI_API_KEY=KEY).resolve("profiled")
    assert "OPENAI_API_KEY is set" in caught.value.hint
    assert KEY not in str(caught.value)
    with pytest.raises(AuthVariableMissing) as caught:
        client_of(path).resolve("profiled")
    assert " OPENAI_API_KEY is set" not in caught.value.hint


def test_without_a_profile_the_usual_variable_is_used(tmp_path: Path) -> None:
    usual = {"ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": "sk-usual-0123456789"}
    client = client_of(write_config(tmp_path, USUAL), None, **usual)
    found = {role: client.resolve(role) for role in ("usual", "other", "none", "local")}
    assert (found["usual"].key_variable, found["usual"].api_key) == ("ANTHROPIC_API_KEY", KEY)
    assert found["other"].key_variable == "OPENAI_API_KEY"
    assert found["none"].api_key is None
    assert found["local"].api_key is None
    # A vendor's key goes to no address of the user's own.
    with pytest.raises(AuthProfileMissing, match="mine_default"):
        client.resolve("mine")


def test_the_usual_key_goes_where_the_usual_variable_says(tmp_path: Path) -> None:
    variables = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "https://gateway.test/v1",
                 "ORCH_AUTH_OPENAI_DEFAULT_API_KEY": KEY, "OPENAI_BASE_URL": "https://gw.test/v1",
                 }  # fmt: skip
    client = client_of(write_config(tmp_path, USUAL), None, **variables)
    assert client.resolve("usual").api_base == "https://gateway.test"
    assert client.resolve("profiled").api_base == "https://api.openai.com/v1"


def test_neither_profile_nor_usual_variable_names_both(tmp_path: Path) -> None:
    with pytest.raises(AuthProfileMissing) as caught:
        client_of(write_config(tmp_path, USUAL)).resolve("usual")
    assert "ANTHROPIC_API_KEY" in caught.value.what
    assert "auth_profile: anthropic_default" in caught.value.hint


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
