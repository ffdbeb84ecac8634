"""What is shipped: a wheel that holds all the program needs, installed where nothing else is."""

from __future__ import annotations

import email.message
import email.parser
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RELEASE = {
    "GITHUB_SERVER_URL": "https://git.example",
    "GITHUB_REPOSITORY": "team/rollcall",
    "GITHUB_REF_NAME": "v9",
}


def build(source: Path, to: Path, *kinds: str, **environ: str) -> list[Path]:
    """What `make dist` does."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(to), *kinds]
    environment = {name: value for name, value in os.environ.items() if "GITHUB" not in name}
    subprocess.run(
        [*command, str(source)],
        check=True,
        capture_output=True,
        env={**environment, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environ},
    )
    return sorted(to.iterdir())


def metadata(wheel: Path) -> tuple[email.message.Message, str]:
    """What an index reads of a wheel: the fields, and the page."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        found = email.parser.Parser().parsestr(archive.read(name).decode())
    return found, str(found.get_payload())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    (built,) = build(ROOT, tmp_path_factory.mktemp("dist"), "--wheel")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `rollcall` of an environment of its own that has the wheel, and the libraries of ours."""
    folder = tmp_path_factory.mktemp("empty")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    subprocess.run(
        [*command, "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)],
        check=True,
        capture_output=True,
    )
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run(
        [str(python), "-c", ask], check=True, capture_output=True, encoding="utf-8"
    )
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    libraries.append(sysconfig.get_path("purelib"))
    (Path(done.stdout.strip()) / "libraries.pth").write_text("\n".join(libraries), encoding="utf-8")
    return scripts / ("rollcall.exe" if os.name == "nt" else "rollcall")


def run(program: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program."""
    return subprocess.run(
        [str(program), *args],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    python = installed.with_name(installed.name.replace("rollcall", "python"))
    where = "import rollcall; print(rollcall.__file__)"
    found = subprocess.run(
        [str(python), "-c", where], capture_output=True, encoding="utf-8", check=True
    )
    assert str(installed.parents[1]) in found.stdout
    ran = run(installed, tmp_path, "demo")
    assert ran.returncode == 0, ran.stderr


def test_the_shipped_policy_is_in_it(installed: Path, tmp_path: Path) -> None:
    ran = run(installed, tmp_path, "init", "--full")
    assert ran.returncode == 0, ran.stderr
    shipped = (ROOT / "policy.yaml").read_bytes()
    assert (tmp_path / "policy.yaml").read_bytes() == shipped


def test_nothing_but_the_program_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"rollcall"}


class TestOnAnIndexPage:
    def test_without_an_address_no_link_leads_nowhere(self, wheel: Path) -> None:
        found, text = metadata(wheel)
        assert found.get_all("Project-URL") is None
        assert "[LiteLLM](https://docs.litellm.ai)" in text
        assert not re.search(r"\]\((?!https?:)", text)

    def test_a_release_knows_its_address_and_so_does_what_is_built_from_its_archive(
        self, tmp_path: Path
    ) -> None:
        (archive,) = build(ROOT, tmp_path / "dist", "--sdist", **RELEASE)
        with tarfile.open(archive) as packed:
            packed.extractall(tmp_path / "source", filter="data")
        (source,) = (tmp_path / "source").iterdir()
        (wheel,) = build(source, tmp_path / "again", "--wheel")
        found, text = metadata(wheel)
        urls = dict(line.split(", ", 1) for line in found.get_all("Project-URL") or [])
        assert urls["Homepage"] == "https://git.example/team/rollcall"
        assert urls["Changelog"] == "https://git.example/team/rollcall/blob/v9/CHANGELOG.md"
        assert "(https://git.example/team/rollcall/blob/v9/docs/EXISTING.md)" in text
        for name in (".github/actions/regenerate-config/action.yml", "tests/house.py", ".ci/run"):
            assert (source / name).is_file(), name
