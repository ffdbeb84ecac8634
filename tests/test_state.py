"""The state as bytes: what goes in comes out, and nothing else passes for it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.store.state import SCHEMA, ProviderState, RunRecord, State, StateUnreadable

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
STATES = st.builds(
    State,
    last_run=st.none() | TEXT,
    accepted=st.lists(TEXT, max_size=3),
    policy_text=st.none() | TEXT,
    runs=st.lists(st.builds(RunRecord, at=TEXT, command=TEXT, outcome=TEXT), max_size=2),
    providers=st.dictionaries(
        TEXT,
        st.builds(
            ProviderState,
            first_seen=st.dictionaries(TEXT, st.none() | st.dates(), max_size=3),
            last_seen=st.dictionaries(TEXT, st.dates(), max_size=3),
        ),
        max_size=2,
    ),
)


@settings(max_examples=60, deadline=None)
@given(state=STATES)
def test_it_reads_back_equal(state: State) -> None:
    """Any names: they come from providers."""
    assert State.from_bytes(state.to_bytes()) == state


def test_equal_states_are_equal_bytes() -> None:
    """So that an unchanged one need not be written."""
    one = State(providers={"xai": ProviderState(last_seen={"grok": date(2026, 11, 20)})})
    assert one.to_bytes() == State.from_bytes(one.to_bytes()).to_bytes()


def test_fields_of_an_earlier_or_later_build_are_passed_over() -> None:
    """Within one schema version."""
    assert State.from_bytes(b'{"schema_version": 1, "gone": 3}') == State()
    assert State.from_bytes(b"{}") == State()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b'{"runs": {}}', b'{"runs": '])
def test_damage_is_told_from_a_newer_version(content: bytes) -> None:
    """Damaged: no version."""
    with pytest.raises(StateUnreadable) as caught:
        State.from_bytes(content)
    assert caught.value.schema_version is None


@pytest.mark.parametrize("rest", [b"", b', "runs": {"now": "a mapping"}'])
def test_a_newer_version_is_recognised(rest: bytes) -> None:
    """Also where its fields make no sense to us."""
    with pytest.raises(StateUnreadable) as caught:
        State.from_bytes(b'{"schema_version": %d%s}' % (SCHEMA + 1, rest))
    assert caught.value.schema_version == SCHEMA + 1
