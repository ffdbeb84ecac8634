"""Two replicas of LiteLLM behind a balancer, on an object that rollcall keeps current: no call
fails while changes are rolled out. `ROLLCALL_CHANGES=10` makes ten, `--log-cli-level=INFO` counts.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import httpx
import pytest

pytest.importorskip("obstore", reason="the extra `fleet` is not installed")

from rollcall.store.object_home import ObjectHome
from tests.house import House
from tests.litellm_proxy import MASTER_KEY, running_litellm
from tests.loopback import Answering, listening
from tests.stores import Bucket, moto

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator

pytestmark = pytest.mark.litellm

LOG = logging.getLogger(__name__)
CHANGES = int(os.environ.get("ROLLCALL_CHANGES", "1"))
POLICY = """
allow:
  - {family: glm, from: [openrouter], newest: 1}
aliases: {default: {family: glm}}
"""


class Balancer(Answering):
    """Passes each call to the next replica; one that is to stop gets no more, and ends its own."""

    protocol_version = "HTTP/1.1"
    lock: ClassVar[threading.Condition]
    replicas: ClassVar[list[str]]
    calling: ClassVar[Counter[str]]

    def do_POST(self) -> None:
        """One call."""
        body = self.sent()
        with self.lock:
            replica = self.replicas.pop(0)
            self.replicas.append(replica)
            self.calling[replica] += 1
        try:
            connection = http.client.HTTPConnection(urlsplit(replica).netloc, timeout=300)
            connection.request("POST", self.path, body, dict(self.headers.items()))
            reply = connection.getresponse()
            status, text = reply.status, reply.read()
            connection.close()
        except OSError as error:
            status, text = 502, str(error).encode()
        finally:
            with self.lock:
                self.calling[replica] -= 1
                self.lock.notify_all()
        self.say(status, text)


class Fleet:
    """Two replicas, the balancer before them, and clients that call all the while."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder, self.environ = folder, environ
        self.stack = contextlib.ExitStack()
        state = {"lock": threading.Condition(), "replicas": [], "calling": Counter()}
        self.handler: Any = type("Here", (Balancer,), state)
        self.url = f"http://127.0.0.1:{self.stack.enter_context(listening(self.handler))}"
        self.ends: dict[str, contextlib.ExitStack] = {}
        self.names = ["default"]
        self.answers: Counter[tuple[str, int]] = Counter()
        self.failures: list[str] = []
        self.done = threading.Event()

    def start_one(self) -> None:
        """One replica more, ready before it is called."""
        stack = self.stack.enter_context(contextlib.ExitStack())
        folder = self.folder / f"replica-{time.monotonic_ns()}"
        folder.mkdir()
        (folder / "config.yaml").write_text("model_list: []\n", encoding="utf-8")
        proxy = stack.enter_context(
            running_litellm(folder / "config.yaml", self.environ, ready_seconds=600)
        )
        with self.handler.lock:
            self.handler.replicas.append(proxy.base_url)
        self.ends[proxy.base_url] = stack

    def stop_oldest(self) -> None:
        """It gets no more calls, ends those it has, and stops."""
        url = next(iter(self.ends))
        with self.handler.lock:
            self.handler.replicas.remove(url)
            self.handler.lock.wait_for(lambda: not self.handler.calling[url], 60)
        self.ends.pop(url).close()

    def restart(self) -> None:
        """As a Deployment does it: a new one is ready before an old one stops."""
        for _ in range(2):
            self.start_one()
            self.stop_oldest()

    def call(self) -> None:
        """A client, until it is done."""
        headers = {"authorization": f"Bearer {MASTER_KEY}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=300) as client:
            while not self.done.wait(0.2):
                for name in list(self.names):
                    body = {"model": name, "messages": [{"role": "user", "content": "Hello"}]}
                    reply = client.post("/v1/chat/completions", json=body)
                    self.answers[name, reply.status_code] += 1
                    if reply.status_code != 200:
                        self.failures.append(f"{name}: {reply.status_code} {reply.text[:300]}")

    @contextlib.contextmanager
    def called(self) -> Iterator[None]:
        """Two clients."""
        clients = [threading.Thread(target=self.call, daemon=True) for _ in range(2)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self.done.set()
            for client in clients:
                client.join()


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    folder = tmp_path / "moto"
    folder.mkdir()
    with moto(folder) as made:
        yield made


def test_no_call_fails_while_changes_are_rolled_out(
    tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch, bucket: Bucket
) -> None:
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy(POLICY, "openrouter")
    for name, value in bucket.environ.items():
        monkeypatch.setenv(name, value)
    address = f"{bucket.url}/fleet/config.yaml"
    monkeypatch.setenv("ROLLCALL_CONFIG", address)
    ObjectHome.at(address, bucket.environ).write(b"model_list: []\n", None)
    first = newest(house)
    fleet = Fleet(
        tmp_path,
        {
            **bucket.environ,
            **sim.environ(),
            "LITELLM_CONFIG_BUCKET_NAME": "models",
            "LITELLM_CONFIG_BUCKET_OBJECT_KEY": "fleet/config.yaml",
        },
    )
    with fleet.stack:
        fleet.start_one()
        fleet.start_one()
        fleet.names.append(first)
        with fleet.called():
            for change in range(CHANGES):
                house.later(change + 1)
                release(sim, f"z-ai/glm-{9 + change}.1")
                new = newest(house)
                assert new not in fleet.names, "a change that changes nothing shows nothing"
                fleet.restart()
                fleet.names.append(new)  # announced once the rollout is over
                del fleet.names[1:-2]  # a client that named a model goes on for one change more
                LOG.info(
                    "%d changes, %d calls, %d failed",
                    change + 1, fleet.answers.total(), len(fleet.failures),
                )  # fmt: skip
    assert not fleet.failures
    assert fleet.answers["default", 200] > 5 * CHANGES
    asked = {json.loads(call.body)["model"] for call in sim.calls("openrouter") if call.body}
    assert len(asked) > CHANGES, "the alias moved"


def release(sim: Simulator, model_id: str) -> None:
    """A newer model in the provider's list; the older ones stay there."""
    rows: list[Any] = sim.rows("openrouter")
    row = next(row for row in rows if "/glm" in row["id"])
    day = 1_763_600_000 + 86_400 * int(float(model_id.rpartition("-")[2]))
    sim.set_rows(
        "openrouter", [{**row, "id": model_id, "canonical_slug": model_id, "created": day}, *rows]
    )


def newest(house: House) -> str:
    """Apply; the name the alias leads to."""
    assert house.run("apply").code == 0
    models = house.run("models", "--json").json()
    return next(str(row["name"]) for row in models if "default" in row["aliases"])
