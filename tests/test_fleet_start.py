"""`start` on a config in a bucket."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml

pytest.importorskip("obstore", reason="the extra `fleet` is not installed")

from rollcall.launch.watch import Watch, _Watcher
from rollcall.store.object_home import ObjectHome
from tests.house import OWN, House
from tests.litellm_proxy import running_litellm
from tests.loopback import Answering, listening
from tests.platforms import not_on_windows
from tests.stand_in_proxy import environment, stand_in_proxy, starts, until
from tests.stores import STORES, Bucket, free_port

if TYPE_CHECKING:
    from rollcall.launch.watch import Copy
    from tests.simulator.simulator import Simulator


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with STORES["moto"](tmp_path_factory.mktemp("store")) as made:
        yield made


@pytest.fixture
def fleet(tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch, bucket: Bucket) -> House:
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy("allow:\n  - {family: glm, from: [openrouter], newest: 1}\n", "openrouter")
    for name, value in bucket.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return house


def started(house: House, *args: str) -> subprocess.CompletedProcess[str]:
    """`rollcall start ARGS`, with a litellm that prints its config."""
    return subprocess.run(
        [sys.executable, "-m", "rollcall", "start", "--discover", *args],
        cwd=house.folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def names(text: str) -> list[str]:
    return [entry["model_name"] for entry in yaml.safe_load(text)["model_list"]]


def test_start_hands_over_a_copy_of_what_it_wrote(fleet: House, bucket: Bucket) -> None:
    address = f"{bucket.url}/start/config.yaml"
    ObjectHome.at(address, bucket.environ).write(OWN.encode(), None)
    show = "import os; print(open(os.environ['ROLLCALL_CONFIG']).read())"
    ran = started(fleet, "-c", address, "--", sys.executable, "-c", show)
    assert ran.returncode == 0, ran.stderr
    assert len(names(ran.stdout)) == 2
    held = ObjectHome.at(address, bucket.environ).read()
    assert held is not None
    assert len(names(held.content.decode())) == 2


def test_litellms_own_variables_name_the_config(fleet: House, bucket: Bucket) -> None:
    address = f"{bucket.url}/own/config.yaml"
    ObjectHome.at(address, bucket.environ).write(OWN.encode(), None)
    fleet.monkeypatch.setenv("LITELLM_CONFIG_BUCKET_NAME", "models")
    fleet.monkeypatch.setenv("LITELLM_CONFIG_BUCKET_OBJECT_KEY", "own/config.yaml")
    show = "import os; print(os.environ['LITELLM_CONFIG_BUCKET_NAME'])"
    ran = started(fleet, "--", sys.executable, "-c", show)
    assert ran.stdout.strip() == "models", ran.stderr
    held = ObjectHome.at(address, bucket.environ).read()
    assert held is not None
    assert len(names(held.content.decode())) == 2
    assert fleet.config.read_text(encoding="utf-8") == OWN


def test_a_store_that_is_down_does_not_keep_the_proxy_down(fleet: House) -> None:
    fleet.monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    ran = started(fleet, "-c", "s3://models/x", "--", sys.executable, "-c", "print('up')")
    assert ran.stdout.strip() == "up"
    assert "cannot be reached" in ran.stderr


def test_who_watches_looks_at_the_store_and_litellm_starts_on_the_copy(
    fleet: House, bucket: Bucket
) -> None:
    address = f"{bucket.url}/watched/config.yaml"
    ObjectHome.at(address, bucket.environ).write(OWN.encode(), None)
    seen: list[Watch] = []

    def watch(given: Watch) -> int:
        seen.append(given)
        return 0

    fleet.monkeypatch.setattr("rollcall.launch.watch.watch", watch)
    words = ["--", sys.executable, "--config", address]
    assert fleet.run("start", "--watch", "1m", *words).code == 0
    for command in (seen[0].look, seen[0].back):
        assert address in command
    copy = Path(seen[0].argv[-1])
    assert copy.read_text(encoding="utf-8") == OWN


@not_on_windows("a stand-in that is started by its first line")
def test_who_watches_restarts_on_what_others_write_and_takes_nothing_of_it_back(
    fleet: House, bucket: Bucket
) -> None:
    home = ObjectHome.at(f"{bucket.url}/shared/config.yaml", bucket.environ)
    home.write(OWN.encode(), None)
    fleet.write_policy(
        "allow:\n  - {family: glm, from: [openrouter], newest: 1}\naliases: {}\n", "openrouter"
    )
    folder, port = fleet.folder / "bin", free_port()
    stand_in_proxy(folder)
    log = fleet.folder / "watch.err"
    with log.open("wb") as stream:
        parent = subprocess.Popen(
            [sys.executable, "-m", "rollcall", "start", "--watch", "1s", "-c", home.address,
             "--", "--port", str(port)],
            cwd=fleet.folder, env=environment(folder), stdout=stream, stderr=stream,
        )  # fmt: skip

    def served() -> list[str]:
        return [" ".join(one[1]) for one in starts(folder) if one[0] == str(port)]

    def write(old: str, new: str) -> bytes:
        """As another writer does."""
        held = home.read()
        assert held is not None
        content = held.content.replace(old.encode(), new.encode(), 1)
        assert content != held.content
        home.write(content, held.version)
        return content

    try:
        until(lambda: len(served()) == 2)  # on OWN, and on what the first look wrote
        write("# mine", "router_settings: {model_group_alias: {theirs: my-local-model}}")
        until(lambda: served() == ["", "", "theirs"])
        held = write("model_list:", "model_list:\n  - model_name: broken")
        until(lambda: served() == ["", "", "theirs", "theirs"])
        assert "THE PROXY DID NOT BECOME READY" in log.read_text(encoding="utf-8")
        there = home.read()
        assert there is not None
        assert there.content == held, "its writer's, who may serve from it"
        write("\n  - model_name: broken", "")
        write("theirs:", "mended:")
        until(lambda: served()[-1] == "mended")
    finally:
        parent.terminate()
        assert parent.wait(60) in (7, 143)


def test_a_config_that_fails_is_followed_by_the_one_the_proxy_ran_on(
    fleet: House, bucket: Bucket
) -> None:
    home = ObjectHome.at(f"{bucket.url}/back/config.yaml", bucket.environ)
    good, bad, worse = (f"{OWN}# {word}\n".encode() for word in ("good", "bad", "worse"))
    home.write(good, None)
    seen: list[Watch] = []

    def watch(given: Watch) -> int:
        seen.append(given)
        return 0

    fleet.monkeypatch.setattr("rollcall.launch.watch.watch", watch)

    def copied() -> tuple[Path, Copy]:
        """As `start --watch` begins: where litellm's copy lies, and who renews it."""
        words = ["--", sys.executable, "--config", home.address]
        assert fleet.run("start", "--watch", "1m", *words).code == 0
        assert seen[-1].copy is not None
        return Path(seen[-1].argv[-1]), seen[-1].copy

    def write(content: bytes) -> None:
        held = home.read()
        assert held is not None
        home.write(content, held.version)

    here, copy = copied()
    assert not copy.renew(), "it lies here already"
    for content in (bad, worse):
        write(content)
        assert copy.renew()
        assert here.read_bytes() == content
        copy.restore()
        assert here.read_bytes() == good, "what the proxy last ran on"
        assert not copy.renew(), "others' config is tried once"
    with fleet.monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
        here, copy = copied()
    assert not copy.renew(), "the store is away"
    here, copy = copied()
    assert here.read_bytes() == worse


