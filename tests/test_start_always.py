"""`rollcall start` starts the command whatever its files, variables and arguments hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollcall.cli import start as story
from rollcall.cli.proxy_commands import StartOptions
from rollcall.errors import StoreError
from rollcall.launch.run import UnpassableError
from rollcall.settings.environment import MOST_VARIABLE_BYTES
from tests.platforms import not_on_windows

posix = not_on_windows("no fork, no #! lines")

CONFIG = b"""\
model_list:
  - model_name: alpha
    litellm_params: {model: openai/gpt-5.5}
"""
POLICY = b"""\
version: 1
defaults: {timeout: 200ms, deadline: 300ms}
providers:
  local: {type: openai, base_url: "http://127.0.0.1:1/v1", key_env: null}
allow:
  - {match: "*", from: [local], newest: 1}
aliases: {}
"""
DOTENV = b"A=1\nOPENAI_API_KEY='sk-of-dotenv-1234567890'\nB=${A}2\n"


class Launched:
    """Stands where the command would be started: what it was given."""

    def __init__(self) -> None:
        self.argv: list[str] = []
        self.environ: dict[str, str] = {}

    def __call__(self, argv: list[str], environ: dict[str, str]) -> int:
        self.argv, self.environ = list(argv), dict(environ)
        return 7


@pytest.fixture
def launched(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Launched:
    """A folder with everything in it, and nothing that is really started."""
    Path("config.yaml").write_bytes(CONFIG)
    Path("policy.yaml").write_bytes(POLICY)
    Path(".env").write_bytes(DOTENV)
    made = Launched()
    monkeypatch.setattr(story, "launch", made)
    return made


SH = ["sh", "-c", "litellm"]

NETS = {
    "start",
    "_anyway",
    "_defaults",
    "plain_settings",
    "_launched",
    "command",
    "variables",
    "launch",
}
"""What catches, and what hands over: there is nothing behind these."""
FINDING = {"find_litellm", "needs_litellm", "_trusted_litellm", "bad_release"}
"""Without litellm there is nothing to start, and that is said."""
OF_THE_STORY = sorted(
    f"rollcall.cli.start.{name}"
    for name, value in vars(story).items()
    if callable(value) and not isinstance(value, type) and name not in NETS | FINDING
    if getattr(value, "__module__", "").startswith("rollcall")
)
BEHIND_IT = [
    "rollcall.settings.read_environment",
    "rollcall.settings.clock",
    "rollcall.settings.environment._find_dotenv",
    "rollcall.settings.environment._unfit",
    "rollcall.settings.Path.cwd",
    "rollcall.store.freshness.is_fresh",
    "rollcall.store.store.Store.locked",
    "rollcall.store.store.Store.backups",
    "rollcall.store.store.Store.read_backup",
    "rollcall.store.store.Store.read_config",
    "rollcall.sync.apply.apply",
    "rollcall.report.plan.show_applied",
    "rollcall.report.progress.live_progress",
    "rollcall.report.text.result_on_stderr",
    "rollcall.report.bugs.report_bug",
    "rollcall.litellm_config.text.decode",
]


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("a bug"),
        StoreError("The disk said no.", "Free some space."),
        OSError(28, "No space left on device"),
        SystemExit(3),
        BaseExceptionGroup("several", [KeyError("x")]),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("step", [*OF_THE_STORY, *BEHIND_IT])
def test_whatever_a_step_raises_the_command_is_started(
    step: str, error: BaseException, launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice: on a config that loads, and on one that has to be replaced by the last good."""

    def fails(*_args: object, **_named: object) -> Any:
        raise error

    monkeypatch.setattr(step, fails)
    options = StartOptions(discover=True, or_last_good=True, args=SH)
    assert story.start(options) == 7
    Path("config.yaml").write_bytes(b"model_list: [\n")
    assert story.start(options) == 7
    assert launched.argv == SH
    assert launched.environ["ROLLCALL_CONFIG"].endswith("config.yaml")


def test_every_step_of_the_story_is_among_those() -> None:
    assert len(OF_THE_STORY) > 10


