"""On Windows a killed parent leaves its children running: `start` takes what it started with it,
a restart command does not.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.platforms import only_on_windows

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = only_on_windows("job objects")

ON_THE_LINE = """\
import socket, sys
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
line.sendall(b"here")
line.recv(1)
"""
"""Lives until the other end says that it may go."""

BESIDE = str(Path(sys.executable).with_name("rollcall.exe"))


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(300)
        yield listening


@pytest.fixture
def child(tmp_path: Path) -> Path:
    path = tmp_path / "on the line.py"
    path.write_text(ON_THE_LINE, encoding="utf-8")
    return path


def lives(line: socket.socket) -> bool:
    """Whether the process at the other end still holds it, two seconds after we asked."""
    line.settimeout(2)
    try:
        return line.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionError:
        return False


@pytest.mark.parametrize("rollcall", [[sys.executable, "-m", "rollcall"], [BESIDE]])
def test_a_killed_start_takes_what_it_started_with_it(
    rollcall: list[str], server: socket.socket, child: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text("model_list: []\n", encoding="utf-8")
    port = str(server.getsockname()[1])
    with subprocess.Popen(
        [*rollcall, "start", "--", sys.executable, str(child), port],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    ) as start:
        line, _ = server.accept()
        with line:
            assert line.recv(4) == b"here"
            start.kill()
            line.settimeout(300)
            try:
                said = line.recv(1)
            except ConnectionError:
                said = b""
            assert said == b""


@pytest.mark.parametrize("proved", ["", "end_together();"])
def test_what_a_restart_command_starts_outlives_us(
    proved: str, server: socket.socket, child: Path, tmp_path: Path
) -> None:
    """Also where a proxy was proved before, which ended with us."""
    starter = tmp_path / "restart.py"
    starter.write_text(
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, *sys.argv[1:]], creationflags=0x00000008)\n",  # detached
        encoding="utf-8",
    )
    command = subprocess.list2cmdline(
        [sys.executable, str(starter), str(child), str(server.getsockname()[1])]
    )
    script = (
        "from rollcall.cli.around_writing import run_on_change;"
        "from rollcall.launch.windows import end_together;"
        f"{proved} run_on_change({command!r})"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as run:
        line, _ = server.accept()
        with line:
            assert line.recv(4) == b"here"
            assert run.wait(60) == 0
            assert lives(line)
            line.sendall(b"!")
