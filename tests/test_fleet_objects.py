"""A config in a store: servers on loopback, many writers, failures at every step."""

from __future__ import annotations

import io
import itertools
import json
import multiprocessing
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

pytest.importorskip("obstore", reason="the extra `fleet` is not installed")

from obstore.exceptions import GenericError

from rollcall.__main__ import run
from rollcall.catalog.model import Answer, Verdict
from rollcall.errors import StoreError
from rollcall.secrets import Redactor, names_secret
from rollcall.store import remote
from rollcall.store.freshness import STAMP
from rollcall.store.object_home import ObjectHome, _meaning
from rollcall.store.remote import Home, RemoteStore
from rollcall.store.shelf import Held, Shelf
from rollcall.store.state import ProviderState, RunRecord, State
from tests.house import OWN, House
from tests.racing import NOON, race
from tests.store_fronts import in_front
from tests.stores import (
    STORES,
    WRONG_SECRET,
    Bucket,
    before,
    port_of,
    put,
    s3_bucket,
    s3_variables,
    s3rver,
    with_wrong_credentials,
)

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator

POLICY = "allow:\n  - {family: glm, from: [openrouter], newest: 1}\n"
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
    return bucket.address(f"team {next(KEYS)}")


def store_at(bucket: Bucket, address: str, folder: Path) -> RemoteStore:
    """What one machine of several has."""
    return RemoteStore(folder / "config.yaml", folder, home=bucket.home(address))


def reach(house: House, bucket: Bucket) -> None:
    """Set the variables that lead there."""
    for name, value in bucket.environ.items():
        house.monkeypatch.setenv(name, value)


def write(store: RemoteStore, content: bytes) -> str | None:
    """Read and write; the backup's id."""
    before = store.read_config()
    return store.write_config(content, expected=before, created=NOON, reason="a test").backup_id


