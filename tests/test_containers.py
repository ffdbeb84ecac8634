"""The container examples: linted, and their steps run without Docker as far as that goes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from rollcall.launch.find import KNOWN_BAD
from tests.gateway import Gateway, Reply
from tests.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulator.simulator import Simulator

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / "examples" / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
POD = yaml.safe_load(
    (ROOT / "examples" / "kubernetes" / "init-container.yaml").read_text(encoding="utf-8")
)["spec"]["template"]["spec"]
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent))

on_linux = pytest.mark.skipif(os.name == "nt", reason="Windows: the containers are Linux")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, in order."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    whole = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in whole.split("\n"))]


def of(word: str) -> list[str]:
    """What one kind of instruction says."""
    return [rest for name, rest in instructions() if name == word]


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed")
def test_hadolint_finds_nothing() -> None:
    assert HADOLINT is not None
    done = subprocess.run(
        [HADOLINT, str(DOCKER / "Dockerfile")], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_compose_file_fits_its_schema() -> None:
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*schema, str(DOCKER / "compose.yaml")], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_copied_is_in_the_build_context() -> None:
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = {source for rest in of("COPY") for source in rest.split()[:-1]}
    assert copied == let_in
    assert all((ROOT / source).exists() for source in copied)


def test_litellm_is_pinned_and_not_to_a_release_that_steals_keys() -> None:
    (version,) = (rest.partition("=v")[2] for rest in of("ARG") if rest.startswith("LITELLM_VER"))
    assert re.fullmatch(r"\d+(\.\d+)+", version)
    assert version not in KNOWN_BAD
    assert of("FROM") == ["ghcr.io/berriai/litellm:${LITELLM_VERSION}"]


@dataclass(frozen=True, slots=True)
class Container:
    """A folder that stands for a container's file system, with LiteLLM's image in it.

    Paths of commands are moved below it; `litellm` writes down how it was called.
    """

    root: Path

    PATHS = ("/etc/litellm", "/config", "/opt/rollcall", "/usr/local/bin", "/tmp/rollcall")

    def inside(self, text: str) -> str:
        """The same text with the container's paths moved below the folder."""
        pattern = "|".join(rf"(?<![\w.]){re.escape(path)}(?![\w-])" for path in self.PATHS)
        return re.sub(pattern, lambda found: f"{self.root}{found[0]}", text)

    def path(self, name: str) -> Path:
        """A path of the container."""
        return self.root / name.lstrip("/")

    def furnish(self) -> None:
        """What LiteLLM's image has: Python and litellm on PATH, its entry point in /app."""
        for folder in ("usr/local/bin", "app/docker", "app/.venv/bin", "tmp", "config", "opt"):
            self.path(folder).mkdir(parents=True)
        self.path("app/.venv/bin/python").symlink_to(sys.executable)
        entry = self.path("app/docker/prod_entrypoint.sh")
        entry.write_text('#!/bin/sh\nexec litellm "$@"\n', encoding="utf-8")
        litellm = self.path("app/.venv/bin/litellm")
        litellm.write_text(
            f'#!/bin/sh\necho "litellm $*"; cat "$2" >{self.path("served")}\n', encoding="utf-8"
        )
        for path in (entry, litellm):
            path.chmod(0o755)

    def run(self, words: Sequence[str], **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the container would, in LiteLLM's folder."""
        moved = [self.inside(word) for word in words]
        path = os.pathsep.join(
            [str(self.path("app/.venv/bin")), str(self.path("usr/local/bin")), "/usr/bin", "/bin"]
        )
        found = shutil.which(moved[0], path=path) or moved[0]
        environment = {"PATH": path, "HOME": str(self.root), **environ}
        return subprocess.run(
            [found, *moved[1:]],
            cwd=self.path("app"),
            env={name: self.inside(value) for name, value in environment.items()},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )


PIP = """
import json, os, pathlib, shutil, subprocess, sys
args = sys.argv[1:]
site = next(pathlib.Path(sys.prefix).glob("lib/python*/site-packages"))
if "--require-hashes" in args:
    assert pathlib.Path(args[-1]).is_file()
    (site / "libraries.pth").write_text(os.environ["LIBRARIES"])
else:
    source = args[-1]
    build = [os.environ["BUILDER"], "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(build, cwd=source, check=True)
    (wheel,) = pathlib.Path(source, "dist").glob("*.whl")
    shutil.unpack_archive(wheel, site, "zip")
    script = pathlib.Path(sys.prefix, "bin", "rollcall")
    script.write_text(f"#!{sys.executable}\\nfrom rollcall.__main__ import main\\nmain()\\n")
    script.chmod(0o755)
with open(os.environ["CALLS"], "a") as log:
    print(json.dumps(args), file=log)
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Container:
    """The Dockerfile's steps, done: COPY and RUN as they stand, but for what pip downloads."""
    made = Container(tmp_path_factory.mktemp("image"))
    made.furnish()
    pip = made.path("stand-ins/pip")
    pip.mkdir(parents=True)
    (pip / "__init__.py").touch()
    (pip / "__main__.py").write_text(PIP, encoding="utf-8")
    for word, rest in instructions():
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                place = made.path(target) / ("" if not target.endswith("/") else Path(source).name)
                place.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, dirs_exist_ok=True)
                else:
                    shutil.copy(ROOT / source, place)
        elif word == "RUN":
            libraries = [path for path in sys.path if path.endswith("site-packages")]
            done = made.run(
                ["sh", "-euc", rest],
                PYTHONPATH=str(pip.parent),
                LIBRARIES="\n".join(libraries),
                BUILDER=sys.executable,
                CALLS=str(made.path("pip.json")),
            )
            assert done.returncode == 0, done.stdout + done.stderr
    return made


