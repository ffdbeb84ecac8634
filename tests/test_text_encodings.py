"""Every text that this project reads or writes says in which encoding, and with which line ends.

What does not would be read in the code page of the machine: on Windows, another one than elsewhere.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src", "tests", "examples", "benchmarks")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
RUNS = {"run", "Popen", "check_output", "check_call", "call", "create_subprocess_exec"}
WRITES = {"write_text", "NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile", "fdopen"}


def name_of(call: ast.Call) -> str:
    """The last part of what is called."""
    function = call.func
    return getattr(function, "attr", "") or getattr(function, "id", "")


def says(call: ast.Call, word: str) -> ast.expr | None:
    """The value of a keyword."""
    return next((one.value for one in call.keywords if one.arg == word), None)


def mode_of(call: ast.Call, place: int, default: str) -> str | None:
    """The mode of an `open`; None where only the program knows it."""
    given = says(call, "mode") or (call.args[place] if len(call.args) > place else None)
    if given is None:
        return default
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else None


def lacks(call: ast.Call) -> list[str]:
    """Which keywords a call should have and has not."""
    name, is_method = name_of(call), isinstance(call.func, ast.Attribute)
    owner = getattr(getattr(call.func, "value", None), "id", "")
    if any(one.arg is None for one in call.keywords):  # **given
        return []
    if name == "read_text":
        return [] if says(call, "encoding") or call.args else ["encoding"]
    if name == "write_text":
        named = says(call, "encoding") or len(call.args) > 1
        return [*([] if named else ["encoding"]), *([] if says(call, "newline") else ["newline"])]
    if name in RUNS and owner != "asyncio":
        is_text = says(call, "text") or says(call, "universal_newlines")
        return ["encoding"] if is_text and not says(call, "encoding") else []
    if name in WRITES - {"write_text"}:
        mode = mode_of(call, 1 if name == "fdopen" else 0, "r" if name == "fdopen" else "w+b")
    elif name == "open" and owner not in {
        "os",
        "webbrowser",
        "Image",
        "tarfile",
        "zipfile",
        "gzip",
    }:
        mode = mode_of(call, 0 if is_method else 1, "r")
    else:
        return []
    if mode is None or "b" in mode:
        return []
    wanted = ["encoding", *(["newline"] if set(mode) & set("wax+") else [])]
    return [word for word in wanted if not says(call, word)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_says_its_encoding_and_ours_its_line_ends(folder: str) -> None:
    """Files of tests may have the line ends of their system: nobody compares their bytes there."""
    found = []
    for path in FILES:
        if path.relative_to(ROOT).parts[0] != folder:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                words = [word for word in lacks(node) if folder != "tests" or word != "newline"]
                found += [f"{path.relative_to(ROOT)}:{node.lineno}: {word}" for word in words]
    assert not found


def test_the_check_sees_what_it_is_for() -> None:
    lines = {
        "p.read_text()": ["encoding"],
        "p.write_text(x)": ["encoding", "newline"],
        "p.write_text(x, encoding='utf-8', newline='')": [],
        "open(p)": ["encoding"],
        "p.open('w')": ["encoding", "newline"],
        "open(p, 'rb')": [],
        "os.fdopen(d, 'w')": ["encoding", "newline"],
        "subprocess.run(x, text=True)": ["encoding"],
        "subprocess.run(x, text=True, encoding='utf-8')": [],
        "os.open(p, 0)": [],
    }
    for line, wanted in lines.items():
        call = ast.parse(line, mode="eval").body
        assert isinstance(call, ast.Call)
        assert lacks(call) == wanted, line
