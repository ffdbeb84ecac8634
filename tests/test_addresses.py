"""Addresses as people copy them: what a server listens on, and what a client can connect to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollcall.errors import SettingsError
from rollcall.inspect.smoke import proxy_url
from rollcall.launch.run import command
from rollcall.providers.registry import resolve_provider
from rollcall.service import ServeOptions
from rollcall.settings import Settings, Variables, is_address, reachable, resolve
from tests.house import OWN, RULES, House

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


NO_CONFIG = ("s3://", "s3:", "gs://bucket", "az://container/", "configmap://ai", "s3:///key")
NO_STORE = ("gcs://bucket/key", "https://example.com/config.yaml", "file:///srv/config.yaml")


class TestOfAConfig:
    @pytest.mark.parametrize("address", NO_CONFIG + NO_STORE)
    @pytest.mark.parametrize("command", ["plan", "apply", "status", "rollback", "explain"])
    def test_one_that_names_none_is_no_path(self, house: House, command: str, address: str) -> None:
        house.write_policy(RULES, "anthropic", "xai")
        args = ("gpt",) if command == "explain" else ()
        ran = house.run(command, *args, "-c", address)
        assert (ran.code, len(ran.err.splitlines())) == (1, 2), ran.text
        what = "there is no store of that kind" if address in NO_STORE else "it names no config"
        assert f": {what}" in ran.err
        assert "--config is '" in ran.err
        assert "://" in ran.err.splitlines()[0]
        assert "://" in ran.err.splitlines()[1]
        house.monkeypatch.setenv("ROLLCALL_CONFIG", address)
        said = house.run(command, *args).err
        assert "ROLLCALL_CONFIG was read as" in said
        assert address in said
        assert len(said.splitlines()) == 2

    @pytest.mark.parametrize("address", ["s3://bucket/key", "S3://bucket/key", r"s3:\bucket\key"])
    def test_one_that_does_is_read_as_people_and_windows_write_it(self, address: str) -> None:
        assert resolve(config=Path(address), environ={}).address == "s3://bucket/key"

    @pytest.mark.parametrize("kind", ["s3", "gs", "az"])
    @pytest.mark.parametrize("key", ["a//b.yaml", "/b.yaml", "a/./b.yaml"])
    def test_a_key_stays_as_it_is_and_is_never_taken_for_another(
        self, house: House, kind: str, key: str
    ) -> None:
        """Such a key is another object's than `a/b.yaml`, and the client cannot name it."""
        pytest.importorskip("obstore", reason="the extra `fleet` is not installed")
        house.write_policy(RULES, "anthropic", "xai")
        address = f"{kind}://bucket/{key}"
        given = (("plan", "-c", address), ("apply", "--config", address), ("rollback",))
        house.monkeypatch.setenv("ROLLCALL_CONFIG", address)
        for args in given:
            ran = house.run(*args)
            assert (ran.code, len(ran.err.splitlines())) == (1, 2), ran.text
            assert f"rollcall: {address} cannot be reached: a part of the object's name" in ran.err

    @pytest.mark.parametrize("address", ["s3:/bucket/key", r"s3:\bucket\key"])
    def test_one_that_cannot_be_is_told_as_it_was_typed(self, address: str) -> None:
        with pytest.raises(SettingsError, match="--state-dir is 's3://bucket/key': it is an addr"):
            resolve(state_dir=Path(address), environ={})

    @pytest.mark.parametrize("path", [r"C:\srv\config.yaml", "c:/config.yaml", "a:b", "./s3:/x"])
    def test_a_path_stays_one(self, path: str) -> None:
        assert not is_address(path)

    @pytest.mark.parametrize(
        "option", ["--write-to", "--policy", "--state-dir", "--out", "--markdown-out"]
    )
    def test_where_only_a_file_can_be_named_it_is_refused(self, house: House, option: str) -> None:
        house.write_policy(RULES, "anthropic", "xai")
        command = "plan" if "out" in option else "apply"
        ran = house.run(command, option, "s3://bucket/key")
        assert (ran.code, len(ran.err.splitlines())) == (1, 2), ran.text
        assert f"{option} is 's3://bucket/key': it is an address, no file" in ran.err
        assert house.config.read_text(encoding="utf-8") == OWN
        assert not house.sim.requests

    def test_nor_is_a_list_fetched_into_one_or_over_the_policy(self, house: House) -> None:
        house.write_policy(RULES, "anthropic", "xai")
        for target, why in (
            ("s3://bucket/key", "is an address, no file"),
            ("policy.yaml", "yours"),
        ):
            ran = house.run("facts", "update", house.sim.url("xai"), "--to", target)
            assert (ran.code, len(ran.err.splitlines())) == (1, 2), ran.text
            assert why in ran.err
        assert not house.sim.requests

    def test_litellm_is_started_on_the_copy_of_one_that_its_own_arguments_name(self) -> None:
        copy = HERE / "copy.yaml"
        for args in (["--config", "s3://b/k"], ["--config=s3://b/k"], ["-cs3://b/k"]):
            argv = command("litellm", copy, [*args, "--port", "1"])
            assert str(copy) in argv[-3]
            assert "s3:" not in " ".join(argv)
        argv = command("litellm", copy, ["--config", "own.yaml"])
        assert argv == ["litellm", "--config", "own.yaml"]
