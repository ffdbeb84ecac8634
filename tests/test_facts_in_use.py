"""What other lists say, at work: conditions, prices written and shown, what is read and kept."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.loopback import Answering, listening
from tests.platforms import not_on_windows
from tests.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.house import House

SONNET = {
    "litellm_provider": "anthropic",
    "input_cost_per_token": 2e-06,
    "output_cost_per_token": 1e-05,
    "supports_function_calling": True,
    "max_input_tokens": 1_000_000,
}


@pytest.fixture
def direct(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Anthropic, which states no prices and no tools, and a map that knows one of its models."""
    names = ("claude-sonnet-5", "claude-opus-5", "claude-unheard-9")
    house.sim.set_rows("anthropic", [{"type": "model", "id": name} for name in names])
    path = house.folder / "map.json"
    opus = {**SONNET, "input_cost_per_token": 1.5e-05, "output_cost_per_token": 7.5e-05}
    path.write_text(
        json.dumps({"claude-sonnet-5": SONNET, "claude-opus-5": opus}), encoding="utf-8"
    )
    monkeypatch.setenv("ROLLCALL_PRICE_MAP", str(path))
    return house


RULE = '{match: "claude-*", from: [anthropic], where: {tools: true, input_price: "<= 5"}%s}'


class TestConditions:
    def test_a_price_cap_and_an_ability_find_what_the_provider_does_not_state(
        self, direct: House
    ) -> None:
        direct.write_policy(f"allow:\n  - {RULE % ''}\n", "anthropic")
        direct.applied()
        assert direct.names() == ["anthropic/claude-sonnet-5"]
        out = direct.run("explain", "anthropic/claude-opus-5").out
        assert "wants input_price <= 5; this one's is 15 (map.json)" in " ".join(out.split())

    def test_switched_off_nothing_is_known(self, direct: House) -> None:
        head = "defaults: {facts: [], timeout: 30s, deadline: 60s}\n"
        direct.write_policy(f"{head}allow:\n  - {RULE % ''}\n", "anthropic")
        direct.run("apply")
        assert direct.names() == []

    def test_assume_is_the_persons_last_word(self, direct: House) -> None:
        rule = "{match: claude-opus-5, where: {context: '<= 1000'}, assume: {context: 999}}"
        direct.write_policy(f"allow: [{rule}]\n", "anthropic")
        direct.applied()
        assert direct.names() == ["anthropic/claude-opus-5"]

    def test_the_cheapest_may_be_one_whose_provider_states_no_price(self, direct: House) -> None:
        direct.write_policy(
            'allow: [{match: "claude-*"}]\naliases: {cheap: {cheapest: {tools: true}}}\n',
            "anthropic",
        )
        direct.applied()
        assert direct.aliases() == {"cheap": "anthropic/claude-sonnet-5"}
        why = direct.run("explain", "cheap").out
        assert "$2.00 in, $10.00 out per 1M tokens (map.json)" in " ".join(why.split())


