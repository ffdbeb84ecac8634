"""What `plan` and `apply` show a person: kinds of change, colours, big plans, who failed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.platforms import not_on_windows
from tests.simulator.catalogs import rows_of
from tests.simulator.faults import Fault
from tests.terminal import at_terminal, in_pipes

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-haiku, from: [anthropic], newest: 1}
  - {family: grok, from: [xai], newest: 1}
aliases:
  default: {family: claude-haiku}
  grok: {family: grok, fallbacks: [default]}
"""


@pytest.fixture
def furnished(house: House) -> House:
    """Two providers and a model of each, applied."""
    house.write_policy(RULES, "anthropic", "xai")
    house.applied()
    return house


def dearer_successor(house: House) -> None:
    """xAI lists a newer grok, five times as dear."""
    rows: list[dict[str, Any]] = house.sim.rows("xai")  # type: ignore[assignment]
    (newest,) = [row for row in rows if row["id"] == "grok-4.6"]
    dear = {**newest, "id": "grok-4.9", "created": newest["created"] + 90 * 86400}
    for field in ("prompt_text_token_price", "completion_text_token_price"):
        dear[field] = newest[field] * 5
    house.sim.set_rows("xai", [*rows, dear])


FAILING = {
    Fault.UNAUTHORIZED: "auth",
    Fault.FORBIDDEN: "auth",
    Fault.HTML: "bad_body",
    Fault.SERVER_ERROR: "http_error",
    Fault.EMPTY: "empty",
    Fault.HUGE_BODY: "too_large",
    Fault.HANG: "timeout",
}


@pytest.mark.parametrize("fault", FAILING)
def test_a_quiet_plan_names_every_provider_that_failed(furnished: House, fault: Fault) -> None:
    furnished.sim.fault("xai", fault)
    furnished.write_policy(RULES, "anthropic", "xai", hanging="xai" if fault is Fault.HANG else "")
    ran = furnished.run("plan", "-q")
    assert ran.code == 0
    failed = [line for line in ran.err.splitlines() if line.startswith("xai: ")]
    assert len(failed) == 1
    assert failed[0].startswith(f"xai: {FAILING[fault]}: ")
    assert "anthropic" not in ran.text


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (Fault.HTML, "check the base_url of xai"),
        (Fault.EMPTY, "say `empty: ok` of xai"),
        (Fault.UNAUTHORIZED, "check XAI_API_KEY"),
    ],
)
def test_a_provider_that_failed_is_told_with_what_to_do(
    furnished: House, fault: Fault, advice: str
) -> None:
    furnished.sim.fault("xai", fault)
    (line,) = [line for line in furnished.run("plan", "-q").err.splitlines() if "xai: " in line]
    assert advice in line