def test_control_c_starts_nothing(launched: Launched, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: object, **_named: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("rollcall.sync.apply.apply", interrupted)
    with pytest.raises(KeyboardInterrupt):
        story.start(StartOptions(discover=True, args=SH))
    assert launched.argv == []


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


class TestDotenv:
    """What no process can be given is left out, the rest is handed on."""

    @pytest.mark.parametrize(
        ("line", "line_number", "name"),
        [
            (b"BAD=x\0y\n", 4, "BAD"),
            ("BAD=1\r\n".encode("utf-16-le"), 4, "BAD"),
            (b"\n# more\n\nBAD=" + b"x" * (MOST_VARIABLE_BYTES + 1) + b"\n", 7, "BAD"),
            (b"'BAD=x'=1\n", 4, "A variable"),
            (b"BAD='\n\0\n'\n", 4, "BAD"),
        ],
    )
    def test_one_variable_is_left_out_and_named_with_its_line(
        self,
        line: bytes,
        line_number: int,
        name: str,
        launched: Launched,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        Path(".env").write_bytes(DOTENV + line)
        assert story.start(StartOptions(args=SH)) == 7
        said = told(capsys)
        assert f".env:{line_number}: {name} is left out: " in said
        assert "bug" not in said
        assert launched.environ["B"] == "12"
        assert "BAD" not in "".join(launched.environ)

    def test_bytes_that_are_not_utf_8_cost_their_own_line(
        self, launched: Launched, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path(".env").write_bytes(DOTENV + "# Schlüssel\nBAD=für\n".encode("latin-1"))
        assert story.start(StartOptions(discover=True, args=SH)) == 7
        assert ".env:5: BAD is left out: it is not UTF-8." in told(capsys)
        assert launched.environ["OPENAI_API_KEY"] == "sk-of-dotenv-1234567890"

    def test_more_than_a_process_takes_costs_the_largest(
        self, launched: Launched, capsys: pytest.CaptureFixture[str]
    ) -> None:
        huge = b"x" * (MOST_VARIABLE_BYTES - 10)
        lines = b"".join(b"V%d=%s\n" % (number, huge) for number in range(5_000_000 // len(huge)))
        Path(".env").write_bytes(DOTENV + lines)
        assert story.start(StartOptions(args=SH)) == 7
        assert "more than this system hands to a process" in told(capsys)
        assert sum(map(len, launched.environ.values())) < 4 * 1024 * 1024
        assert launched.environ["B"] == "12"

    def test_a_variable_the_process_has_already_is_nobodys_concern(
        self,
        launched: Launched,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("BAD", "good")
        Path(".env").write_bytes(b"BAD=x\0y\n")
        story.start(StartOptions(args=SH))
        assert launched.environ["BAD"] == "good"
        assert "left out" not in told(capsys)


def test_a_system_that_takes_less_gets_what_we_were_given(
    launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes_little(argv: list[str], environ: dict[str, str]) -> int:
        if "OPENAI_API_KEY" in environ:
            raise UnpassableError("sh could not be started: Argument list too long.")
        return launched(argv, environ)

    monkeypatch.setattr(story, "launch", takes_little)
    assert story.start(StartOptions(args=SH)) == 7
    assert launched.argv == SH


@posix
def test_a_control_character_in_the_config_is_no_bug(
    launched: Launched, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("config.yaml").write_bytes(CONFIG + b"# \x08\n")
    assert story.start(StartOptions(discover=True, args=SH)) == 7
    said = told(capsys)
    assert "config.yaml:4" in said or "line 4" in said
    assert "bug" not in said


SERVER = """
import json, os, sys
from rollcall.__main__ import run
import rollcall.cli.start, rollcall.sync.apply, rollcall.report.plan, rollcall.cli.proxy_commands
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        try:
            os.chdir(job["folder"])
            os.environ.clear()
            os.environ.update(job["environ"])
            said = os.open(job["log"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(said, 1)
            os.dup2(said, 2)
            code = run(["start", *job["args"]])
            sys.stderr.flush()
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[str]]:
    """Runs `rollcall start` again and again, each in a process of its own."""
    source = Path(story.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(source)},
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


FILES = {
    "config.yaml": CONFIG,
    "policy.yaml": POLICY,
    ".env": DOTENV,
    ".rollcall/state.json": b'{"version": 1}',
    ".rollcall/fresh.json": b'{"at": 1, "ttl_seconds": 9}',
    ".rollcall/backups/manifest.json": b"[]",
}
NASTY = st.sampled_from(
    [
        b"\0",
        b"\x1b[2J",
        b"\x08",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\r",
        b"\t",
        b"A\0=\0",
        b"x" * 140_000,
        b"[" * 3000,
        b"- " * 3000,
        b"&a [*a]",
        b"'",
        b"${A}",
        b"=",
        b"PATH=\n",
        b"ROLLCALL_CONFIG=" + b"y" * 100_000 + b"\n",
        b"ROLLCALL_STATE_DIR=~nobody/x\n",
        b"SOURCE_DATE_EPOCH=never\n",
        b"{{ x }}",
        b"!!int ''",
        b"!!timestamp x",
    ]
)
contents = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda at, what: (at, what), st.integers(0, 400), NASTY),
    st.sampled_from(["missing", "folder", "loop", "pipe", "nowhere"]),
)
words = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12
)
odd_words = words | st.sampled_from(["~nobody/x", "-1", "1e999", "x" * 5000, "/dev/full", "\x1b"])
variables = st.dictionaries(
    st.sampled_from(
        [
            "ROLLCALL_CONFIG",
            "ROLLCALL_POLICY",
            "ROLLCALL_STATE_DIR",
            "LITELLM_DISCOVERY_MODE",
            "LITELLM_ENABLE_DISCOVERY",
            "LITELLM_MODE",
            "SOURCE_DATE_EPOCH",
            "SSL_CERT_FILE",
            "TMPDIR",
            "HOME",
            "COLUMNS",
            "PYTHONUTF8",
        ]
    ),
    odd_words,
    max_size=3,
)
options = st.lists(
    st.tuples(
        st.sampled_from(["--config", "--policy", "--state-dir", "--mode", "--ttl", "--deadline"]),
        odd_words,
    ).map(lambda pair: [f"{pair[0]}={pair[1]}"])
    | st.sampled_from([["--discover"], ["--or-last-good"], ["-q"]]),
    max_size=3,
)
arguments = st.lists(odd_words, max_size=3).map(lambda rest: ["--", "-x", *rest] if rest else [])


def spoil(path: Path, how: Any) -> None:
    """Put something else in a file's place."""
    if sys.platform == "win32":
        raise NotImplementedError
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if isinstance(how, bytes):
        path.write_bytes(how)
    elif how == "folder":
        path.mkdir()
    elif how in ("loop", "nowhere"):
        path.symlink_to(path.name if how == "loop" else "/nowhere/at/all")
    elif how == "pipe":
        os.mkfifo(path)


@posix
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    spoiled=st.dictionaries(st.sampled_from(sorted(FILES)), contents, max_size=3),
    named=variables,
    flags=options,
    rest=arguments,
)
def test_whatever_its_inputs_hold_the_command_runs(
    server: subprocess.Popen[str],
    tmp_path_factory: pytest.TempPathFactory,
    spoiled: dict[str, Any],
    named: dict[str, str],
    flags: list[list[str]],
    rest: list[str],
) -> None:
    top = tmp_path_factory.mktemp("case")
    folder = top / "here"
    litellm = top / "litellm"
    litellm.write_text("#!/bin/sh\nexit 7\n", encoding="utf-8")
    litellm.chmod(0o755)
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for name, how in spoiled.items():
        if isinstance(how, tuple):
            how = FILES[name][: how[0]] + how[1] + FILES[name][how[0] :]
        spoil(folder / name, how)
    job = {
        "folder": str(folder),
        "environ": {"PATH": os.environ["PATH"], "ROLLCALL_LITELLM": str(litellm), **named},
        "args": [*(word for flag in flags for word in flag), *rest],
        "log": str(top / "log"),
    }
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(job) + "\n")
    server.stdin.flush()
    code = server.stdout.readline().strip()
    said = (top / "log").read_text("utf-8", "replace")
    assert code == "7", said
    assert "a bug" not in said, said
    shutil.rmtree(top)