class TestWriting:
    ALLOW = 'allow: [{match: "claude-*", from: [anthropic]}]\naliases: {}\n'

    def policy(self, house: House, words: str, *providers: str) -> None:
        head = f"defaults: {{{words}timeout: 30s, deadline: 60s}}\n"
        house.write_policy(head + self.ALLOW, *(providers or ("anthropic", "openrouter")))

    def info(self, house: House, name: str) -> dict[str, Any]:
        info = house.entries()[f"anthropic/{name}"]["model_info"]
        assert isinstance(info, dict)
        return info

    def newer(self, house: House) -> None:
        """A model that OpenRouter sells already, and that LiteLLM's map does not know."""
        house.sim.set_rows("anthropic", [{"type": "model", "id": "claude-sonnet-6"}])
        row = next(row for row in house.sim.rows("openrouter") if "sonnet-5" in str(row))
        assert isinstance(row, dict)
        new = {**row, "id": "anthropic/claude-sonnet-6", "canonical_slug": None}
        new["pricing"] = {"prompt": "0.000004", "completion": "0.00002"}
        house.sim.set_rows("openrouter", [*house.sim.rows("openrouter"), new])

    def test_a_price_litellm_does_not_know_is_written_and_marked(self, direct: House) -> None:
        self.newer(direct)
        self.policy(direct, "write_prices: borrowed, ")
        direct.applied()
        info = self.info(direct, "claude-sonnet-6")
        assert (info["input_cost_per_token"], info["output_cost_per_token"]) == (4e-06, 2e-05)
        assert info["price_source"] == "openrouter/anthropic/claude-sonnet-6"
        assert "max_input_tokens" not in info, "only prices are written"
        assert direct.run("apply", "--detailed-exitcode").code == 0

    def test_where_its_map_knows_the_model_nothing_is_written(self, direct: House) -> None:
        self.policy(direct, "write_prices: borrowed, ")
        direct.applied()
        assert "input_cost_per_token" not in self.info(direct, "claude-sonnet-5")

    @pytest.mark.parametrize("words", ["", "write_prices: own, "])
    def test_unless_the_policy_says_so_only_the_providers_own_is(
        self, direct: House, words: str
    ) -> None:
        self.newer(direct)
        self.policy(direct, words)
        direct.applied()
        assert "input_cost_per_token" not in self.info(direct, "claude-sonnet-6")

    def test_without_a_map_nobody_can_tell_and_nothing_is_written(
        self, direct: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.newer(direct)
        monkeypatch.setenv("ROLLCALL_PRICE_MAP", str(direct.folder / "absent.json"))
        self.policy(direct, "write_prices: borrowed, ")
        ran = direct.applied()
        assert "input_cost_per_token" not in self.info(direct, "claude-sonnet-6")
        assert "write_prices" in ran.text, "and it says so"

    def test_once_the_map_knows_it_the_price_goes_so_that_updates_count(
        self, direct: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.newer(direct)
        self.policy(direct, "write_prices: borrowed, ")
        direct.applied()
        path = direct.folder / "newer.json"
        path.write_text(json.dumps({"claude-sonnet-6": SONNET}), encoding="utf-8")
        monkeypatch.setenv("ROLLCALL_PRICE_MAP", str(path))
        direct.applied()
        info = self.info(direct, "claude-sonnet-6")
        assert "input_cost_per_token" not in info
        assert "price_source" not in info

    @pytest.mark.parametrize("also", ["the map", "OpenRouter too"])
    def test_a_machine_without_the_lists_leaves_what_was_borrowed(
        self, direct: House, monkeypatch: pytest.MonkeyPatch, also: str
    ) -> None:
        """CI, say, that checks what was applied where litellm is installed."""
        self.newer(direct)
        path = direct.folder / "map.json"
        path.write_text(json.dumps({"claude-x": SONNET}), encoding="utf-8")
        self.policy(direct, "write_prices: borrowed, ")
        direct.applied()
        path.write_text(
            json.dumps({"claude-sonnet-6": {**SONNET, "deprecation_date": "2027-02-01",
                                            "input_cost_per_token": None}}),
            encoding="utf-8",
        )  # fmt: skip
        direct.applied()
        info = self.info(direct, "claude-sonnet-6")
        monkeypatch.setenv("ROLLCALL_PRICE_MAP", str(direct.folder / "absent.json"))
        if also == "OpenRouter too":
            direct.sim.fault("openrouter", Fault.SERVER_ERROR)
        elsewhere = ("--state-dir", str(direct.folder / "elsewhere"))
        assert direct.run("plan", "--check", *elsewhere).code == 0
        direct.applied(*elsewhere)
        assert self.info(direct, "claude-sonnet-6") == info
        assert info["deprecation_date"] == "2027-02-01"

    def test_the_providers_own_price_takes_its_place(self, direct: House) -> None:
        self.newer(direct)
        direct.write_policy(
            "defaults: {write_prices: borrowed, timeout: 30s, deadline: 60s}\n"
            "allow: [{match: grok-4.6, from: [xai]}]\naliases: {}\n",
            "xai",
            "openrouter",
        )
        direct.applied()
        info = direct.entries()["xai/grok-4.6"]["model_info"]
        assert info["input_cost_per_token"] == 2e-06
        assert "price_source" not in info

    def test_a_price_of_zero_is_never_written(
        self, direct: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        zero = {**SONNET, "input_cost_per_token": 0, "output_cost_per_token": 0}
        (direct.folder / "copy.json").write_text(
            json.dumps({"claude-unheard-9": zero}), encoding="utf-8"
        )
        head = (
            "defaults: {write_prices: borrowed, facts: [copy.json], timeout: 30s, deadline: 60s}\n"
        )
        direct.write_policy(head + self.ALLOW, "anthropic")
        direct.applied()
        assert "input_cost_per_token" not in self.info(direct, "claude-unheard-9")


class TestShowing:
    def test_models_and_plan_say_whose_a_price_is(self, direct: House) -> None:
        direct.write_policy("allow: [{match: claude-sonnet-5}]\naliases: {}\n", "anthropic")
        assert "map.json's price" in direct.run("plan").out
        assert "$2.00 / $10.00 (map.json's)" in direct.run("plan", "--markdown").out
        direct.applied()
        rows = direct.run("models", "--json").json()
        row = next(row for row in rows if row["id"] == "claude-sonnet-5")
        assert row["borrowed"]["price"] == row["borrowed"]["tools"] == "map.json"
        shown = direct.run("models").out
        assert "$2.00 / $10.00*" in shown
        assert "map.json's price: the provider states none" in shown


def spoil(path: Path) -> None:
    """Other bytes under the same size and time: whoever reads the file again notices."""
    found = path.stat()
    path.write_bytes(b"?" * found.st_size)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


class TestReading:
    POLICY = 'allow: [{match: "claude-*"}]\naliases: {}\n'

    def test_a_list_is_read_again_only_when_a_model_is_new(self, direct: House) -> None:
        direct.write_policy(self.POLICY, "anthropic")
        direct.applied()
        spoil(direct.folder / "map.json")
        assert "cannot be used" not in direct.applied().text
        rows: list[Any] = direct.sim.rows("anthropic")
        direct.sim.set_rows("anthropic", [*rows, {"type": "model", "id": "claude-sonnet-7"}])
        assert "facts: map.json cannot be used: it is not JSON" in direct.applied().text

    def test_or_when_it_changed(self, direct: House) -> None:
        direct.write_policy(self.POLICY, "anthropic")
        direct.applied()
        path = direct.folder / "map.json"
        spoil(path)
        os.utime(path, (1, 1))
        assert "cannot be used" in direct.applied().text

    @pytest.mark.parametrize("kept", [b"", b"{}", b"[1]", b'{"schema": 1, "lists": {"litellm": 5}}',
                                      b'{"schema": 99, "lists": {}}', b"\xff\xfe"])  # fmt: skip
    def test_what_is_kept_may_be_damaged(self, direct: House, kept: bytes) -> None:
        direct.write_policy(f"allow:\n  - {RULE % ''}\n", "anthropic")
        direct.applied()
        (found,) = direct.folder.glob(".rollcall/*/facts.json")
        found.write_bytes(kept)
        direct.applied()
        assert direct.names() == ["anthropic/claude-sonnet-5"]
        assert json.loads(found.read_bytes())["lists"]["litellm"]["told"]

    @pytest.mark.parametrize("away", ["gone", "broken"])
    def test_a_list_that_is_away_says_what_it_said_before(self, direct: House, away: str) -> None:
        direct.write_policy(f"allow:\n  - {RULE % ''}\n", "anthropic")
        direct.applied()
        before = direct.config.read_bytes()
        path = direct.folder / "map.json"
        if away == "gone":
            path.unlink()
        else:
            path.write_bytes(b"<html>")
        ran = direct.applied()
        assert direct.config.read_bytes() == before
        assert "what it said before counts" in ran.text

    def test_a_plan_writes_nothing(self, direct: House) -> None:
        direct.write_policy(f"allow:\n  - {RULE % ''}\n", "anthropic")
        direct.run("plan")
        assert not list(direct.folder.glob(".rollcall/**/facts.json"))

    def test_a_file_that_is_not_there_or_no_list_is_a_warning(self, direct: House) -> None:
        (direct.folder / "odd.json").write_text('{"a": 1}', encoding="utf-8")
        direct.write_policy(
            "facts: {files: [absent.json, odd.json]}\nallow: [{match: claude-sonnet-5}]\n",
            "anthropic",
        )
        warnings = direct.run("plan", "--json").json()["warnings"]
        assert warnings.count("facts: absent.json is not there") == 1
        assert any(
            line.startswith("facts: odd.json cannot be used: it is neither") for line in warnings
        )


@pytest.fixture
def web() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A web server with some pages."""
    pages: dict[str, bytes] = {}

    class Pages(Answering):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.say(404 if body is None else 200, body or b"")

    with listening(Pages) as port:
        yield f"http://127.0.0.1:{port}", pages


@not_on_windows("a command is a #! script here")
class TestWhichMap:
    """The map of the litellm that would be started, found without running or importing it."""

    def installed(self, folder: Path, version: str) -> Path:
        """A virtual environment with a litellm of this version."""
        library = folder / "lib" / "python3.11" / "site-packages"
        (library / f"litellm-{version}.dist-info").mkdir(parents=True)
        (library / "litellm").mkdir()
        name = "model_prices_and_context_window_backup.json"
        (library / "litellm" / name).write_text(
            json.dumps({"claude-sonnet-5": SONNET}), encoding="utf-8"
        )
        command = folder / "bin" / "litellm"
        command.parent.mkdir()
        command.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        command.chmod(0o755)
        return command

    def test_it_is_that_of_the_command_and_named_by_its_version(
        self, direct: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ROLLCALL_PRICE_MAP")
        monkeypatch.setenv("ROLLCALL_LITELLM", str(self.installed(tmp_path / "venv", "1.110.2")))
        direct.write_policy(f"allow:\n  - {RULE % ''}\n", "anthropic")
        direct.applied()
        assert direct.names() == ["anthropic/claude-sonnet-5"]
        rows = direct.run("models", "--json").json()
        row = next(row for row in rows if row["id"] == "claude-sonnet-5")
        assert row["borrowed"]["price"] == "litellm 1.110.2"

    def test_a_command_that_is_not_there_has_none(
        self, direct: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ROLLCALL_PRICE_MAP")
        monkeypatch.setenv("ROLLCALL_LITELLM", str(direct.folder / "absent"))
        direct.write_policy('allow: [{match: "claude-*"}]\n', "anthropic")
        direct.applied()
        rows = direct.run("models", "--json").json()
        assert all(not row["borrowed"] for row in rows)


class TestUpdate:
    LIST = json.dumps({"xai": {"models": {"grok-4.6": {"tool_call": True}}}}).encode()

    def test_it_is_fetched_to_the_file_the_policy_names(
        self, direct: House, web: tuple[str, dict[str, bytes]]
    ) -> None:
        url, pages = web
        pages["/api.json"] = self.LIST
        direct.write_policy("facts: {files: [lists.json]}\nallow: []\n", "anthropic")
        ran = direct.run("facts", "update", f"{url}/api.json")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == f"{direct.folder / 'lists.json'}: written.\n"
        assert (direct.folder / "lists.json").read_bytes() == self.LIST
        assert "unchanged" in direct.run("facts", "update", f"{url}/api.json").out

    def test_a_policy_that_names_none_is_told_how(
        self, direct: House, web: tuple[str, dict[str, bytes]]
    ) -> None:
        url, pages = web
        pages["/api.json"] = self.LIST
        direct.write_policy("allow: []\n", "anthropic")
        assert (
            "facts: {files: [facts.json]}" in direct.run("facts", "update", f"{url}/api.json").out
        )

    @pytest.mark.parametrize(
        ("page", "said"),
        [
            (b"<html>", "it is not JSON"),
            (b"{}", "it is neither"),
            (None, "could not be fetched"),
        ],
    )
    def test_what_is_of_no_use_leaves_the_file_as_it_was(
        self, direct: House, web: tuple[str, dict[str, bytes]], page: bytes | None, said: str
    ) -> None:
        url, pages = web
        if page is not None:
            pages["/x"] = page
        direct.write_policy("facts: {files: [a.json]}\nallow: []\n", "anthropic")
        (direct.folder / "a.json").write_bytes(self.LIST)
        ran = direct.run("facts", "update", f"{url}/x")
        assert ran.code == 1
        assert said in ran.err
        assert (direct.folder / "a.json").read_bytes() == self.LIST

    def test_several_files_or_no_https_are_mistakes(self, direct: House) -> None:
        direct.write_policy("facts: {files: [a.json, b.json]}\nallow: []\n", "anthropic")
        assert "--to" in direct.run("facts", "update", "https://example.com/x").err
        ran = direct.run("facts", "update", "--to", "c.json", "http://example.com/x")
        assert (ran.code, "https" in ran.err) == (1, True)
