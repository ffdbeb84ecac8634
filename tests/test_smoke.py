"""`rollcall smoke` against a server that misbehaves as LiteLLM does."""

from __future__ import annotations

import dataclasses
import socket
import threading
from typing import Any

import pytest

from rollcall.inspect.smoke import SmokeOptions, SmokeReport, SmokeRow, SmokeVerdict, run_smoke
from rollcall.litellm_config.effective import LiteLLMView, view
from rollcall.settings import proxy_root
from tests.smoke_server import KEY, FakeProxy, as_json, completion, error, serving

CONFIG: dict[str, Any] = {
    "model_list": [
        {
            "model_name": "claude-haiku",
            "litellm_params": {"model": "anthropic/claude-haiku-4-5"},
            "model_info": {"id": "rollcall/anthropic/claude-haiku-4-5"},
        },
        {"model_name": "gpt", "litellm_params": {"model": "openai/gpt-5.5"}},
        {
            "model_name": "sonar",
            "litellm_params": {"model": "perplexity/sonar"},
            "model_info": {"mode": "responses"},
        },
    ],
    "router_settings": {
        "model_group_alias": {"default": "claude-haiku", "secret": {"model": "gpt", "hidden": True}}
    },
}
LISTED = ["default", "claude-haiku", "gpt", "sonar"]
ALL = SmokeOptions(all_models=True, timeout_seconds=20)


def smoke(
    proxy: FakeProxy,
    *,
    key: str | None = KEY,
    config: dict[str, Any] = CONFIG,
    options: SmokeOptions | None = None,
    path: str = "",
) -> SmokeReport:
    with serving(proxy) as url:
        return run_smoke(url + path, key, view(config), options)


def row(report: SmokeReport, name: str) -> SmokeRow:
    [found] = [row for row in report.rows if row.name == name]
    return found


def test_a_healthy_proxy_answers_by_every_alias() -> None:
    report = smoke(FakeProxy(LISTED))
    assert report.ok
    assert report.ready
    assert report.listed == 4
    assert [(row.name, row.kind, row.target, row.ok) for row in report.rows] == [
        ("default", "alias", "claude-haiku", True),
        ("secret", "alias", "gpt", True),
    ]
    assert all(row.latency_ms is not None for row in report.rows)


def test_all_calls_every_model_too_and_each_once() -> None:
    proxy = FakeProxy(LISTED)
    report = smoke(proxy, options=ALL)
    assert [row.name for row in report.rows] == [
        "default",
        "secret",
        "claude-haiku",
        "gpt",
        "sonar",
    ]
    assert len(proxy.asked) == 5


def test_a_call_costs_at_most_sixteen_tokens_in_every_mode() -> None:
    config = {
        "model_list": [
            {"model_name": mode, "litellm_params": {"model": "x/y"}, "model_info": {"mode": mode}}
            for mode in ("chat", "responses", "completion", "embedding", "image_generation")
        ]
    }
    proxy = FakeProxy(
        ["chat", "responses", "completion", "embedding", "image_generation"],
        calls={
            "responses": as_json({"output": [], "status": "incomplete"}),
            "embedding": as_json({"data": [{"embedding": [0.1]}]}),
        },
    )
    report = smoke(proxy, config=config, options=ALL)
    assert proxy.body_of("chat")[0] == "/v1/chat/completions"
    assert proxy.body_of("chat")[1]["max_tokens"] == 16
    assert proxy.body_of("responses")[0] == "/v1/responses"
    assert proxy.body_of("responses")[1]["max_output_tokens"] == 16
    assert proxy.body_of("completion")[1]["max_tokens"] == 16
    assert proxy.body_of("embedding")[0] == "/v1/embeddings"
    image = row(report, "image_generation")
    assert (image.ok, image.detail) == (None, "not called: its mode is image_generation")
    assert report.ok


def test_without_calls_only_the_lists_are_compared() -> None:
    proxy = FakeProxy(LISTED)
    report = smoke(proxy, options=SmokeOptions(calls=False))
    assert report.ok
    assert (report.rows, proxy.asked) == ((), [])


def test_what_litellm_dropped_silently_is_missing() -> None:
    report = smoke(FakeProxy(["default", "claude-haiku", "sonar", "surprise"]))
    assert report.verdict is SmokeVerdict.DEAD
    assert report.missing == ("gpt",)
    assert report.extra == ("surprise",)
    assert "its log says why" in report.notes[0]