@pytest.fixture
def fleet_policy(tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> House:
    """A machine with a policy."""
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy(POLICY, "openrouter")
    return house


@pytest.fixture
def fleet(
    fleet_policy: House, monkeypatch: pytest.MonkeyPatch, bucket: Bucket, address: str
) -> House:
    """The same, with a config in a store."""
    house = fleet_policy
    reach(house, bucket)
    monkeypatch.setenv("ROLLCALL_CONFIG", address)
    bucket.home(address).write(OWN.encode(), None)
    return house


def test_the_whole_life_of_a_config_in_a_store(fleet: House, bucket: Bucket, address: str) -> None:
    home = bucket.home(address)
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
    shelf = bucket.home(address).shelf
    assert {"state.json", "fresh.json"} <= set(shelf.names())
    held = shelf.get("state.json")
    assert held is not None
    assert State.from_bytes(held.content).accepted == ["a-dear-one"]


def test_runs_without_effect_write_nothing(fleet: House, bucket: Bucket, address: str) -> None:
    fleet.applied()
    home = bucket.home(address)
    names = home.shelf.names()
    kept = [home.read(), *(home.shelf.get(name) for name in names)]
    begun = int(os.environ["SOURCE_DATE_EPOCH"])
    for turn in range(5):
        fleet.monkeypatch.setenv("SOURCE_DATE_EPOCH", str(begun + 60 * turn))
        fleet.applied()
    assert home.shelf.names() == names
    assert [home.read(), *(home.shelf.get(name) for name in names)] == kept


def test_whole_runs_without_effect_ask_and_write_nothing(fleet_policy: House, s3: Bucket) -> None:
    """A run every five seconds; that somebody runs it is noted once an hour."""
    house = fleet_policy
    with in_front(port_of(s3)) as (port, heard):
        for name, value in s3_variables(port).items():
            house.monkeypatch.setenv(name, value)
        house.monkeypatch.setenv("ROLLCALL_CONFIG", f"{s3.url}/thousand/config.yaml")
        house.applied()
        assert "PUT" in heard
        heard.clear()
        begun = int(os.environ["SOURCE_DATE_EPOCH"])
        for run in range(40):
            house.monkeypatch.setenv("SOURCE_DATE_EPOCH", str(begun + 5 * run))
            house.applied()
        assert set(heard) == {"GET"}
        house.monkeypatch.setenv("SOURCE_DATE_EPOCH", str(begun + 3600))
        house.applied()
        assert "PUT" in heard


class InMemory:
    """A home and its shelf; counts what is written."""

    address = "s3://models/in-memory"

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.writes = 0

    @property
    def shelf(self) -> Shelf:
        return cast("Shelf", self)

    def get(self, name: str) -> Held | None:
        return self.held.get(name)

    def put(self, name: str, content: bytes, version: str | None) -> str:
        self.writes += 1
        self.held[name] = Held(content, str(self.writes))
        return self.held[name].version

    def names(self) -> list[str]:
        return list(self.held)

    def remove(self, name: str) -> None:
        self.held.pop(name, None)

    def read(self) -> Held | None:
        return self.get("")

    def write(self, content: bytes, version: str | None) -> str:
        return self.put("", content, version)

    def require_conditions(self) -> None: ...


def in_memory(home: InMemory, config: Path) -> RemoteStore:
    """A store with such a home, and where its copy lies on this machine."""
    return RemoteStore(config, config.parent, home=cast("Home", home))


def test_an_answer_that_is_lost_on_the_way_is_no_failed_write(tmp_path: Path) -> None:
    class Unheard(InMemory):
        def write(self, content: bytes, version: str | None) -> str:
            super().write(content, version)
            raise StoreError("The store cannot be reached.", "Check the network.")

    home = Unheard()
    home.put("", b"first\n", None)
    store = in_memory(home, tmp_path / "c")
    backup = write(store, b"second\n")
    assert backup is not None
    assert store.read_config() == b"second\n"
    assert store.read_backup(backup) == b"first\n"
    assert (tmp_path / "c").read_bytes() == b"second\n"


def test_a_write_that_fails_leaves_no_backup_though_the_store_cannot_be_read_at_once(
    tmp_path: Path,
) -> None:
    class Shaken(InMemory):
        failing = 0

        def read(self) -> Held | None:
            self.failing -= 1
            if self.failing == 0:
                raise StoreError("The store cannot be reached.", "Check the network.")
            return super().read()

        def write(self, content: bytes, version: str | None) -> str:
            self.failing = 1
            raise StoreError("The store is busy.", "Run again.")

    home = Shaken()
    home.put("", b"first\n", None)
    with pytest.raises(StoreError, match="busy"):
        write(in_memory(home, tmp_path / "c"), b"second\n")
    assert list(home.held) == [""]


def test_a_backup_that_is_kept_by_half_is_taken_away(tmp_path: Path) -> None:
    class Full(InMemory):
        def put(self, name: str, content: bytes, version: str | None) -> str:
            if name.startswith("backups/") and name.endswith(".yaml"):
                raise StoreError("The store is full.", "Make room.")
            return super().put(name, content, version)

    home = Full()
    home.put("", b"first\n", None)
    with pytest.raises(StoreError, match="full"):
        write(in_memory(home, tmp_path / "c"), b"second\n")
    assert {name: held.content for name, held in home.held.items()} == {"": b"first\n"}


def test_a_machine_that_cannot_keep_the_copy_says_so_and_has_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    home = InMemory()
    home.put("", b"first\n", None)
    store = in_memory(home, tmp_path / "file" / "c")
    before = store.read_config()
    written = store.write_config(b"second\n", expected=before, created=NOON, reason="a test")
    assert home.held[""].content == b"second\n"
    [note] = written.notes
    assert "could not be written" in note
    assert home.address in note


def test_a_thousand_times_nothing_is_no_write(tmp_path: Path) -> None:
    """What a run without effect does to a store, a thousand times within an hour."""
    memory = InMemory()
    begun = datetime(2026, 11, 20, 12, tzinfo=UTC)
    body = (b'{"data": []}',)
    answer = Answer("xai", Verdict.OK, pages=body, fetched_at=begun.isoformat())
    write(in_memory(memory, tmp_path / "c"), b"model_list: []\n")
    counts = set()
    for turn in range(1000):
        store = in_memory(memory, tmp_path / "c")
        now = begun + timedelta(seconds=3 * turn)
        assert write(store, store.read_config()) is None
        state, _ = store.memory.read_state()
        row = ProviderState(last_asked=now.isoformat(), last_good=now.isoformat())
        again = RunRecord(at=now.isoformat(), command="apply", outcome="unchanged")
        update = {"providers": {"xai": row}, "last_run": again.at, "runs": [again]}
        notes = store.memory.write_state(state.model_copy(update=update))
        stamp = json.dumps({"at": now.timestamp(), "ttl_seconds": 7200}).encode()
        assert not notes + store.memory.write_replies((answer,)) + store.memory.keep(STAMP, stamp)
        counts.add(memory.writes)
    assert len(counts) == 1, "the first of them leaves its memory"


def test_of_sixteen_writers_one_wins_ten_times(
    bucket: Bucket, address: str, tmp_path: Path
) -> None:
    text = b"count: 0\n"
    write(store_at(bucket, address, tmp_path), text)
    for turn in range(10):
        stores = [store_at(bucket, address, tmp_path / str(n)) for n in range(16)]
        for store in stores:
            store._seen.conditions = True
        text = race(stores, text, turn + 1)
    final = store_at(bucket, address, tmp_path)
    kept = [final.read_backup(backup.id) for backup in final.backups()]
    assert [row.split(b",")[0].strip() for row in kept] == [
        b"count: %d" % n for n in range(9, -1, -1)
    ]


def test_a_lost_race_plans_again_on_what_is_there(
    fleet: House, bucket: Bucket, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody adds an entry of theirs while we ask the providers."""
    home = bucket.home(address)
    kind = type(home)
    writing = kind.write
    theirs = OWN.replace("# mine", "# mine, and theirs").encode()
    times: list[int] = []

    def late(self: Home, content: bytes, version: str | None) -> str:
        if not times:
            times.append(1)
            held = home.read()
            assert held is not None
            writing(home, theirs, held.version)
        return writing(self, content, version)

    monkeypatch.setattr(kind, "write", late)
    fleet.applied()
    held = home.read()
    assert held is not None
    assert held.content.startswith(b"# mine, and theirs")
    assert b"managed_by" in held.content


WRITES = ("write", "put", "remove")


class Steps:
    """A home of which the N-th request, and all after it, end in `fail`.

    Args:
        heard: whether the store still does what the N-th says, and only its answer is lost.
    """

    def __init__(
        self, home: Home, at: int, fail: Callable[[], None], *, heard: bool = False
    ) -> None:
        self.home, self.at, self.fail, self.heard = home, at, fail, heard
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name == "shelf":
            return _ShelfOf(self)
        return self.home.address if name == "address" else partial(self.step, self.home, name)

    def step(self, place: Home | Shelf, request: str, *args: Any) -> Any:
        """One request."""
        self.asked.append(request)
        if len(self.asked) < self.at or (self.heard and len(self.asked) == self.at):
            answer = getattr(place, request)(*args)
            if len(self.asked) < self.at:
                return answer
        return self.fail()


class _ShelfOf:
    """Its shelf: the steps of both are counted together."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def __getattr__(self, name: str) -> Any:
        return partial(self.steps.step, self.steps.home.shelf, name)


def gone() -> None:
    raise StoreError("The store cannot be reached.", "Check the network.")


def interrupted_apply(steps: Steps) -> tuple[int, str]:
    """`apply` on a store that fails: its exit code, and what it said to a person."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        patch.setattr(remote, "home_of", lambda _: steps)
        with redirect_stderr(said):
            code = run(["apply", "-c", steps.address])
    return code, said.getvalue()


def settled(house: House, bucket: Bucket, address: str) -> str:
    """The config after an interrupted run; it and its history are whole, and the next run ends as
    if nothing had been.
    """
    store = store_at(bucket, address, house.folder)
    text = store.read_config().decode()
    assert text == OWN or "managed_by" in text
    assert {store.read_backup(row.id).decode() for row in store.backups()} <= {OWN}
    house.applied("-c", address)
    assert "managed_by" in store.read_config().decode()
    assert [store.read_backup(row.id).decode() for row in store.backups()] == [OWN]
    assert not [name for name in store.home.shelf.names() if "probe" in name]
    state, notes = store.memory.read_state()
    assert (list(state.providers), notes) == (["openrouter"], ())
    return text


def test_a_store_that_goes_away_at_any_step_keeps_a_whole_config(
    fleet_policy: House, bucket: Bucket
) -> None:
    """Also where it does what was asked and its answer is lost on the way."""
    reach(fleet_policy, bucket)
    for at in itertools.count(1):
        for heard in (False, True):
            home = bucket.home(bucket.address(f"gone {at} {heard}"))
            home.write(OWN.encode(), None)
            steps = Steps(home, at, gone, heard=heard)
            code, said = interrupted_apply(steps)
            text = settled(fleet_policy, bucket, home.address)
            if code:
                assert (code, len(said.splitlines())) == (1, 2), said
                assert text == OWN or heard
            else:
                assert "managed_by" in text
            if at > len(steps.asked) or steps.asked[at - 1] not in WRITES:
                break
        if at > len(steps.asked):
            break
    assert at > 15


def test_a_kill_at_any_step_leaves_a_whole_config(fleet_policy: House, bucket: Bucket) -> None:
    reach(fleet_policy, bucket)
    root = Path(__file__).parents[1]
    writer = f"from {__name__} import {kill_at_every_step.__name__} as k; k({tuple(bucket)!r})"
    environ = {**os.environ, "PYTHONPATH": str(root), "ROLLCALL_POLICY": str(fleet_policy.policy)}
    command = [sys.executable, "-c", writer]
    ran = subprocess.run(command, env=environ, check=False, capture_output=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stderr
    addresses = ran.stdout.splitlines()
    for address in addresses:
        settled(fleet_policy, bucket, address)
    assert len(addresses) > 15


def kill_at_every_step(to: tuple[str, dict[str, str]]) -> None:
    """`apply` killed at its first step, its second, and so on; prints the addresses.

    In a process that has not talked to the store yet, so that what is killed can be forked from it.
    """
    bucket = Bucket(*to)
    bucket.home(bucket.address("kill"))
    with redirect_stdout(io.StringIO()):
        run(["plan"])  # on the file here: what a run imports is there for all of them
    for at in itertools.count(1):
        address = bucket.address(f"kill {at}")
        code = in_a_process_of_its_own(kill_at_step, bucket, address, at)
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()  # or a fork writes it again
        if code != KILLED:
            sys.exit(code)


def kill_at_step(bucket: Bucket, address: str, at: int) -> None:
    home = bucket.home(address)
    home.write(OWN.encode(), None)
    sys.exit(interrupted_apply(Steps(home, at, lambda: os._exit(KILLED)))[0])


KILLED = 9


def in_a_process_of_its_own(work: Callable[..., None], *args: object) -> int:
    """Its exit code; where there is no fork, a process begins anew each time."""
    kind = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context: Any = multiprocessing.get_context(kind)
    process = context.Process(target=work, args=args)
    process.start()
    process.join()
    return int(process.exitcode)


def test_who_has_the_wrong_credentials_hears_it_in_two_lines(
    fleet: House, bucket: Bucket, address: str
) -> None:
    before = bucket.home(address).read()
    with with_wrong_credentials(bucket, fleet.folder) as wrong:
        reach(fleet, wrong)
        for command in ("plan", "apply", "status", "rollback", "eject"):
            ran = fleet.run(command)
            assert (ran.code, len(ran.err.splitlines())) == (1, 2), (command, ran.text)
            assert re.search("does not let us in|does not know us", ran.err), ran.err
            assert not any(value in ran.text for value in secrets_of(wrong))
    home = bucket.home(address)
    assert home.read() == before
    assert home.shelf.names() == []


def secrets_of(bucket: Bucket) -> list[str]:
    values = [value for name, value in bucket.environ.items() if names_secret(name)]
    return [*values, WRONG_SECRET]


def test_a_store_that_ignores_conditions_is_found_out(s3: Bucket, tmp_path: Path) -> None:
    with before(s3, drops_conditions=True) as lying:
        address = f"{lying.url}/lied/config.yaml"
        store = store_at(lying, address, tmp_path)
        with pytest.raises(StoreError, match="writes whatever the condition"):
            write(store, b"new\n")
        assert store.read_config() == b""
        assert store.home.shelf.names() == []
        unsafe = RemoteStore(tmp_path / "c.yaml", tmp_path, home=store.home, unsafe=True)
        write(unsafe, b"new\n")
        assert unsafe.read_config() == b"new\n"


def test_s3rver_is_found_out(fleet_policy: House, tmp_path: Path) -> None:
    """It heeds neither If-Match nor If-None-Match, so each of two writers believes it won."""
    with s3rver(tmp_path) as bucket:
        reach(fleet_policy, bucket)
        address = f"{bucket.url}/config.yaml"
        ran = fleet_policy.run("apply", "-c", address)
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 2
        assert "writes whatever the condition" in ran.err
        assert bucket.home(address).read() is None
        assert fleet_policy.run("apply", "-c", address, "--unsafe-store").code == 0
        assert bucket.home(address).read() is not None


DENIED, REGION = "does not let us in", "another region"


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", DENIED),
        (403, "InvalidAccessKeyId", DENIED),
        (403, "SignatureDoesNotMatch", DENIED),
        (401, "Unauthorized", DENIED),
        (400, "ExpiredToken", DENIED),
        (400, "InvalidToken", DENIED),
        (404, "NoSuchBucket", "no such bucket"),
        (400, "InvalidBucketName", "no such bucket"),
        (301, "PermanentRedirect", REGION),
        (400, "AuthorizationHeaderMalformed", REGION),
        (400, "IllegalLocationConstraintException", REGION),
        (503, "SlowDown", "fewer calls"),
        (429, "TooManyRequests", "fewer calls"),
        (400, "EntityTooLarge", "too large"),
        (413, "RequestEntityTooLarge", "too large"),
        (500, "InternalError", "answers 500 Internal Server Error (InternalError)"),
        (405, "MethodNotAllowed", "answers 405 Method Not Allowed (MethodNotAllowed)"),
    ],
)
def test_what_a_store_refuses_is_told_in_two_lines(status: int, code: str, said: str) -> None:
    with in_front(0, refusal=(status, code)) as (port, heard):
        bucket = s3_bucket(port)
        home = bucket.home(f"{bucket.url}/a/config.yaml")
        for attempt in (home.read, lambda: home.write(b"x", None)):
            heard.clear()
            with pytest.raises(StoreError, match=re.escape(said)) as caught:
                attempt()
            text = str(caught.value)
            assert len(text.splitlines()) == 2
            assert "s3://models/a/config.yaml" in text
            assert not any(value in text for value in bucket.environ.values())
            assert len(heard) <= 3


S3_DOWN = s3_variables(9)


@pytest.mark.parametrize(
    ("url", "environ", "said"),
    [
        ("s3://models", S3_DOWN, "cannot be reached.\nCheck the network and AWS_ENDPOINT_URL_S3"),
        ("gs://models", {"STORAGE_EMULATOR_HOST": "127.0.0.1:9"}, "the store cannot be reached."),
        ("s3://models", {**S3_DOWN, "AWS_ENDPOINT_URL_S3": "127.0.0.1:9"}, "': it is no address"),
        ("s3://models", {**S3_DOWN, "AWS_ENDPOINT_URL_S3": "http://a b"}, "': it is no address"),
        ("az://models", {}, "no credentials are set"),
        (
            "az://models",
            {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "a secret of tests"},
            "Invalid Access Key",
        ),
        ("gs://models", {"GOOGLE_APPLICATION_CREDENTIALS": "/none.json"}, "service account file"),
    ],
)
def test_what_keeps_us_from_a_store_is_told_in_two_lines(
    url: str, environ: dict[str, str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoreError) as caught:
        ObjectHome.at(f"{url}/a/config.yaml", environ).read()
    text = str(caught.value)
    assert said in text
    assert len(text.splitlines()) == 2
    assert "a secret of tests" not in text
    assert capfd.readouterr().err == "", "the client says nothing of its own"


def test_without_credentials_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks the machine's own address for them, which nothing here may answer."""
    for kind, name in (("s3", "AWS_SECRET_ACCESS_KEY"), ("gs", "GOOGLE_APPLICATION_CREDENTIALS")):
        text = (
            "Generic error: Error performing token request: Error performing GET"
            " http://169.254.169.254/latest/api/token in 4ms - HTTP error: error sending request"
        )
        why, hint = _meaning(GenericError(text), kind, Redactor())
        assert "no credentials" in why
        assert name in hint


def test_included_objects_are_read_as_litellm_reads_them(s3: Bucket, tmp_path: Path) -> None:
    text = b"include: [more.yaml, /shared/all.yaml, gone.yaml, ../../outside.yaml]\n"
    for key, content in (
        ("inc/config.yaml", text),
        ("inc/more.yaml", b"include: [deep/one.yaml]\nmodel_list: []\n"),
        ("inc/deep/one.yaml", b"a: 1\n"),
        ("shared/all.yaml", b"b: 2\n"),
    ):
        s3.home(f"{s3.url}/{key}").write(content, None)
    store = store_at(s3, f"{s3.url}/inc/config.yaml", tmp_path)
    data = yaml.safe_load(store.read_config())
    found = [name for name, _ in store.included_texts(data)]
    assert found == ["inc/more.yaml", "shared/all.yaml", "inc/deep/one.yaml"]
    assert store.missing_includes(data) == ("gone.yaml", "../../outside.yaml")


def test_a_copy_has_all_that_litellm_looks_for_beside_it(s3: Bucket, tmp_path: Path) -> None:
    """LiteLLM does not start where an included file is missing, however deep it is named."""
    for key, content in (
        ("copied/config.yaml", b"include: [sub/more.yaml, ../out.yaml, /root.yaml, gone.yaml]\n"),
        ("copied/sub/more.yaml", b"include: [deep/one.yaml, ../beside.yaml]\nmodel_list: []\n"),
        ("copied/sub/deep/one.yaml", b"include: [../more.yaml, ../../../out.yaml]\n"),
        ("copied/beside.yaml", b"b: 2\n"),
        ("out.yaml", b"c: 3\n"),
        ("root.yaml", b"d: 4\n"),
    ):
        s3.home(f"{s3.url}/{key}").write(content, None)
    folder = tmp_path / "copy"
    store = store_at(s3, f"{s3.url}/copied/config.yaml", folder)
    store.place_copy(store.copy_of(store.read_config()))
    kept = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.yaml"))
    inside = ["beside.yaml", "config.yaml", "sub/deep/one.yaml", "sub/more.yaml"]
    assert kept == [f"copy/{name}" for name in inside]
    assert (folder / "sub" / "deep" / "one.yaml").read_bytes().startswith(b"include")


def test_a_version_of_the_bucket_is_one_to_go_back_to(fleet_policy: House, s3: Bucket) -> None:
    """Where the bucket keeps versions, those count that rollcall did not write, too."""
    port = port_of(s3)
    put(f"http://127.0.0.1:{port}/versioned")
    text = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    url = f"http://127.0.0.1:{port}/versioned?versioning"
    kind = {"content-type": "application/xml"}
    urllib.request.urlopen(urllib.request.Request(url, text, kind, method="PUT")).close()
    reach(fleet_policy, s3)
    home = s3.home("s3://versioned/config.yaml")
    version = home.write(OWN.encode(), None)
    home.write(b"model_list: []\n", version)
    number = version.split()[1]
    ran = fleet_policy.run("rollback", number, "-c", home.address)
    assert ran.code == 0, ran.text
    held = home.read()
    assert held is not None
    assert held.content == OWN.encode()
    assert fleet_policy.run("rollback", "no-such-version", "-c", home.address).code == 1


def test_a_state_is_merged_with_what_another_run_kept(s3: Bucket, tmp_path: Path) -> None:
    address = f"{s3.url}/merged/config.yaml"
    machines = [store_at(s3, address, tmp_path) for _ in range(2)]
    states = [machine.memory.read_state()[0] for machine in machines]  # both begin from the same
    for machine, state, name, hour in zip(machines, states, ("xai", "openai"), (1, 2), strict=True):
        row = ProviderState(last_asked=f"2026-11-20T0{hour}:00:00Z", models=hour)
        update = {"providers": {name: row}, "accepted": [name], "last_run": row.last_asked}
        assert machine.memory.write_state(state.model_copy(update=update)) == ()
    merged, notes = store_at(s3, address, tmp_path).memory.read_state()
    assert notes == ()
    assert sorted(merged.providers) == ["openai", "xai"]
    assert merged.accepted == ["openai", "xai"]
    assert merged.last_run == "2026-11-20T02:00:00Z"


def test_a_local_run_imports_none_of_it(house: House) -> None:
    house.write_policy(POLICY, "openrouter")
    house.applied()
    command = [sys.executable, "-X", "importtime", "-m", "rollcall", "apply"]
    ran = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, cwd=house.folder
    )
    assert ran.returncode == 0, ran.stderr[-800:]
    for name in ("obstore", "kubernetes", "store.remote", "manifest"):
        assert f"{name}\n" not in ran.stderr, name
