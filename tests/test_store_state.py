"""State, stamp, stored replies and includes: kept if possible, never in the way."""

from __future__ import annotations

import os
import stat
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Answer, Model, Verdict
from rollcall.store.folder import config_folder
from rollcall.store.freshness import STAMP
from rollcall.store.state import ProviderState, State
from rollcall.store.store import Store
from tests.platforms import not_on_windows

NOON = "2026-11-20T12:00:00Z"
STATE = State(
    last_run=NOON,
    providers={"xai": ProviderState(first_seen={"grok-4.6": None}, last_seen={})},
    accepted=["a/b"],
)
posix_only = not_on_windows("no POSIX modes, no pipes as files")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """No config, no state folder yet."""
    return Store(tmp_path / "config.yaml", tmp_path / ".rollcall")


def home(store: Store) -> Path:
    """Where the state folder keeps what it knows of this config."""
    return config_folder(store.config_path, store.state_dir)


def answer(provider: str = "xai", *pages: bytes, verdict: Verdict = Verdict.OK) -> Answer:
    """A good answer of these pages."""
    return Answer(provider, verdict, pages=pages, fetched_at=NOON)


class TestState:
    """state.json."""

    def test_none_yet_is_no_reason_for_a_note(self, store: Store) -> None:
        """The first run."""
        assert store.memory.read_state() == (State(), ())
        assert not store.state_dir.exists()

    def test_it_comes_back_as_it_was(self, store: Store) -> None:
        """And is private."""
        assert store.memory.write_state(STATE) == ()
        assert store.memory.read_state() == (STATE, ())
        if sys.platform != "win32":
            path = home(store) / "state.json"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_the_same_state_is_not_written_again(self, store: Store) -> None:
        """Same inode: nothing was replaced."""
        store.memory.write_state(STATE)
        before = (home(store) / "state.json").stat()
        store.memory.write_state(STATE.model_copy())
        after = (home(store) / "state.json").stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"providers": 3}', b"[" * 100_000]
    )
    def test_a_damaged_one_is_begun_anew_and_put_aside_once(
        self, store: Store, content: bytes
    ) -> None:
        """The first damaged one stays for whoever wants to look; reading changes nothing."""
        home(store).mkdir(parents=True)
        path, aside = home(store) / "state.json", home(store) / "state.json.broken"
        path.write_bytes(content)
        state, notes = store.memory.read_state()
        assert state == State()
        assert "damaged" in notes[0]
        assert path.read_bytes() == content
        store.memory.write_state(STATE)
        assert aside.read_bytes() == content
        path.write_bytes(b"damaged again")
        store.memory.write_state(STATE)
        assert aside.read_bytes() == content
        assert store.memory.read_state() == (STATE, ())

    def test_a_newer_one_is_kept_for_the_newer_rollcall(self, store: Store) -> None:
        """Whether or not this version could read the rest of it."""
        path = home(store) / "state.json"
        for newer in (b'{"schema_version": 2, "providers": 3}', b'{"schema_version": 3}'):
            store.memory.write_state(STATE)
            path.write_bytes(newer)
            state, notes = store.memory.read_state()
            assert state == State()
            assert "newer" in notes[0]
            store.memory.write_state(STATE)
            assert (home(store) / "state.json.newer").read_bytes() == newer

    def test_a_folder_that_cannot_be_written_is_a_note(self, store: Store) -> None:
        """Never an error: config.yaml matters more."""
        store.state_dir.write_bytes(b"not a folder")
        for notes in (
            store.memory.write_state(STATE),
            store.memory.write_replies((answer("xai", b"{}"),)),
            store.memory.keep(STAMP, b"{}"),
            store.memory.read_state()[1],
        ):
            assert len(notes) == 1
            assert notes[0].endswith(".")

    @posix_only
    def test_a_pipe_in_its_place_does_not_hang(self, store: Store) -> None:
        """A neighbour's joke."""
        if sys.platform == "win32":
            raise NotImplementedError
        home(store).mkdir(parents=True)
        os.mkfifo(home(store) / "state.json")
        assert "pipe" in store.memory.read_state()[1][0]

    def test_the_stamp_is_kept(self, store: Store) -> None:
        """As `rollcall.store.freshness` reads it."""
        assert store.memory.keep(STAMP, b'{"at": 1}') == ()
        assert (home(store) / "fresh.json").read_text(encoding="utf-8") == '{"at": 1}'