def test_names_nobody_promised_are_not_missing_and_wildcards_are_not_extra() -> None:
    config = {
        "model_list": [
            {"model_name": "xai/*", "litellm_params": {"model": "xai/*"}},
            {
                "model_name": "old",
                "litellm_params": {"model": "x/old"},
                "model_info": {"blocked": True},
            },
        ]
    }
    proxy = FakeProxy(["xai/grok-4.6"])
    report = smoke(proxy, config=config, options=ALL)
    assert (report.missing, report.extra) == ((), ())
    assert row(report, "old").ok is None
    assert proxy.asked == []
    assert report.ok


def test_no_alias_is_said() -> None:
    report = smoke(FakeProxy(["gpt"]), config={"model_list": [CONFIG["model_list"][1]]})
    assert report.ok
    assert "--all" in report.notes[0]


def test_a_dead_model_is_an_error_in_litellms_own_words() -> None:
    words = (
        "litellm.AuthenticationError: OpenAIException - Incorrect API key provided: sk-abc12345678"
        "\n\nLiteLLM: model group 'gpt' failed with the error above. Received Model Group=gpt"
    )
    report = smoke(FakeProxy(LISTED, calls={"secret": error(words, 401)}))
    dead = row(report, "secret")
    assert report.verdict is SmokeVerdict.DEAD
    assert dead.ok is False
    assert dead.detail.startswith("401: litellm.AuthenticationError: OpenAIException - Incorrect")
    assert "sk-abc" not in dead.detail
    assert "model group" not in dead.detail
    assert row(report, "default").ok


def test_an_error_may_be_long_and_ugly() -> None:
    ugly = "\x1b[31mred\n" + "long " * 5_000
    report = smoke(FakeProxy(LISTED, calls={"default": (502, {}, ugly.encode())}))
    assert len(row(report, "default").detail) < 400
    assert "\n" not in row(report, "default").detail


def test_stopping_at_the_token_limit_is_an_answer() -> None:
    words = "Could not finish the message because max_tokens or model output limit was reached."
    report = smoke(FakeProxy(LISTED, calls={"default": error(words, 400)}))
    assert row(report, "default").ok
    assert "16 tokens" in row(report, "default").detail


@pytest.mark.parametrize(
    "answer",
    [
        as_json({"hello": 1}),
        as_json([]),
        (200, {"content-type": "text/html"}, b"<html>login</html>"),
        (200, {}, b"\xff\xfe"),
    ],
)
def test_two_hundred_without_a_completion_is_dead(
    answer: tuple[int, dict[str, str], bytes],
) -> None:
    report = smoke(FakeProxy(LISTED, calls={"default": answer}))
    assert row(report, "default").ok is False
    assert "no completion" in row(report, "default").detail


class TestAnsweredBy:
    def answered_by(self, headers: dict[str, str]) -> str | None:
        proxy = FakeProxy(LISTED, calls={"default": completion("default", headers)})
        return row(smoke(proxy), "default").answered_by

    def test_our_own_deployment_id_says_which(self) -> None:
        headers = {"x-litellm-model-id": "rollcall/anthropic/claude-haiku-4-5"}
        assert self.answered_by(headers) == "anthropic/claude-haiku-4-5"

    def test_the_only_entry_says_which(self) -> None:
        assert self.answered_by({}) == "anthropic/claude-haiku-4-5"

    def test_a_fallback_is_told(self) -> None:
        headers = {"x-litellm-attempted-fallbacks": "1", "x-litellm-model-name": "openai/gpt-5.5"}
        proxy = FakeProxy(LISTED, calls={"default": completion("default", headers)})
        found = row(smoke(proxy), "default")
        assert (found.ok, found.answered_by) == (True, "openai/gpt-5.5")
        assert found.detail == "answered by a fallback"


class TestKeys:
    def test_no_key(self) -> None:
        report = smoke(FakeProxy(LISTED), key=None)
        assert report.verdict is SmokeVerdict.NO_KEY
        assert "LITELLM_API_KEY" in report.hint

    def test_no_key_in_later_versions(self) -> None:
        words = "Authentication Error, No api key passed in."
        report = smoke(FakeProxy(LISTED, without_key=error(words, 401)), key=None)
        assert report.verdict is SmokeVerdict.NO_KEY
        assert "No api key passed" in report.detail

    def test_a_wrong_key_is_not_taken_for_a_missing_server(self) -> None:
        report = smoke(FakeProxy(LISTED), key="sk-some-other-key-111")
        assert report.verdict is SmokeVerdict.WRONG_KEY
        assert report.ready

    def test_an_echoed_key_is_not_shown(self) -> None:
        key = "sk-some-other-key-111"
        report = smoke(FakeProxy(LISTED, wrong_key=error(f"Invalid key {key}", 401)), key=key)
        assert report.verdict is SmokeVerdict.WRONG_KEY
        assert key not in repr(dataclasses.asdict(report))


