"""What is shipped: a wheel that holds all the program needs, and runs from nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked: as pip would lay it into site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(unpacked: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the unpacked program, with the libraries of this environment only."""
    return subprocess.run(
        [sys.executable, "-m", "rollcall", *args],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(unpacked), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_the_demo_runs_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    where = "import rollcall; print(rollcall.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where],
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(unpacked) in found.stdout
    ran = run(unpacked, tmp_path, "demo")
    assert ran.returncode == 0, ran.stderr


def test_the_shipped_policy_is_in_it(unpacked: Path, tmp_path: Path) -> None:
    ran = run(unpacked, tmp_path, "init", "--full")
    assert ran.returncode == 0, ran.stderr
    shipped = (ROOT / "policy.yaml").read_bytes()
    assert (tmp_path / "policy.yaml").read_bytes() == shipped


def test_nothing_but_the_program_is_in_it(unpacked: Path) -> None:
    tops = {path.name for path in unpacked.iterdir()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"rollcall"}
