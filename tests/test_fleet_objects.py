"""A config in an object store: real servers on loopback, many writers, failures at every step."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

pytest.importorskip("obstore", reason="the extra `fleet` is not installed")

from rollcall.errors import LostRace, StoreError
from rollcall.store.object_home import ObjectHome
from rollcall.store.remote import RemoteStore
from rollcall.store.state import ProviderState, State
from tests.house import OWN, House
from tests.stores import STORES, Bucket, before

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator

POLICY = "allow:\n  - {family: glm, from: [openrouter], newest: 1}\n"
NOON = "2026-11-20T12:00:00Z"
KEYS = itertools.count()


@pytest.fixture(scope="module", params=STORES)
def bucket(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bucket]:
    """A bucket on each of the servers."""
    with STORES[request.param](tmp_path_factory.mktemp("store")) as made:
        yield made


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket on one of them."""
    with STORES["moto"](tmp_path_factory.mktemp("store")) as made:
        yield made


@pytest.fixture
def address(bucket: Bucket) -> str:
    """Of a config that nobody has written."""
    return f"{bucket.url}/team {next(KEYS)}/config.yaml"


def home_at(bucket: Bucket, address: str) -> ObjectHome:
    return ObjectHome.at(address, bucket.environ)


def store_at(bucket: Bucket, address: str, folder: Path) -> RemoteStore:
    """What one machine of several has."""
    return RemoteStore(folder / "config.yaml", folder, home=home_at(bucket, address))


def write(store: RemoteStore, content: bytes) -> str | None:
    """Read and write; the backup's id."""
    before = store.read_config()
    return store.write_config(content, expected=before, created=NOON, reason="a test").backup_id


@pytest.fixture
def fleet(
    tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch, bucket: Bucket, address: str
) -> House:
    """A machine with a policy and no config of its own."""
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy(POLICY, "openrouter")
    for name, value in bucket.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ROLLCALL_CONFIG", address)
    home_at(bucket, address).write(OWN.encode(), None)
    return house


def test_the_whole_life_of_a_config_in_a_store(fleet: House, bucket: Bucket, address: str) -> None:
    home = home_at(bucket, address)
    plan = fleet.run("plan", "--json").json()
    assert plan["changed"]
    assert plan["config_version"].strip()
    assert fleet.run("plan", "--out", "plan.json").code == 0
    applied = fleet.applied()
    assert address in applied.text
    first = home.read()
    assert first is not None
    assert yaml.safe_load(first.content)["model_list"][0]["model_name"] == "my-local-model"
    assert fleet.run("apply", "plan.json").code == 1, "it was made from another version"
    assert "Nothing to change" in fleet.run("apply").out
    assert home.read() == first
    status = fleet.run("status")
    assert address in status.out
    assert "last written by" in status.out
    assert fleet.run("explain", "my-local-model").code == 0
    assert fleet.run("models", "--json").json()
    assert fleet.run("doctor").code in (0, 1)
    assert fleet.run("rollback", "--list").code == 0
    assert fleet.run("rollback", "000001").code == 0
    assert (home.read() or first).content == OWN.encode()
    kept = b"".join((home.shelf.get(name) or first).content for name in home.shelf.names())
    assert not any(key.encode() in kept for key in fleet.sim.environ().values())
    assert fleet.config.read_text(encoding="utf-8") == OWN, "the file beside us is not meant"


def test_machines_share_one_memory(fleet: House, bucket: Bucket, address: str) -> None:
    assert fleet.run("apply", "--accept", "a-dear-one").code == 0
    shelf = home_at(bucket, address).shelf
    assert {"state.json", "fresh.json"} <= set(shelf.names())
    held = shelf.get("state.json")
    assert held is not None
    assert State.from_bytes(held.content).accepted == ["a-dear-one"]


def test_runs_without_effect_write_nothing(fleet: House, bucket: Bucket, address: str) -> None:
    fleet.applied()
    home = home_at(bucket, address)
    names = home.shelf.names()
    kept = [home.read(), *(home.shelf.get(name) for name in names)]
    for _ in range(5):
        fleet.applied()
    assert home.shelf.names() == names
    assert [home.read(), *(home.shelf.get(name) for name in names)] == kept


