"""Every command that takes `-c` on every kind of address: an object, a ConfigMap."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest
import yaml

pytest.importorskip("obstore", reason="the extra `fleet` is not installed")
pytest.importorskip("kubernetes", reason="the extra `fleet` is not installed")

from rollcall.inspect.inventory import read_inventory
from rollcall.service import ServeOptions
from rollcall.service.app import create_app
from rollcall.service.inventory_source import STORE_LOOK_SECONDS, files_stamp
from rollcall.settings import Settings, resolve
from rollcall.store.remote import Home, home_of
from tests import smoke_server
from tests.house import OWN, House
from tests.service.serving import serving
from tests.stores import STORES

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator

POLICY = (
    "allow:\n  - {family: glm, from: [openrouter], newest: 1}\naliases: {default: {family: glm}}\n"
)
MINE = OWN.replace("ollama/llama3.3", "openrouter/z-ai/glm-5.2").replace(
    "sk-my-own-secret-1234567890", "os.environ/OPENROUTER_API_KEY"
)
PLACES = ("moto", "azure", "google", "configmap")


class Place(NamedTuple):
    """An address, and the variables that lead there."""

    address: str
    environ: dict[str, str]


@pytest.fixture(scope="module", params=PLACES)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with STORES[request.param](tmp_path_factory.mktemp("place")) as bucket:
        yield Place(bucket.address("team"), bucket.environ)


@pytest.fixture
def fleet(tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch, place: Place) -> House:
    """A machine whose config lies in a store; no file of that name here."""
    house = House(tmp_path, sim, monkeypatch)
    house.config.unlink()
    house.write_policy(POLICY, "openrouter")
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ROLLCALL_CONFIG", place.address)
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    put(home(house, place), MINE)
    return house


def settings_of(house: House, place: Place) -> Settings:
    return resolve(config=Path(place.address))


def home(house: House, place: Place) -> Home:
    return home_of(settings_of(house, place))


def put(there: Home, text: str) -> None:
    """Somebody's hand: whatever is there."""
    held = there.read()
    there.write(text.encode(), held.version if held else None)


def text_of(there: Home) -> str:
    held = there.read()
    assert held is not None
    return held.content.decode()


def test_plan_apply_status_doctor_explain_models_rollback(fleet: House, place: Place) -> None:
    there = home(fleet, place)
    assert fleet.run("plan", "--check").code == 4
    assert fleet.run("plan", "--out", "saved.json").code == 0
    applied = fleet.run("apply", "saved.json")
    assert applied.code == 0, applied.text
    assert place.address in applied.out
    written = text_of(there)
    assert "managed_by" in written
    assert fleet.run("plan", "--check").code == 0
    version = there.read()
    assert version is not None
    told = f"{place.address}, version {version.version.strip()}, last written by ada on"
    assert told in fleet.run("status").out
    assert told in fleet.run("doctor").out
    assert "hand-written" in fleet.run("explain", "my-local-model").out
    assert fleet.run("explain", "openrouter/z-ai/glm-5.2").code == 0
    (row,) = [r for r in fleet.run("models", "--json").json() if "default" in r["aliases"]]
    assert row["in_config"]
    assert "000001-" in fleet.run("rollback", "--list").out
    back = fleet.run("rollback", "1")
    assert back.code == 0
    assert place.address in back.out
    assert text_of(there) == MINE
    put(there, f"# by hand\n{MINE}")
    assert "changed since ada on" in fleet.run("status").out
    assert "changed since ada on" in fleet.run("doctor").out


