"""Keys where people leave them, followed through everything the tool says and keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollcall.masking import MASK
from rollcall.simulator import Fault, Simulator
from tests.house import House

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