def test_a_key_that_is_not_set_is_no_failure(
    furnished: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XAI_API_KEY")
    assert furnished.run("plan", "-q").text == "Nothing to change.\n"


def test_entries_are_said_to_be_kept_only_where_there_are_some(house: House) -> None:
    house.write_policy(RULES, "anthropic", "xai")
    house.sim.fault("xai", Fault.SERVER_ERROR)
    assert "entries kept" not in house.applied().text
    house.sim.heal("xai")
    house.applied()
    house.sim.fault("xai", Fault.SERVER_ERROR)
    assert "entries kept; stale since 2026-11-20" in house.run("plan").text


def test_leaving_is_a_kind_of_its_own_and_what_is_held_is_counted(furnished: House) -> None:
    dearer_successor(furnished)
    ran = furnished.run("plan", "-q")
    row = next(line for line in ran.out.splitlines() if line.startswith("-"))
    assert row.split()[:3] == ["-", "leaves", "xai/grok-4.6"]
    assert "on 2026-12-04 (superseded by grok-4.9 (rule 2: newest 1))" in row
    assert ran.out.endswith("\n1 added, 1 leaving, 1 held.\n")
    kinds = [change["kind"] for change in furnished.run("plan", "--json").json()["changes"]]
    assert kinds == ["update", "add"], "the kinds of a saved plan are a contract"
    applied = furnished.applied()
    assert (
        "- xai/grok-4.6  leaves on 2026-12-04 (superseded by grok-4.9 (rule 2: newest 1))"
        in applied.out
    )
    furnished.later(14)
    ran = furnished.run("plan", "-q", "--accept", "xai/grok-4.9")
    assert "-  gone" in ran.out
    assert "1 gone, 1 alias changed." in ran.out


def test_what_is_held_while_nothing_changes_is_counted(furnished: House) -> None:
    dearer_successor(furnished)
    furnished.applied()
    ran = furnished.run("plan", "-q")
    assert ran.out == "Nothing to change; 1 held.\n"
    assert ran.err.startswith("held: grok: ")


def test_status_shows_what_is_held_and_how_to_accept_it(furnished: House) -> None:
    dearer_successor(furnished)
    furnished.applied()
    text = furnished.run("status").out
    assert "xai/grok-4.6 -> xai/grok-4.9" in text
    assert "rollcall apply --accept xai/grok-4.9" in " ".join(text.split())
    (held,) = furnished.run("status", "--json").json()["held"]
    assert held["name"] == "grok"


def test_a_line_for_an_alias_and_one_for_its_fallback_are_told_apart(house: House) -> None:
    house.write_policy(RULES, "anthropic", "xai")
    text = house.applied().out
    assert "> alias grok  -> xai/grok-4.6" in text
    assert ">> fallback grok  -> anthropic/claude-haiku-4-5-20251001" in text


def test_start_does_not_ask_for_a_restart_of_what_it_starts(house: House) -> None:
    house.write_policy(RULES, "anthropic", "xai")
    assert "A running LiteLLM does not notice: restart it." in house.applied().out
    house.run("rollback")
    done = in_pipes("start", "--discover", "--", sys.executable, "-c", "")
    assert b"written (" in done.err
    assert b"restart it" not in done.err


# colours


GREEN, YELLOW, MAGENTA, CYAN, BOLD, RED = (
    b"\x1b[32m", b"\x1b[33m", b"\x1b[35m", b"\x1b[36m", b"\x1b[1;33m", b"\x1b[31m",
)  # fmt: skip


@not_on_windows("no pseudo-terminals")
def test_every_kind_has_its_colour_at_a_terminal(furnished: House) -> None:
    dearer_successor(furnished)
    furnished.sim.fault("anthropic", Fault.FORBIDDEN)
    screen = at_terminal("plan", "--accept", "grok").out
    assert GREEN + b"+" in screen
    assert MAGENTA + b"leaves" in screen
    assert CYAN + b"alias" in screen
    assert RED + b"auth" in screen
    assert GREEN + b"+  - model_name" in screen, "the diff, too"
    screen = at_terminal("plan").out
    assert BOLD + b"held: " in screen
    doctor = at_terminal("doctor").out
    assert GREEN + b"ok" in doctor


@not_on_windows("no pseudo-terminals")
def test_pipes_and_no_color_are_plain(furnished: House) -> None:
    dearer_successor(furnished)
    for command in (["plan"], ["apply"], ["doctor"], ["status"], ["models"]):
        done = in_pipes(*command)
        assert b"\x1b" not in done.out + done.err
    furnished.run("rollback")
    screen = at_terminal("plan", "-q", environ={"NO_COLOR": "1"}).out
    assert b"leaves" in screen
    assert b"\x1b" not in screen


# big plans


def many(house: House, count: int, rise: float = 1.0, odd: float = 1.0) -> None:
    """OpenRouter lists so many models, dearer by `rise`, the first one by `odd`."""
    row = next(row for row in rows_of("openrouter") if row["id"] == "anthropic/claude-sonnet-5")
    rows = [
        {
            **row,
            "id": f"acme/model{number:02d}-1.0",
            "canonical_slug": f"acme/model{number:02d}-1.0",
            "name": f"Model {number}",
            "pricing": {
                "prompt": f"{0.000002 * (odd if number == 0 else rise):.12f}",
                "completion": "0.00001",
            },
        }
        for number in range(count)
    ]
    house.sim.set_rows("openrouter", rows)


BIG = """
allow:
  - {match: "acme/*", from: [openrouter]}
aliases: {}
"""


@pytest.fixture
def big(house: House) -> House:
    """Forty models of one provider, applied."""
    house.write_policy(BIG, "openrouter")
    many(house, 40)
    house.applied()
    return house


def test_alike_changes_of_a_big_plan_are_told_in_one_line(big: House) -> None:
    many(big, 40, rise=1.03, odd=2.0)
    ran = big.run("plan", "-q")
    lines = ran.out.splitlines()
    assert lines[0] == lines[-1] == "40 updated."
    assert "~  update  39 price changes, all below 5 %:" in lines
    alone = [line for line in lines if "openrouter/acme/model00-1.0 " in line]
    assert len(alone) == 1, "what doubles its price is told by itself"
    assert len(lines) < 15
    assert "rollcall plan --full" in ran.out
    assert "@@" not in big.run("plan").out
    assert "price changes" in big.applied().out


def test_full_shows_every_change_and_the_diff(big: House) -> None:
    many(big, 40, rise=1.03, odd=1.03)
    text = big.run("plan", "--full").out
    assert sum(" update " in line for line in text.splitlines()) == 40
    assert "price changes" not in text
    assert "@@" in text


@pytest.mark.parametrize(("rise", "bound"), [(1.0099, 1), (1.049, 5), (1.051, 10), (1.249, 25)])
def test_the_bound_that_is_named_holds_for_all(big: House, rise: float, bound: int) -> None:
    many(big, 40, rise=rise, odd=1.005)
    assert f"40 price changes, all below {bound} %" in big.run("plan", "-q").out


def test_a_price_that_moves_by_more_than_a_quarter_is_never_folded(big: House) -> None:
    many(big, 40, rise=1.25)
    assert "price changes" not in big.run("plan", "-q").out


def test_thirty_changes_are_not_many(big: House) -> None:
    many(big, 40)
    rows: list[dict[str, Any]] = big.sim.rows("openrouter")  # type: ignore[assignment]
    for row in rows[:30]:
        row["pricing"]["prompt"] = "0.00000202"
    big.sim.set_rows("openrouter", rows)
    assert "price changes" not in big.run("plan").out
    rows[30]["pricing"]["prompt"] = "0.00000202"
    big.sim.set_rows("openrouter", rows)
    assert "31 price changes" in big.run("plan").out


def test_what_leaves_together_is_named_in_full(big: House) -> None:
    rows = big.sim.rows("openrouter")
    big.sim.set_rows("openrouter", rows[:4])
    text = big.run("plan", "-q", "--force").out
    assert "36 leaving." in text
    assert "-  leaves  36 models, on 2026-11-23 (openrouter no longer lists it):" in text
    for number in range(4, 40):
        assert f"openrouter/acme/model{number:02d}-1.0" in text


def test_status_says_in_words_that_nobody_could_be_asked(furnished: House) -> None:
    for name in ("anthropic", "xai"):
        furnished.sim.fault(name, Fault.SERVER_ERROR)
    assert furnished.run("apply").code == 5
    text = furnished.run("status").out
    assert "last result: nobody could be asked, so nothing changed (2026-11-20" in text
    assert furnished.run("status", "--json").json()["last_record"]["outcome"] == "nobody"


def test_a_finding_goes_on_below_itself_at_a_narrow_terminal(
    furnished: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLCALL_FORCE_TTY", "50")
    lines = furnished.run("doctor").out.splitlines()
    told = [line for line in lines if "fix:" not in line and len(line.split()) > 2]
    assert all(len(line) <= 50 for line in told), told
    assert any(line.startswith("        ") for line in told)