class TestServer:
    def test_nobody_there(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            report = run_smoke(f"127.0.0.1:{port}", KEY, view(CONFIG))
        assert report.verdict is SmokeVerdict.NO_SERVER
        assert f"http://127.0.0.1:{port}" in report.detail
        assert "rollcall start" in report.hint

    @pytest.mark.parametrize("url", ["http://[::1", "http://", "", "http://a b", "ftp://x"])
    def test_a_url_that_is_none(self, url: str) -> None:
        assert run_smoke(url, KEY, view(CONFIG)).verdict is SmokeVerdict.NO_SERVER

    def test_a_server_that_accepts_and_says_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            report = run_smoke(url, KEY, view(CONFIG), SmokeOptions(timeout_seconds=0.2))
        assert report.verdict is SmokeVerdict.NO_SERVER
        assert "within 0.2 s" in report.detail

    @pytest.mark.parametrize(
        "models",
        [
            (404, {"content-type": "text/html"}, b"<html>nginx</html>"),
            (200, {"content-type": "text/html"}, b"<html>Open WebUI</html>"),
            (302, {"location": "https://login.example/"}, b""),
            as_json({"models": []}),
        ],
    )
    def test_somebody_else_is_not_litellm(self, models: tuple[int, dict[str, str], bytes]) -> None:
        report = smoke(FakeProxy(LISTED, models=models))
        assert report.verdict is SmokeVerdict.NOT_LITELLM
        assert "not a model list" in report.detail

    def test_a_server_error_without_a_key_is_about_the_key_only_for_litellm(self) -> None:
        proxy = FakeProxy(LISTED, readiness=(404, {}, b""))
        assert smoke(proxy, key=None).verdict is SmokeVerdict.NOT_LITELLM

    @pytest.mark.parametrize("path", ["/", "/v1", "/v1/"])
    def test_the_url_clients_use_is_understood(self, path: str) -> None:
        assert smoke(FakeProxy(LISTED), path=path).ok

    def test_a_missing_scheme_is_http(self) -> None:
        assert proxy_root("proxy.local:4000/v1") == "http://proxy.local:4000"
        assert proxy_root("https://proxy.local/llm/v1/") == "https://proxy.local/llm"


class TestParallel:
    MANY: LiteLLMView = view(
        {
            "model_list": [
                {"model_name": f"m{number}", "litellm_params": {"model": "x/y"}}
                for number in range(8)
            ]
        }
    )

    def test_calls_go_out_together_up_to_the_cap(self) -> None:
        proxy = FakeProxy([f"m{number}" for number in range(8)], together=threading.Barrier(4))
        options = SmokeOptions(all_models=True, max_parallel=4)
        with serving(proxy) as url:
            report = run_smoke(url, KEY, self.MANY, options)
        assert report.ok
        assert proxy.most_at_once == 4

    def test_rows_are_kept_in_config_order(self) -> None:
        proxy = FakeProxy([f"m{number}" for number in range(8)])
        with serving(proxy) as url:
            report = run_smoke(url, KEY, self.MANY, ALL)
        assert [row.name for row in report.rows] == [f"m{n}" for n in range(8)]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"content": ""}, "answers 200, but its answer is empty"),
        ({"content": None, "refusal": "I cannot."}, "answers 200, but I cannot."),
        ({}, "answers 200, but its answer is empty"),
    ],
)
def test_an_answer_that_says_nothing_is_none_by_the_rule_of_a_trial(
    message: dict[str, Any], said: str
) -> None:
    config = {"model_list": [{"model_name": "mute", "litellm_params": {"model": "x/y"}}]}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    proxy = FakeProxy(["mute"], calls={"mute": as_json({"choices": [choice]})})
    report = smoke(proxy, config=config, options=ALL)
    assert (row(report, "mute").ok, row(report, "mute").detail) == (False, said)
    assert not report.ok