class TestReplies:
    """The bodies offline runs start from."""

    def test_pages_come_back_with_their_time(self, store: Store) -> None:
        """Each page whole."""
        assert store.memory.write_replies((answer("xai", b"one", b"", b"\nthree\n"),)) == ()
        assert store.memory.read_replies("xai") == ((b"one", b"", b"\nthree\n"), NOON, "")
        assert store.memory.read_replies("openai") is None

    def test_only_good_answers_replace_what_is_kept(self, store: Store) -> None:
        """A failure, an answer from the store, or an empty one leaves the last good reply."""
        store.memory.write_replies((answer("xai", b"good"),))
        for verdict in Verdict:
            if verdict is not Verdict.OK:
                store.memory.write_replies((answer("xai", b"bad", verdict=verdict),))
        store.memory.write_replies((answer("xai"),))
        store.memory.write_replies((Answer("xai", Verdict.OK, pages=(b"stored",), offline=True),))
        assert store.memory.read_replies("xai") == ((b"good",), NOON, "")

    def test_a_public_list_is_kept_without_a_key(self, store: Store) -> None:
        """OpenRouter's, for display."""
        model = Model(provider="openrouter", id="a/b", litellm_model="openrouter/a/b")
        public = Answer("openrouter", Verdict.NO_KEY, models=(model,), pages=(b"public",))
        store.memory.write_replies((public,))
        assert store.memory.read_replies("openrouter") == ((b"public",), "", "")

    def test_unchanged_ones_are_not_rewritten(self, store: Store) -> None:
        """A megabyte per provider and run would be a lot."""
        store.memory.write_replies((answer("xai", b"one", b"two"),))
        [path] = (home(store) / "replies").iterdir()
        before = path.stat()
        store.memory.write_replies((answer("xai", b"one", b"two"),))
        assert path.stat().st_ino == before.st_ino
        store.memory.write_replies((answer("xai", b"onet", b"wo"),))
        assert store.memory.read_replies("xai") == ((b"onet", b"wo"), NOON, "")

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_damaged_ones_are_not_given_out(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        """Cut short, or any byte changed: None, or the very bytes."""
        store = Store(Path("config.yaml"), tmp_path_factory.mktemp("replies"))
        pages = (b'{"data": []}', b"second page")
        store.memory.write_replies((answer("xai", *pages),))
        [path] = (home(store) / "replies").iterdir()
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            del content[place:]
        else:
            content[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        found = store.memory.read_replies("xai")
        assert found is None or found[0] == pages

    @pytest.mark.parametrize(
        "header",
        [
            b"[]",
            b"3",
            b"",
            b'{"pages": "x"}',
            b'{"pages": [-1, 1]}',
            b"[" * 99_999,
            b'{"a": 1e999}',
        ],
    )
    def test_a_header_of_nonsense_is_no_reply(self, store: Store, header: bytes) -> None:
        """Nor a crash."""
        store.memory.write_replies((answer("xai", b"one"),))
        [path] = (home(store) / "replies").iterdir()
        path.write_bytes(header + b"\none")
        assert store.memory.read_replies("xai") is None

    @pytest.mark.parametrize(
        "provider",
        [
            "../../etc/passwd",
            "a/b\\c",
            "CON",
            "nul",
            ".",
            "",
            "x" * 5000,
            "ä\n\x1b[31m",
            "a\0b",
            "\ud800",
        ],
    )
    def test_any_name_is_a_safe_file_name(self, store: Store, provider: str) -> None:
        """The policy may call a provider anything."""
        store.memory.write_replies((answer(provider, b"one"),))
        assert store.memory.read_replies(provider) == ((b"one",), NOON, "")
        [path] = (home(store) / "replies").iterdir()
        assert len(path.name) < 80
        assert path.name.isascii()

    def test_names_that_look_alike_are_kept_apart(self, store: Store) -> None:
        """By case, or after cleaning."""
        names = ["my-vllm", "My-vLLM", "my/vllm", "my_vllm", "my vllm"]
        store.memory.write_replies(tuple(answer(name, name.encode()) for name in names))
        assert [store.memory.read_replies(name) for name in names] == [
            ((name.encode(),), NOON, "") for name in names
        ]


class TestIncludes:
    """`include:` as LiteLLM resolves it."""

    def test_nested_ones_relative_to_who_declares_them(self, store: Store, tmp_path: Path) -> None:
        """A circle ends, what is missing is left out, each file counts once."""
        (tmp_path / "sub").mkdir()
        files = {
            "a.yaml": b"include: [sub/b.yaml, config.yaml, a.yaml]\n",
            "sub/b.yaml": b"include: [c.yaml, ../a.yaml, root.yaml]\n",
            "sub/c.yaml": b"# includes nothing: {\n",
            "root.yaml": b"found: beside config.yaml\n",
        }
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        entries = ["a.yaml", "gone.yaml", "sub", "a.yaml", 3, "\0"]
        found = tuple(content for _, content in store.included_texts({"include": entries}))
        assert found == tuple(files.values())

    @pytest.mark.parametrize("include", [None, "a.yaml", 3, {"a": 1}, []])
    def test_anything_but_a_list_includes_nothing(self, store: Store, include: object) -> None:
        """LiteLLM refuses those itself."""
        assert store.included_texts({"include": include}) == ()
        assert store.included_texts({}) == ()


def test_a_state_of_twenty_thousand_ids_comes_back(store: Store) -> None:
    """OpenRouter, many times over."""
    days = {f"vendor/model-{number}": date(2026, 1, 1) for number in range(20_000)}
    state = State(providers={"openrouter": ProviderState(first_seen=dict(days), last_seen=days)})
    assert store.memory.write_state(state) == ()
    assert store.memory.read_state() == (state, ())
