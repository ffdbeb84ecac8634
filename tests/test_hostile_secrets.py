"""Keys where people leave them, followed through everything the tool says and keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from rollcall.plan.masking import MASK
from rollcall.providers.failures import wait_of
from rollcall.secrets import Redactor
from tests.house import House
from tests.loopback import Answering, listening
from tests.simulator.faults import Fault
from tests.simulator.simulator import Simulator

PASTED = "qwertz-Geheim-0987"
HEADER = "pasted-header-Geheim-4711"
ORGANISATION = "org-Geheim1234567"
COMMENT = "was: Geheim-in-a-comment-55"
DATABASE = "dbpw-Geheim-77"
SECRETS = (PASTED, HEADER, ORGANISATION, COMMENT, DATABASE, "sk-my-own-secret-1234567890")

POLICY = """\
allow:
- {match: "claude*", from: [anthropic], newest: 2}
- {match: "grok*", from: [xai], params: {reasoning_effort: low, api_version: 2024-preview-X9}}
aliases: {default: {family: claude-haiku}}
"""


@pytest.fixture
def pasted(house: House) -> House:
    """A config in which somebody typed keys between our markers, under several names."""
    house.write_policy(POLICY, "anthropic", "xai")
    house.applied()
    text = house.config.read_text(encoding="utf-8")
    text = text.replace(
        'api_key: "os.environ/ANTHROPIC_API_KEY"', f"api_key: {PASTED}  # {COMMENT}"
    )
    text = text.replace(
        'api_key: "os.environ/XAI_API_KEY"',
        'api_key: "os.environ/XAI_API_KEY"\n'
        f"      organization: {ORGANISATION}\n"
        f'      extra_headers: {{Authorization: "Bearer {HEADER}", X-Custom: ["{HEADER}"]}}',
    )
    text += f"environment_variables: {{DATABASE_URL: 'postgres://u:{DATABASE}@h/db'}}\n"
    house.config.write_text(text, encoding="utf-8")
    return house


def said_and_kept(house: House, *args: str) -> str:
    ran = house.run(*args)
    assert "a bug" not in ran.err
    kept = [
        path.read_text(encoding="utf-8", errors="replace")
        for path in house.folder.rglob("*")
        if path.is_file()
        and path.name not in ("config.yaml", "config.yaml.bak")
        and path.parent.name != "backups"
    ]
    return "\n".join([ran.text, *kept])


@pytest.mark.parametrize("fault", [None, Fault.SERVER_ERROR])
@pytest.mark.parametrize(
    "command",
    [
        ["plan"],
        ["plan", "--json"],
        ["plan", "--markdown"],
        ["plan", "--out", "plan.json", "-q"],
        ["apply"],
        ["apply", "--json"],
        ["models", "--json"],
        ["explain", "default"],
        ["doctor"],
        ["status", "--json"],
        ["eject", "--remove"],
        ["rollback"],
    ],
)
def test_what_was_typed_between_our_markers_is_told_nowhere(
    pasted: House, sim: Simulator, command: list[str], fault: Fault | None
) -> None:
    if fault is not None:
        sim.fault("anthropic", fault)
    everything = said_and_kept(pasted, *command)
    if command[0] == "apply":
        everything += said_and_kept(pasted, "status", "--json")
    for secret in SECRETS:
        assert secret not in everything


def test_a_saved_plan_without_them_gives_the_same_file(pasted: House, sim: Simulator) -> None:
    """Entries of a provider that could not be asked stay exactly as they are, keys included."""
    sim.fault("anthropic", Fault.SERVER_ERROR)
    pasted.run("plan", "--out", "plan.json")
    saved = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    assert MASK in json.dumps(saved["blocks"])
    before = pasted.config.read_bytes()
    assert pasted.run("apply", "plan.json").code == 0
    from_plan = pasted.config.read_bytes()
    assert from_plan != before
    pasted.config.write_bytes(before)
    pasted.applied()
    assert pasted.config.read_bytes() == from_plan
    assert PASTED in pasted.config.read_text(encoding="utf-8")


def test_what_the_policy_says_is_shown(house: House) -> None:
    house.write_policy(POLICY, "anthropic", "xai")
    house.applied()
    house.write_policy(POLICY.replace(": low", ": high"), "anthropic", "xai")
    text = house.run("plan").out
    assert "reasoning_effort low -> high" in text
    assert "2024-preview-X9" in json.dumps(house.run("plan", "--json").json())


MIXED = "sim-MiXed-Key-0123456789"


class Echo(Answering):
    """A provider that repeats the key it was sent, in whatever way a test asks for."""

    replies: ClassVar[dict[str, tuple[int, dict[str, str], str]]] = {}

    def do_GET(self) -> None:
        """Answer what the path says."""
        status, headers, body = self.replies[self.path.split("/")[1]]
        self.say(status, body.encode(), headers.items())


@pytest.fixture
def echo() -> Iterator[str]:
    with listening(Echo) as port:
        yield f"http://127.0.0.1:{port}"


ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in MIXED)
Echo.replies = {
    "location": (302, {"location": f"https://{MIXED}.example.com/{MIXED}?key={MIXED}"}, ""),
    "escaped": (401, {}, f'{{"error": {{"message": "no {ESCAPED} here"}}}}'),
    "lower": (403, {}, f'{{"error": "{MIXED.lower()} and {MIXED.upper()}"}}'),
    "list": (200, {}, f'{{"data": [{{"id": "gpt-5", "name": "of {ESCAPED}", "owned_by": "x"}}]}}'),
    "whole": (200, {}, f'{{"data": [{{"id": "{MIXED}"}}, {{"id": "gpt-5", "name": "{MIXED}"}}]}}'),
    "header": (429, {"retry-after": MIXED, "x-key": MIXED}, f"<html>{MIXED}</html>"),
    "encoding": (200, {"content-encoding": MIXED}, "x"),
}


@pytest.mark.parametrize("way", Echo.replies)
def test_a_key_that_a_provider_repeats_is_kept_from_everything(
    house: House, echo: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE_API_KEY", MIXED)
    house.policy.write_text(
        "version: 1\n"
        f"providers: {{here: {{type: openai, base_url: '{echo}/{way}', key_env: HERE_API_KEY}}}}\n"
        'allow: [{match: "*"}]\n',
        encoding="utf-8",
    )
    for command in (["plan", "--json"], ["apply"], ["models", "--json"], ["status", "--json"]):
        everything = said_and_kept(house, *command) + house.config.read_text(encoding="utf-8")
        for form in (MIXED, MIXED.lower(), MIXED.upper(), ESCAPED):
            assert form not in everything, command


def test_a_password_with_an_at_sign_leaves_no_rest() -> None:
    said = Redactor().redact("proxy http://user:p@ss-w0rd@proxy.example:8080 refused")
    assert said == "proxy http://[redacted]@proxy.example:8080 refused"


PASSWORD = "Geheim-pw-42x"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_BASE_URL", f"http://user:{PASSWORD}@127.0.0.1:9/v1?key={PASSWORD}"),
        ("OPENAI_BASE_URL", f"http://user:{PASSWORD}@[::bad/v1"),
        ("HTTP_PROXY", f"http://user:{PASSWORD}@127.0.0.1:9"),
        ("HTTP_PROXY", f"http://user:{PASSWORD}@127.0.0.1:notaport"),
        ("HTTP_PROXY", f"other://user:{PASSWORD}@127.0.0.1:9"),
        ("LITELLM_BASE_URL", f"http://user:{PASSWORD}@127.0.0.1:9"),
    ],
)
def test_a_password_in_an_address_is_told_nowhere(
    house: House, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    house.policy.write_text(
        "version: 1\n"
        "providers: {openai: {}, xai: {base_url: 'http://nowhere.invalid/v1'}}\n"
        'allow: [{match: "*"}]\n',
        encoding="utf-8",
    )
    smoke = ["smoke", "--no-calls", "--timeout", "2s"]
    for command in (
        ["apply", "--deadline", "2s"],
        ["doctor"],
        smoke,
        [*smoke, "http://nowhere.invalid:4000"],
    ):
        assert PASSWORD not in said_and_kept(house, *command)


def test_a_date_beyond_all_years_is_no_time_to_wait() -> None:
    header = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"
    assert wait_of({"retry-after": header, "date": header}, b"") is None