def test_of_sixteen_writers_one_wins_ten_times(
    bucket: Bucket, address: str, tmp_path: Path
) -> None:
    text = b"count: 0\n"
    write(store_at(bucket, address, tmp_path), text)
    for turn in range(10):
        stores = [store_at(bucket, address, tmp_path / str(n)) for n in range(16)]
        for store in stores:
            assert store.read_config() == text
            store._checked.append(True)

        def race(pair: tuple[int, RemoteStore], turn: int = turn, text: bytes = text) -> bytes:
            new = b"count: %d, by %d\n" % (turn + 1, pair[0])
            try:
                pair[1].write_config(new, expected=text, created=NOON, reason="race")
            except LostRace:
                return b""
            return new

        with ThreadPoolExecutor(16) as pool:
            won = [new for new in pool.map(race, enumerate(stores)) if new]
        assert len(won) == 1
        [text] = won
        assert stores[0].read_config() == text
    final = store_at(bucket, address, tmp_path)
    kept = [final.read_backup(backup.id) for backup in final.backups()]
    assert [row.split(b",")[0].strip() for row in kept] == [
        b"count: %d" % n for n in range(9, -1, -1)
    ]


def test_a_lost_race_plans_again_on_what_is_there(
    fleet: House, bucket: Bucket, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody adds an entry of theirs while we ask the providers."""
    home, writing = home_at(bucket, address), ObjectHome.write
    theirs = OWN.replace("# mine", "# mine, and theirs").encode()
    times: list[int] = []

    def late(self: ObjectHome, content: bytes, version: str | None) -> str:
        if not times:
            times.append(1)
            held = home.read()
            assert held is not None
            writing(home, theirs, held.version)
        return writing(self, content, version)

    monkeypatch.setattr(ObjectHome, "write", late)
    fleet.applied()
    held = home.read()
    assert held is not None
    assert held.content.startswith(b"# mine, and theirs")
    assert b"managed_by" in held.content


class Steps:
    """A home of which the N-th request, and all after it, fail."""

    def __init__(self, home: Any, at: int, fail: Callable[[], None]) -> None:
        self.home, self.at, self.count, self.fail = home, at, 0, fail

    def __getattr__(self, name: str) -> Any:
        if name == "shelf":
            return Steps(self.home.shelf, 0, self.step)
        found = getattr(self.home, name)
        if name in ("address", "prefix"):
            return found

        def counted(*args: Any) -> Any:
            if self.at == 0:
                self.fail()
            else:
                self.step()
            return found(*args)

        return counted

    def step(self) -> None:
        self.count += 1
        if self.count >= self.at:
            self.fail()


def gone() -> None:
    raise StoreError("The store cannot be reached.", "Check the network.")


def attempt(store: RemoteStore) -> tuple[str, tuple[str, ...]]:
    """A run that writes: its error, if it ended in one, and its notes."""
    try:
        write(store, b"second\n")
        return "", store.write_state(State(last_run=NOON))
    except StoreError as error:
        return str(error), ()


def test_a_store_that_goes_away_at_any_step_keeps_a_whole_config(
    s3: Bucket, tmp_path: Path
) -> None:
    for step in itertools.count(1):
        address = f"{s3.url}/gone-{step}/config.yaml"
        write(store_at(s3, address, tmp_path), b"first\n")
        steps = Steps(home_at(s3, address), step, gone)
        store = RemoteStore(tmp_path / "config.yaml", tmp_path, home=steps)
        error, notes = attempt(store)
        left = store_at(s3, address, tmp_path)
        if error:
            assert len(error.splitlines()) == 2
            assert left.read_config() == b"first\n"
        else:
            assert left.read_config() == b"second\n"
            assert [left.read_backup(row.id) for row in left.backups()] == [b"first\n"]
            if not notes:
                break
        write(store_at(s3, address, tmp_path), b"third\n")
    assert step > 6


WRITER = """
import os, sys
from pathlib import Path
from rollcall.store.object_home import ObjectHome
from rollcall.store.remote import RemoteStore
from tests.test_fleet_objects import Steps, write
home = Steps(ObjectHome.at(sys.argv[1], dict(os.environ)), int(sys.argv[2]), lambda: os._exit(9))
folder = Path(sys.argv[3])
write(RemoteStore(folder / "config.yaml", folder, home=home), b"second\\n")
"""


def test_a_kill_at_any_step_leaves_a_whole_config(s3: Bucket, tmp_path: Path) -> None:
    for step in itertools.count(1):
        address = f"{s3.url}/kill-{step}/config.yaml"
        write(store_at(s3, address, tmp_path), b"first\n")
        command = [sys.executable, "-c", WRITER, address, str(step), str(tmp_path)]
        root = Path(__file__).parents[1]
        ended = subprocess.run(command, cwd=root, env={**os.environ, **s3.environ}, check=False)
        left = store_at(s3, address, tmp_path)
        assert left.read_config() in (b"first\n", b"second\n")
        assert {left.read_backup(row.id) for row in left.backups()} <= {b"first\n"}
        write(left, b"third\n")
        if ended.returncode != 9:
            assert ended.returncode == 0
            break
    assert step > 4


def test_a_store_that_ignores_conditions_is_found_out(s3: Bucket, tmp_path: Path) -> None:
    with before(s3) as lying:
        address = f"{lying.url}/lied/config.yaml"
        store = store_at(lying, address, tmp_path)
        with pytest.raises(StoreError, match="writes whatever the condition"):
            write(store, b"new\n")
        assert store.read_config() == b""
        assert store.home.shelf.names() == []
        unsafe = RemoteStore(tmp_path / "c.yaml", tmp_path, home=store.home, unsafe=True)
        write(unsafe, b"new\n")
        assert unsafe.read_config() == b"new\n"


@pytest.mark.parametrize(("status", "said"), [(403, "does not let us in"), (404, "no such bucket")])
def test_who_may_not_in_hears_it_in_two_lines(
    s3: Bucket, tmp_path: Path, status: int, said: str
) -> None:
    with before(s3, status=status) as shut:
        store = store_at(shut, f"{shut.url}/a/config.yaml", tmp_path)
        with pytest.raises(StoreError, match=said) as caught:
            store.home.write(b"x", None)
        assert len(str(caught.value).splitlines()) == 2
        assert shut.environ["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


def test_a_store_that_is_not_there_is_said(tmp_path: Path, s3: Bucket) -> None:
    environ = {**s3.environ, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    nowhere = store_at(Bucket(s3.url, environ), f"{s3.url}/a/config.yaml", tmp_path)
    with pytest.raises(StoreError, match="the store cannot be reached"):
        nowhere.read_config()


def test_included_objects_are_read_as_litellm_reads_them(s3: Bucket, tmp_path: Path) -> None:
    text = b"include: [more.yaml, /shared/all.yaml, gone.yaml]\n"
    for key, content in (
        ("inc/config.yaml", text),
        ("inc/more.yaml", b"include: [deep/one.yaml]\nmodel_list: []\n"),
        ("inc/deep/one.yaml", b"a: 1\n"),
        ("shared/all.yaml", b"b: 2\n"),
    ):
        home_at(s3, f"{s3.url}/{key}").write(content, None)
    store = store_at(s3, f"{s3.url}/inc/config.yaml", tmp_path)
    data = yaml.safe_load(store.read_config())
    found = [path.as_posix() for path, _ in store.read_includes(data)]
    assert found == ["inc/more.yaml", "shared/all.yaml", "inc/deep/one.yaml"]
    store.place_copy(store.read_config())
    assert (tmp_path / "more.yaml").read_bytes().startswith(b"include")


def test_a_state_is_merged_with_what_another_run_kept(s3: Bucket, tmp_path: Path) -> None:
    address = f"{s3.url}/merged/config.yaml"
    machines = [store_at(s3, address, tmp_path) for _ in range(2)]
    states = [machine.read_state()[0] for machine in machines]  # both begin from the same
    for machine, state, name, hour in zip(machines, states, ("xai", "openai"), (1, 2), strict=True):
        row = ProviderState(last_asked=f"2026-11-20T0{hour}:00:00Z", models=hour)
        update = {"providers": {name: row}, "accepted": [name], "last_run": row.last_asked}
        assert machine.write_state(state.model_copy(update=update)) == ()
    merged, notes = store_at(s3, address, tmp_path).read_state()
    assert notes == ()
    assert sorted(merged.providers) == ["openai", "xai"]
    assert merged.accepted == ["openai", "xai"]
    assert merged.last_run == "2026-11-20T02:00:00Z"


def test_a_local_run_imports_none_of_it(house: House) -> None:
    house.write_policy(POLICY, "openrouter")
    house.applied()
    command = [sys.executable, "-X", "importtime", "-m", "rollcall", "apply"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=house.folder)
    assert ran.returncode == 0, ran.stderr[-800:]
    for name in ("obstore", "kubernetes", "store.homes", "store.remote", "manifest"):
        assert f"{name}\n" not in ran.stderr, name