@pytest.mark.parametrize("watched", [[], ["--watch", "1m"]])
def test_a_web_page_in_place_of_a_cluster_does_not_keep_the_proxy_down(
    fleet: House, watched: list[str]
) -> None:
    pytest.importorskip("kubernetes", reason="the extra `fleet` is not installed")
    fleet.monkeypatch.setenv("KUBECONFIG", str(fleet.folder / "kubeconfig"))

    class Page(Answering):
        def do_GET(self) -> None:
            self.say(200, b"<html>log in</html>")

    with listening(Page) as port:
        (fleet.folder / "kubeconfig").write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
            "contexts: [{name: a, context: {cluster: a, user: a}}]\n"
            f"clusters: [{{name: a, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n"
            "users: [{name: a, user: {token: t}}]\n",
            encoding="utf-8",
        )
        words = ["-c", "configmap://team/config", "--", sys.executable, "-c", "print('up')"]
        ran = started(fleet, *watched, *words)
    assert (ran.returncode, ran.stdout.strip()) == (0, "up"), ran.stderr
    assert "is no Kubernetes API: it is not JSON" in ran.stderr
    assert "a bug" not in ran.stderr


def test_a_store_that_hangs_keeps_no_signal_waiting() -> None:
    hangs, begun = threading.Event(), threading.Event()

    class Hanging:
        def renew(self) -> bool:
            begun.set()
            return hangs.wait()

        def restore(self) -> None:
            """Not reached."""

    watcher = _Watcher(Watch([], {}, [], [], "127.0.0.1", 1, 1.0, print, copy=Hanging()))

    def end() -> None:
        begun.wait()
        watcher.ending = signal.SIGTERM

    threading.Thread(target=end, daemon=True).start()
    assert not watcher._renewed()
    hangs.set()


@pytest.mark.litellm
def test_litellm_serves_the_object_that_was_written(fleet: House, bucket: Bucket) -> None:
    address = f"{bucket.url}/served/config.yaml"
    ObjectHome.at(address, bucket.environ).write(b"model_list: []\n", None)
    assert fleet.run("apply", "-c", address).code == 0
    held = ObjectHome.at(address, bucket.environ).read()
    assert held is not None
    environ = {
        **bucket.environ,
        "LITELLM_CONFIG_BUCKET_NAME": "models",
        "LITELLM_CONFIG_BUCKET_OBJECT_KEY": "served/config.yaml",
    }
    with running_litellm(fleet.config, environ) as proxy:
        reply = httpx.get(
            f"{proxy.base_url}/v1/models", headers={"authorization": f"Bearer {proxy.master_key}"}
        )
    served = {row["id"] for row in reply.json()["data"]}
    assert set(names(held.content.decode())) <= served
    assert "my-local-model" not in served, "the file beside it is not what it reads"
