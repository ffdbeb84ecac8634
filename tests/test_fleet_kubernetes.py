"""A config in a ConfigMap: on a small server that keeps resourceVersion as the API server does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import urllib3
import yaml

pytest.importorskip("kubernetes", reason="the extra `fleet` is not installed")

from rollcall.errors import LostRace, StoreError
from rollcall.store.configmap_home import MOST_BYTES, ConfigMapHome
from rollcall.store.remote import RemoteStore
from tests.house import OWN, House
from tests.kube_server import Cluster, serving
from tests.platforms import not_on_windows
from tests.racing import NOON

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator

pytestmark = not_on_windows("clusters are reached from Linux")

POLICY = "allow:\n  - {family: glm, from: [openrouter], newest: 1}\n"
ADDRESS = "configmap://ai/litellm"
PATH = "/api/v1/namespaces/ai/configmaps/litellm"
EXAMPLE = Path(__file__).parents[1] / "examples" / "kubernetes" / "rollcall.yaml"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Cluster, Path]]:
    with serving(tmp_path) as found:
        cluster, _ = found
        metadata = {"name": "litellm", "namespace": "ai", "labels": {"team": "ai"}}
        cluster.put(PATH, {"metadata": metadata, "data": {"config.yaml": OWN, "other": "mine"}})
        yield found


@pytest.fixture
def cluster(served: tuple[Cluster, Path]) -> Cluster:
    return served[0]


@pytest.fixture
def fleet(
    tmp_path: Path,
    sim: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    served: tuple[Cluster, Path],
) -> House:
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy(POLICY, "openrouter")
    monkeypatch.setenv("KUBECONFIG", str(served[1]))
    monkeypatch.setenv("ROLLCALL_CONFIG", ADDRESS)
    return house


def store_at(served: tuple[Cluster, Path], folder: Path) -> RemoteStore:
    home = ConfigMapHome.at(ADDRESS, {"KUBECONFIG": str(served[1])})
    return RemoteStore(folder / "config.yaml", folder, home=home)


def test_the_whole_life_of_a_config_in_a_configmap(fleet: House, cluster: Cluster) -> None:
    fleet.applied()
    found = cluster.config_map("litellm")
    assert found["data"]["other"] == "mine"
    assert found["metadata"]["labels"] == {"team": "ai"}
    assert len(yaml.safe_load(found["data"]["config.yaml"])["model_list"]) == 2
    before = len(cluster.requests)
    for _ in range(3):
        assert "Nothing to change" in fleet.run("apply").out
    assert not [row for row in cluster.requests[before:] if not row.startswith("get")]
    assert "last written by" in fleet.run("status").out
    assert fleet.run("models", "--json").json()
    assert fleet.run("doctor").code in (0, 1)
    assert fleet.run("rollback").code == 0
    assert cluster.config_map("litellm")["data"]["config.yaml"] == OWN


def test_where_nothing_was_nothing_is_written_over(
    served: tuple[Cluster, Path], tmp_path: Path
) -> None:
    """A key that came after we looked is somebody else's, also once we have seen it."""
    cluster, kubeconfig = served
    home = ConfigMapHome.at(f"{ADDRESS}/new.yaml", {"KUBECONFIG": str(kubeconfig)})
    assert home.read() is None
    found = cluster.config_map("litellm")
    cluster.put(PATH, {**found, "data": {**found["data"], "new.yaml": "theirs"}})
    for _ in range(2):
        with pytest.raises(LostRace):
            home.write(b"ours", None)
        held = home.read()
    assert held is not None
    assert held.content == b"theirs"
    home.write(b"ours", held.version)
    assert cluster.config_map("litellm")["data"]["new.yaml"] == "ours"


def test_what_does_not_fit_is_refused(served: tuple[Cluster, Path], tmp_path: Path) -> None:
    store = store_at(served, tmp_path)
    text = store.read_config()
    with pytest.raises(StoreError, match="a ConfigMap takes"):
        store.write_config(b"#" * MOST_BYTES, expected=text, created=NOON, reason="big")
    assert store.read_config() == text
    assert store.backups() == ()


def test_a_full_memory_lets_the_oldest_configs_go(
    served: tuple[Cluster, Path], tmp_path: Path
) -> None:
    store = store_at(served, tmp_path)
    texts = [random.Random(turn).randbytes(100_000).hex().encode() for turn in range(14)]
    for text in texts:
        store.write_config(text, expected=store.read_config(), created=NOON, reason="new")
    assert store.read_config() == texts[-1]
    kept = [store.read_backup(row.id) for row in store.backups()]
    assert 5 < len(kept) < len(texts)
    assert kept == texts[-2 : -2 - len(kept) : -1], "the newest, each whole"


