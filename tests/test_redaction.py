"""Keys never survive in what a provider says."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollcall.secrets import MARK, Redactor

KEY_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
KEYS = st.text(KEY_LETTERS, min_size=20, max_size=60).filter(lambda key: key not in MARK)
WORDS = st.text(" .,:;'\"()abcXYZ019\n\x1b*…-_/", max_size=40)

XAI = "xai-Q7hTz0Rk3VbNf8Lw2Jp5Ys9Dg4Mc6Xa1Ue"


@given(KEYS, WORDS, WORDS)
@settings(max_examples=200, deadline=None)
def test_a_known_key_never_survives(key: str, before: str, after: str) -> None:
    clean = Redactor([key]).redact(f"{before}{key}{after} {quote(key, safe='')} {key}")
    assert key not in clean


@given(
    KEYS,
    st.integers(2, 8),
    st.integers(0, 6),
    st.sampled_from(["***", "...", "…", "*" * 20, "••••"]),
)
@settings(max_examples=200, deadline=None)
def test_a_masked_key_never_survives(key: str, start: int, end: int, mask: str) -> None:
    masked = key[:start] + mask + (key[-end:] if end else "")
    clean = Redactor([key]).redact(f"Incorrect API key provided: {masked}. Get one at the console.")
    assert masked not in clean
    assert clean.startswith("Incorrect API key provided: ")
    assert clean.endswith(" Get one at the console.")


@given(KEYS, WORDS)
@settings(max_examples=200, deadline=None)
def test_redacting_twice_is_redacting_once(key: str, text: str) -> None:
    redactor = Redactor([key])
    once = redactor.redact(f"{text} {key[:4]}***{key[-4:]} Bearer {key} {text}")
    assert redactor.redact(once) == once


@pytest.mark.parametrize(
    ("said", "clean"),
    [
        (f"wrong key {XAI}!", f"wrong key {MARK}!"),
        (
            "Incorrect API key provided: xa***Ue. You can",
            f"Incorrect API key provided: {MARK}. You can",
        ),
        (f"key {XAI[:16]} is cut off", f"key {MARK} is cut off"),
        ("key ****a1Ue given", f"key {MARK} given"),
        ("key ...a1Ue given", "key ...a1Ue given".replace("...a1Ue", MARK)),
    ],
)
def test_the_ways_providers_echo_a_key(said: str, clean: str) -> None:
    assert Redactor([XAI]).redact(said) == clean


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcDEF0123456789",
        "sk-ant-api03-AbCdEf-0123",
        "AIzaSyD-0123456789abcdef",
        "gsk_0123456789abcdef",
        "xai-0123456789abcdef",
        "pplx-0123456789abcdef",
    ],
)
def test_other_peoples_keys_go_too(secret: str) -> None:
    clean = Redactor().redact(f"saw {secret}, sorry")
    assert clean == f"saw {MARK}, sorry"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET https://h/v1beta/models?key=abc123&pageSize=5", f"key={MARK}&pageSize=5"),
        ("Authorization: Bearer abc.def-123456", f"Authorization: Bearer {MARK}"),
        ("https://user:pass@host/path", f"https://{MARK}@host/path"),
        ("sk-****1234 is revoked", f"{MARK} is revoked"),
    ],
)
def test_what_looks_like_a_key_anywhere(text: str, clean: str) -> None:
    assert Redactor().redact(text).endswith(clean)


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 404, is the base_url right, does it lack /v1?: Not Found",
        "'pplx-embed-v1-0.6b' is listed twice",
        "Bearer authentication is required",
        "no connection to api.x.ai: [Errno -2] Name or service not known",
        "wait 5 s ... then retry",
        "anthropic/claude-sonnet-5, openai/gpt-5.6-sol, qwen/qwen3-coder:free",
        "the task-force said so",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Redactor([XAI, "EMPTY", "none", "", "x"]).redact(text) == text


def test_a_key_that_is_a_word_does_not_eat_the_catalog() -> None:
    page = b'{"data":[{"id":"ollama/q9"},{"id":"lm-studio-x"},{"id":"a1b2c3d4e5"}]}'
    redactor = Redactor(["ollama", "lm-studio", "EMPTY", "a1b2c3d4e5"])
    assert redactor.clean_page(page) == page.replace(b"a1b2c3d4e5", MARK.encode())


def test_a_page_loses_a_key_in_every_way_it_is_written() -> None:
    key = 'odd/key+with="signs"-0123456789'
    page = (
        b'{"a":"odd/key+with=\\"signs\\"-0123456789","b":"odd\\/key+with=\\"signs\\"-0123456789"}'
    )
    clean = Redactor([key]).clean_page(page + quote(key, safe="").encode())
    assert clean == b'{"a":"[redacted]","b":"[redacted]"}[redacted]'


def test_secrets_stay_out_of_a_repr() -> None:
    assert XAI not in repr(Redactor([XAI]))


@given(st.lists(st.text(max_size=12), max_size=4), st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_nothing_breaks_it(secrets: list[str], text: str) -> None:
    redactor = Redactor(secrets)
    clean = redactor.redact(text)
    for secret in secrets:
        if len(secret) >= 6:
            assume("[" not in secret and "]" not in secret and secret not in MARK)
            assert secret not in clean
    redactor.clean_page(text.encode("utf-8", "replace"))
