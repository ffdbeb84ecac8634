"""Addresses as people copy them: what a server listens on, and what a client can connect to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollcall.inspect.smoke import proxy_url
from rollcall.providers.registry import resolve_provider
from rollcall.service import ServeOptions
from rollcall.settings import Settings, Variables, reachable

HERE = Path()


def settings(**environ: str) -> Settings:
    return Settings(
        config_path=HERE / "config.yaml", policy_path=HERE / "policy.yaml",
        state_dir=HERE / ".rollcall", now=datetime(2026, 11, 28, tzinfo=UTC),
        environ=Variables(environ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("copied", "meant"),
    [
        ("http://0.0.0.0:4000", "http://127.0.0.1:4000"),
        ("http://0.0.0.0:4000/v1?x=1", "http://127.0.0.1:4000/v1?x=1"),
        ("https://user:pw@0.0.0.0/v1", "https://user:pw@127.0.0.1/v1"),
        ("http://[::]:4000/", "http://[::1]:4000/"),
        ("http://[0:0:0:0:0:0:0:0]", "http://[::1]"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("https://0.0.0.0.example.com", "https://0.0.0.0.example.com"),
        ("http://[::", "http://[::"),
        ("http://0.0.0.0:port", "http://0.0.0.0:port"),
        ("", ""),
    ],
)
def test_a_wildcard_is_this_machine(copied: str, meant: str) -> None:
    assert reachable(copied) == meant


def test_everywhere_an_address_is_given() -> None:
    wild = "http://0.0.0.0:4000"
    assert proxy_url(settings(), wild) == "http://127.0.0.1:4000"
    assert proxy_url(settings(LITELLM_BASE_URL=wild), None) == "http://127.0.0.1:4000"
    serve = ServeOptions(settings=settings(LITELLM_BASE_URL=f"{wild}/v1/"))
    assert serve.upstream_url == "http://127.0.0.1:4000"


def test_a_provider_s_address_is_asked_and_written_as_loopback() -> None:
    own = resolve_provider("own", type="vllm", base_url="http://0.0.0.0:8000/v1", environ={})
    assert own.base_url == own.api_base == "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("variable", "asked", "written"),
    [
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://box:11434", "http://box:11434", None),  # LiteLLM reads the variable itself
    ],
)
def test_litellms_variable_is_overruled_only_where_it_leads_nowhere(
    variable: str, asked: str, written: str | None
) -> None:
    found = resolve_provider("ollama", environ={"OLLAMA_API_BASE": variable})
    assert (found.base_url, found.api_base) == (asked, written)


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        (":8080", "http://localhost:8080"),
        ("box", "http://box:11434"),
        ("box:8080", "http://box:8080"),
        ("http://box", "http://box:80"),
        ("https://box/ollama/", "https://box:443/ollama"),
        ("[::]:8080", "http://[::1]:8080"),
        ("::1", "http://[::1]:11434"),
        (' "box:8080" ', "http://box:8080"),
        ("box:port", "http://box:11434"),
    ],
)
def test_ollamas_own_variable_says_where_it_is(host: str, asked: str) -> None:
    """LiteLLM does not read it: the address is written."""
    found = resolve_provider("ollama", environ={"OLLAMA_HOST": host})
    assert found.base_url == found.api_base == asked
    both = {"OLLAMA_HOST": host, "OLLAMA_API_BASE": "http://other:1"}
    assert resolve_provider("ollama", environ=both).base_url == "http://other:1"


def test_ollamas_usual_place_is_not_written() -> None:
    found = resolve_provider("ollama", environ={"OLLAMA_HOST": "localhost"})
    assert (found.base_url, found.api_base) == ("http://localhost:11434", None)
