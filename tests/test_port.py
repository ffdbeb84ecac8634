"""The port litellm will ask for: who holds it is said, and the start goes on all the same."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollcall.launch.port import _cannot_bind, port_taken
from tests.house import House
from tests.stand_in import StandIns


@pytest.fixture
def held() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_who_holds_it_is_told(held: int) -> None:
    taken = port_taken(["--port", str(held)], {})
    assert taken is not None
    assert f"Port {held}, which litellm will ask for, is taken" in taken.what
    if sys.platform in ("linux", "win32"):
        assert f"python{'.exe' if os.name == 'nt' else ''}" in taken.what
        assert f"(process {os.getpid()})" in taken.what
    assert "LiteLLM will not start there" in taken.fix
    assert port_taken((), {"PORT": str(held)}) == taken._replace(named_by="PORT")


def test_a_server_on_every_address_holds_it_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        assert port_taken([f"--port={port}"], {}) is not None
        if sys.platform != "win32":  # which lets two programs have one address
            assert _cannot_bind("127.0.0.1", port) or _cannot_bind("0.0.0.0", port)
    assert port_taken([f"--port={port}"], {}) is None
    assert not _cannot_bind("127.0.0.1", port)


def test_from_the_default_port_litellm_moves_on(held: int) -> None:
    taken = port_taken((), {"PORT": str(held)})
    assert taken is not None
    assert "random port" in taken._replace(port=4000).fix


def test_start_says_so_and_hands_over(tmp_path: Path, held: int) -> None:
    (tmp_path / "config.yaml").write_text("model_list: []\n", encoding="utf-8")
    stand_ins = StandIns(tmp_path / "bin", tmp_path / "starts.jsonl")
    litellm = stand_ins.add("litellm", exit_code=7)
    command = [sys.executable, "-m", "rollcall", "start", "--litellm", str(litellm)]
    done = subprocess.run(
        [*command, "--", f"--port={held}"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 7
    [start] = stand_ins.starts()
    assert start.argv[-1] == f"--port={held}"
    said = done.stderr.splitlines()
    place = next(number for number, line in enumerate(said) if f"Port {held}" in line)
    assert "give litellm another --port" in said[place + 1]


def test_doctor_says_so(house: House, held: int) -> None:
    house.monkeypatch.setenv("PORT", str(held))
    said = f"Port {held} (from PORT), which litellm will ask for, is taken"
    assert said in " ".join(house.run("doctor").out.split())
