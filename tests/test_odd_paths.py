"""Paths people type by mistake or malice: two lines at worst, whichever option has them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.house import House

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator

ROOT = os.path.abspath(os.sep)  # noqa: PTH100
PATHS = {
    "too long a name": "x" * 300,
    "too deep": "/".join("d" * 200 for _ in range(30)),
    "a folder": ".",
    "below a file": "config.yaml/x",
    "no such folder": "no/such/folder/x",
    "a line break": "a\nb/c",
    "a surrogate": "a\udc80b",
    "no such home": "~nobody-of-that-name/x",
    "a NUL": "a\0b",
    "no name": ROOT,
    "a store": "s3://",
}
if sys.platform == "win32":
    PATHS |= {"a device": "NUL", "a device with an ending": "con.yaml", "no drive": "Q:\\x\\y"}
    PATHS |= {"odd characters": "a<b>|?*.yaml", "a stream": "config.yaml:x:$DATA:y"}
    PATHS |= {
        "no share": "\\\\nowhere\\share\\x",
        "a verbatim one": "\\\\?\\Q:\\x",
        "a port": "COM1",
    }
else:
    PATHS |= {"nothing": "/dev/null", "full": "/dev/full", "endless": "/dev/zero"}
    PATHS |= {"a circle": "loop", "a dangling link": "dangling", "memory": "/proc/self/mem"}
    PATHS |= {"below a circle": "loop/x"}

COMMANDS = [
    *(f"{command} -c PATH" for command in ("plan", "apply", "rollback", "rollback --list")),
    *(f"{command} -c PATH" for command in ("models", "explain x", "adopt", "eject")),
    *(f"{command} -p PATH" for command in ("plan", "apply", "pick --clear", "pick --model x")),
    *(f"{command} --state-dir PATH" for command in ("plan", "apply", "models", "status")),
    *(f"{command} --state-dir PATH" for command in ("rollback", "rollback --list", "adopt")),
    "plan --out PATH",
    "plan --markdown-out PATH",
    "roles -f PATH",
    "facts update http://127.0.0.1:9/x --to PATH",
    "rollback PATH",
    "apply --write-to PATH",
    "apply PATH",
    "init -p PATH --overwrite",
    "init -c PATH -p new.yaml",
    "status -c PATH",
    "doctor -c PATH",
    "doctor -p PATH",
    "doctor --state-dir PATH",
    "smoke -c PATH",
]


@pytest.fixture
def house(tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> House:
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy("allow:\n  - {family: glm, from: [openrouter], newest: 1}\n", "openrouter")
    if sys.platform != "win32":
        (tmp_path / "loop").symlink_to("loop")
        (tmp_path / "dangling").symlink_to("gone")
    return house


@pytest.mark.parametrize("name", PATHS)
def test_an_odd_path_ends_in_two_lines_at_worst(house: House, name: str) -> None:
    kept = (house.config.read_bytes(), house.policy.read_bytes())
    named = house.folder / PATHS[name].replace("\0", "")
    is_new = not os.path.lexists(named)
    for command in COMMANDS:
        if PATHS[name] == ROOT and "--state-dir" in command and os.access(ROOT, os.W_OK):
            continue  # root's run would leave its backups there, for every later one to find
        if is_new and os.path.isfile(named):  # noqa: PTH113 - what the command before wrote
            named.unlink()
        args = [PATHS[name] if word == "PATH" else word for word in command.split()]
        ran = house.run(*args)
        assert ran.code in (0, 1, 2, 5), (command, ran.err[-600:])
        findings = command.startswith(("doctor", "status", "smoke"))
        if ran.code == 1 and not findings:
            lines = ran.err.replace(PATHS[name], "").splitlines()
            if lines[0].endswith(" is not there: apply would make it."):  # a note, before them
                del lines[0]
            assert len(lines) == 2, (command, ran.err)
            assert lines[0].startswith("rollcall: "), (command, ran.err)
    assert house.policy.read_bytes() == kept[1]
    assert os.path.exists(house.config)  # noqa: PTH110