@pytest.mark.parametrize(
    "denied",
    [
        "get configmaps", "update configmaps", "create configmaps", "get deployments",
        "patch deployments", "list pods",
    ],
)  # fmt: skip
def test_each_missing_verb_is_told_in_two_lines(
    fleet: House, cluster: Cluster, denied: str
) -> None:
    cluster.add_deployment("litellm")
    cluster.denied.add(denied)
    cluster.fails_on = "managed_by" if denied == "list pods" else None
    ran = fleet.run("apply", "--rollout", "deployment/litellm")
    verb = denied.split()[0]
    assert ran.code == 1, ran.text
    said, hint = ran.err.splitlines()
    assert f"does not let us {verb}" in said
    assert f"`{verb}`" in hint
    text = cluster.config_map("litellm")["data"]["config.yaml"]
    assert text == OWN, "what could not be rolled out is not left there"


def test_who_is_not_known_hears_it_in_two_lines(fleet: House, cluster: Cluster) -> None:
    cluster.token = "another"
    ran = fleet.run("apply")
    assert (ran.code, len(ran.err.splitlines())) == (1, 2)
    assert "does not know us (401)" in ran.err
    assert "a-token-of-the-tests" not in ran.text


def test_a_rollout_that_succeeds(fleet: House, cluster: Cluster) -> None:
    path = cluster.add_deployment("litellm")
    assert fleet.run("apply", "--rollout", "deployment/litellm").code == 0
    annotations = cluster.objects[path]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["own"] == "kept"
    assert len(annotations["rollcall/config-sha256"]) == 64
    generation = cluster.objects[path]["metadata"]["generation"]
    assert fleet.run("apply", "--rollout", "deployment/litellm").code == 0
    assert cluster.objects[path]["metadata"]["generation"] == generation, "nothing changed"


def test_a_rollout_that_fails_is_put_back(fleet: House, cluster: Cluster) -> None:
    path = cluster.add_deployment("litellm")
    cluster.fails_on = "managed_by"
    ran = fleet.run("apply", "--rollout", "deployment/litellm")
    assert ran.code == 1
    assert "CrashLoopBackOff" in ran.err
    assert "is back, and rolled out again" in ran.err
    assert cluster.config_map("litellm")["data"]["config.yaml"] == OWN
    assert cluster.objects[path]["metadata"]["generation"] == 3, "rolled out, and back"


def test_a_pod_that_finds_no_node_is_said(fleet: House, cluster: Cluster) -> None:
    cluster.add_deployment("litellm")
    cluster.fails_on = "managed_by"
    cluster.pod_status = {
        "conditions": [{"reason": "Unschedulable", "message": "0/3 nodes are available."}]
    }
    ran = fleet.run("apply", "--rollout", "deployment/litellm")
    assert "litellm-7d9: Unschedulable, 0/3 nodes are available. The config before" in ran.err


def test_no_request_to_the_cluster_waits_for_ever(fleet: House, cluster: Cluster) -> None:
    bounds: list[Any] = []
    send = urllib3.PoolManager.request

    def watched(pool: urllib3.PoolManager, *given: Any, **more: Any) -> Any:
        bounds.append(more.get("timeout"))
        return send(pool, *given, **more)

    fleet.monkeypatch.setattr(urllib3.PoolManager, "request", watched)
    cluster.add_deployment("litellm")
    cluster.fails_on = "managed_by"
    assert fleet.run("apply", "--rollout", "deployment/litellm").code == 1
    assert {"patch deployments", "get deployments", "list pods"} <= set(cluster.requests)
    assert len(bounds) == len(cluster.requests)
    assert all(one is not None and one.connect_timeout and one.read_timeout for one in bounds)


def test_rollout_goes_with_a_configmap(fleet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROLLCALL_CONFIG")
    assert fleet.run("apply", "--rollout", "deployment/x").code == 2


def test_a_cluster_that_is_not_there_is_said(fleet: House, tmp_path: Path) -> None:
    fleet.monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    ran = fleet.run("apply")
    assert (ran.code, len(ran.err.splitlines())) == (1, 2)
    assert "KUBECONFIG" in ran.err


@pytest.mark.parametrize("version", ["1.25", "1.30", kubernetes_validate.latest_version()])
def test_the_example_is_of_kubernetes_own_schema(version: str) -> None:
    for row in yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8")):
        kubernetes_validate.validate(row, version, strict=True)
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate({**row, "of_ours": 1}, version, strict=True)


def test_the_example_grants_what_is_used_and_no_more(fleet: House, cluster: Cluster) -> None:
    rows = yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8"))
    objects = {row["kind"]: row for row in rows}
    granted = {
        f"{verb} {resource}"
        for rule in objects["Role"]["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    memory = {"metadata": {"name": "litellm-rollcall", "namespace": "ai"}}
    cluster.put("/api/v1/namespaces/ai/configmaps/litellm-rollcall", memory)
    cluster.add_deployment("litellm")
    cluster.fails_on = "managed_by"
    cluster.requests.clear()
    fleet.run("apply", "--rollout", "deployment/litellm")
    assert set(cluster.requests) == granted
    command = objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert command["args"][:2] == ["rollcall", "apply"]