@on_linux
class TestTheImage:
    def test_dependencies_come_by_hash_and_rollcall_without_any(self, image: Container) -> None:
        lines = image.path("pip.json").read_text(encoding="utf-8").splitlines()
        pinned, own = (json.loads(line) for line in lines)
        assert {"--require-hashes", "--only-binary"} <= set(pinned)
        assert {"--no-deps", "--no-build-isolation"} <= set(own)

    def test_rollcall_is_in_an_environment_of_its_own_and_on_path(self, image: Container) -> None:
        assert image.run(["rollcall", "--version"]).returncode == 0
        assert image.path("usr/local/bin/rollcall").resolve().is_relative_to(image.path("opt"))
        assert not image.path("tmp/rollcall").exists()

    def test_a_container_starts_litellm_on_the_config(self, image: Container) -> None:
        image.path("config/config.yaml").write_text("model_list: []\n", encoding="utf-8")
        (entry,), (command,) = of("ENTRYPOINT"), of("CMD")
        environ = dict(rest.split("=", 1) for rest in of("ENV"))
        done = image.run([*json.loads(entry), *json.loads(command)], **environ)
        config = image.path("config/config.yaml")
        assert done.stdout == f"litellm --port 4000 --config {config}\n", done.stderr


class Day:
    """The folders of one deployment: the source of truth, and what LiteLLM starts on."""

    def __init__(self, image: Container, sim: Simulator) -> None:
        self.image, self.sim = image, sim
        for name in ("etc/litellm", "config", "served"):
            shutil.rmtree(image.path(name), ignore_errors=True)
        shutil.copytree(DOCKER / "litellm", image.path("etc/litellm"))
        image.path("config").mkdir()
        policy = yaml.safe_load((DOCKER / "litellm" / "policy.yaml").read_text(encoding="utf-8"))
        policy["providers"] = sim.provider_policy(*policy["providers"])
        policy["defaults"] = {"timeout": "30s", "deadline": "60s"}
        image.path("etc/litellm/policy.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")

    def asks(self) -> subprocess.CompletedProcess[str]:
        """The compose file's first service."""
        service = COMPOSE["services"]["config"]
        words = [*service["entrypoint"], *service["command"]]
        keys = self.sim.environ("anthropic", "openrouter")
        return self.image.run(
            words, LITELLM_MASTER_KEY="sk-m-0123456789", **keys, **service["environment"]
        )

    def written(self) -> Path:
        """What LiteLLM is to start on."""
        return self.image.path("config/config.yaml")


@pytest.fixture
def day(image: Container, sim: Simulator) -> Day:
    return Day(image, sim)


@on_linux
class TestTheInitContainer:
    def test_it_writes_a_copy_and_leaves_the_source_alone(self, day: Day) -> None:
        source = day.image.path("etc/litellm")
        before = {path: path.read_bytes() for path in source.glob("*.yaml")}
        done = day.asks()
        assert done.returncode == 0, done.stderr
        assert "claude-sonnet-5" in day.written().read_text(encoding="utf-8")
        assert {path: path.read_bytes() for path in source.glob("*.yaml")} == before

    def test_an_outage_at_the_first_start_is_a_copy_of_the_source(self, day: Day) -> None:
        for name in ("anthropic", "openrouter"):
            day.sim.fault(name, Fault.SERVER_ERROR)
        done = day.asks()
        assert done.returncode == 0, done.stderr
        assert day.written().read_bytes() == (DOCKER / "litellm" / "config.yaml").read_bytes()
        assert done.stderr

    def test_an_outage_later_keeps_what_was_written(self, day: Day) -> None:
        day.asks()
        before = day.written().read_bytes()
        for name in ("anthropic", "openrouter"):
            day.sim.fault(name, Fault.SERVER_ERROR)
        assert day.asks().returncode == 0
        assert day.written().read_bytes() == before

    def test_a_config_nothing_can_start_on_ends_it(self, day: Day) -> None:
        day.image.path("etc/litellm/config.yaml").write_text("model_list: [\n", encoding="utf-8")
        done = day.asks()
        assert done.returncode == 1
        assert not day.written().exists()

    def test_litellm_waits_for_it_and_only_reads(self) -> None:
        service = COMPOSE["services"]["litellm"]
        assert service["depends_on"]["config"]["condition"] == "service_completed_successfully"
        mounts = [*COMPOSE["services"]["config"]["volumes"][:1], *service["volumes"]]
        assert mounts == ["./litellm:/etc/litellm:ro", "config:/config:ro"]

    def test_the_pod_runs_the_same_command(self) -> None:
        first, second = POD["initContainers"][0], POD["containers"][0]
        service = COMPOSE["services"]["config"]
        assert first["command"] + first["args"] == service["entrypoint"] + service["command"]
        assert {row["name"]: row["value"] for row in first["env"]} == service["environment"]
        assert second["args"] == json.loads(of("CMD")[0])

    @pytest.mark.parametrize(("status", "well"), [(200, True), (503, False), (None, False)])
    def test_the_health_check_says_whether_litellm_answers(
        self, image: Container, status: int | None, *, well: bool
    ) -> None:
        kind, *test = COMPOSE["services"]["litellm"]["healthcheck"]["test"]
        assert kind == "CMD"
        with Gateway(lambda _: Reply("I'm alive!", status or 0)) as proxy:
            there = proxy.root if status else "http://127.0.0.1:1"
            done = image.run([word.replace("http://127.0.0.1:4000", there) for word in test])
        assert (done.returncode == 0) is well, done.stderr
        assert [one.path for one in proxy.asked] == ["/health/liveliness"] * bool(status)