def test_adopt_and_eject(fleet: House, place: Place) -> None:
    there = home(fleet, place)
    entry = {"model_name": "glm", "litellm_params": {"model": "openrouter/z-ai/glm-5.2"}}
    put(there, yaml.safe_dump({"model_list": [entry]}))
    fleet.write_policy(POLICY.replace("newest: 1", "newest: 1, name: glm"), "openrouter")
    shown = fleet.run("adopt")
    assert shown.code == 0, shown.text
    assert "managed_by" not in text_of(there)
    adopted = fleet.run("adopt", "--yes")
    assert adopted.code == 0, adopted.text
    assert f"{place.address}: 1 adopted" in adopted.out, adopted.text
    assert "managed_by" in text_of(there)
    ejected = fleet.run("eject")
    assert ejected.code == 0, ejected.text
    assert place.address in ejected.out
    assert "managed_by" not in text_of(there)


def test_smoke(fleet: House, place: Place) -> None:
    fleet.applied()
    fleet.monkeypatch.setenv("LITELLM_MASTER_KEY", smoke_server.KEY)
    names = ["openrouter/z-ai/glm-5.2", "my-local-model"]
    proxy = smoke_server.FakeProxy([*names, "default"])
    with smoke_server.serving(proxy) as url:
        ran = fleet.run("smoke", url)
        assert ran.code == 0, ran.text
        assert [body["model"] for _, body in proxy.asked] == ["default"]
        proxy.listed.remove("my-local-model")
        assert fleet.run("smoke", url).code == 1


def test_start(fleet: House, place: Place) -> None:
    show = "import os; print(open(os.environ['ROLLCALL_CONFIG'], encoding='utf-8').read())"
    command = [sys.executable, "-m", "rollcall", "start", "--discover"]
    ran = subprocess.run(
        [*command, "--", sys.executable, "-c", show],
        cwd=fleet.folder, capture_output=True, encoding="utf-8", check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == text_of(home(fleet, place)).strip()
    assert "managed_by" in ran.stdout


def test_serve(fleet: House, place: Place) -> None:
    """LiteLLM is down: the list is that of the config in the store, and of none beside us."""
    fleet.monkeypatch.setenv("ROLLCALL_API_TOKENS", "a-token-12")
    settings = settings_of(fleet, place)
    options = ServeOptions(settings=settings, upstream="http://127.0.0.1:9")
    headers = {"authorization": "Bearer a-token-12"}

    def served() -> set[str]:
        app = create_app(options, inventory=lambda: read_inventory(settings))
        with serving(app) as url, httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            reply = client.get("/v1/models")
        assert reply.headers["x-rollcall-source"] == "config", reply.text
        return {row["id"] for row in reply.json()["data"]}

    assert served() == {"my-local-model"}
    fleet.applied()
    assert served() == {"my-local-model", "openrouter/z-ai/glm-5.2", "default"}


def test_serve_looks_into_a_store_now_and_then(tmp_path: Path, fleet: House, place: Place) -> None:
    settings = settings_of(fleet, place)
    seconds = iter((0.0, STORE_LOOK_SECONDS - 1, STORE_LOOK_SECONDS))
    stamps = [files_stamp(settings, lambda: next(seconds)) for _ in range(3)]
    assert stamps[0] == stamps[1] != stamps[2]


def test_doctor_knows_that_litellm_reads_the_bucket_itself(fleet: House, place: Place) -> None:
    kind, _, rest = place.address.partition("://")
    if kind not in ("s3", "gs"):
        pytest.skip("LiteLLM reads S3 and Google alone")
    bucket, _, key = rest.partition("/")
    fleet.monkeypatch.setenv("LITELLM_CONFIG_BUCKET_NAME", bucket)
    fleet.monkeypatch.setenv("LITELLM_CONFIG_BUCKET_OBJECT_KEY", key)
    fleet.monkeypatch.setenv("LITELLM_CONFIG_BUCKET_TYPE", "gcs" if kind == "gs" else "s3")
    assert "LiteLLM reads" not in fleet.run("doctor").text
    fleet.monkeypatch.setenv("LITELLM_CONFIG_BUCKET_OBJECT_KEY", "another.yaml")
    said = f"LiteLLM reads {kind}://{bucket}/another.yaml, not {place.address}"
    assert said in fleet.run("doctor").text
