"""A config in a ConfigMap of a real cluster: writers, rollouts, rights. `make test-kubernetes`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

pytest.importorskip("kubernetes", reason="the extra `fleet` is not installed")

from rollcall.errors import StoreError
from rollcall.store.configmap_home import MOST_BYTES, ConfigMapHome
from rollcall.store.remote import RemoteStore
from tests.house import OWN, House
from tests.kubernetes.cluster import BINARIES, Cluster, Refused, eventually, kubelet, serving
from tests.racing import race

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator

pytestmark = [
    pytest.mark.skipif(
        not BINARIES, reason="a kube-apiserver takes minutes to build: make test-kubernetes"
    ),
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

POLICY = "allow:\n  - {family: glm, from: [openrouter], newest: 1}\n"
ADDRESS = "configmap://ai/litellm/config.yaml"
MAP, MEMORY = (
    f"/api/v1/namespaces/ai/configmaps/{name}" for name in ("litellm", "litellm-rollcall")
)
DEPLOYMENT = "/apis/apps/v1/namespaces/ai/deployments/litellm"
PODS = "/api/v1/namespaces/ai/pods"
ROLE = "/apis/rbac.authorization.k8s.io/v1/namespaces/ai/roles/rollcall"
EXAMPLE = Path(__file__).parents[2] / "examples" / "kubernetes" / "rollcall.yaml"
ROLLOUT = ("apply", "--rollout", "deployment/litellm", "--rollout-timeout", "60s")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with serving(tmp_path_factory.mktemp("cluster")) as served, kubelet(served):
        yield served


@pytest.fixture(autouse=True)
def furnished(cluster: Cluster) -> Iterator[None]:
    """A ConfigMap of the user's, and nothing of ours."""
    cluster.bad = None
    metadata = {"name": "litellm", "namespace": "ai", "labels": {"team": "ai"}}
    data = {"config.yaml": OWN, "other": "mine"}
    for path in (MAP, MEMORY):
        if cluster.found(path):
            cluster.ask("DELETE", path)
    cluster.ask("POST", MAP.rpartition("/")[0], {"metadata": metadata, "data": data})
    yield
    if cluster.found(DEPLOYMENT):
        for path in (DEPLOYMENT, DEPLOYMENT.replace("deployments/litellm", "replicasets"), PODS):
            cluster.ask("DELETE", path)
        eventually(lambda: not cluster.ask("GET", PODS)["items"])


@pytest.fixture
def fleet(
    tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> House:
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy(POLICY, "openrouter")
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig()))
    monkeypatch.setenv("ROLLCALL_CONFIG", ADDRESS)
    return house


def deploy(cluster: Cluster) -> None:
    """LiteLLM's Deployment, two pods of it ready."""
    labels = {"app": "litellm"}
    template = {
        "metadata": {"labels": labels, "annotations": {"own": "kept"}},
        "spec": {"containers": [{"name": "litellm", "image": "x"}]},
    }
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": template,
        "progressDeadlineSeconds": 8,
    }
    cluster.ask(
        "POST", DEPLOYMENT.rpartition("/")[0], {"metadata": {"name": "litellm"}, "spec": spec}
    )
    eventually(lambda: is_ready(cluster))


def is_ready(cluster: Cluster) -> bool:
    found = cluster.ask("GET", DEPLOYMENT)
    status = found["status"]
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    return bool(seen and status.get("updatedReplicas") == status.get("availableReplicas") == 2)


def config(cluster: Cluster) -> str:
    return str(cluster.ask("GET", MAP)["data"]["config.yaml"])


def marks_of(cluster: Cluster) -> dict[str, str]:
    return dict(cluster.ask("GET", DEPLOYMENT)["spec"]["template"]["metadata"]["annotations"])


def store_at(cluster: Cluster, folder: Path) -> RemoteStore:
    home = ConfigMapHome.at(ADDRESS, {"KUBECONFIG": str(cluster.kubeconfig())})
    return RemoteStore(folder / "config.yaml", folder, home=home)


def test_the_whole_life_of_a_config(fleet: House, cluster: Cluster) -> None:
    fleet.applied()
    found = cluster.ask("GET", MAP)
    assert found["data"]["other"] == "mine"
    assert found["metadata"]["labels"] == {"team": "ai"}
    assert len(yaml.safe_load(found["data"]["config.yaml"])["model_list"]) == 2
    for _ in range(5):
        assert "Nothing to change" in fleet.run("apply").out
    versions = [cluster.ask("GET", path)["metadata"]["resourceVersion"] for path in (MAP, MEMORY)]
    fleet.applied()
    assert versions == [
        cluster.ask("GET", path)["metadata"]["resourceVersion"] for path in (MAP, MEMORY)
    ], "a run without effect writes nothing"
    assert f"version {versions[0]}, last written by" in fleet.run("status").out
    assert fleet.run("doctor").code in (0, 1)
    assert fleet.run("rollback").code == 0
    assert config(cluster) == OWN


def test_of_twelve_writers_one_wins_ten_times(cluster: Cluster, tmp_path: Path) -> None:
    text = OWN.encode()
    for turn in range(10):
        stores = [store_at(cluster, tmp_path) for _ in range(12)]
        text = race(stores, text, turn + 1)


def test_a_stale_put_plans_again(
    fleet: House, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = ConfigMapHome.write
    times: list[int] = []

    def late(self: ConfigMapHome, content: bytes, version: str | None) -> str:
        if not times:
            times.append(1)
            found = cluster.ask("GET", MAP)
            found["data"]["config.yaml"] = f"# theirs\n{OWN}"
            cluster.ask("PUT", MAP, found)
        return writing(self, content, version)

    monkeypatch.setattr(ConfigMapHome, "write", late)
    fleet.applied()
    assert config(cluster).startswith("# theirs")
    assert "managed_by" in config(cluster)


def test_our_limit_is_the_servers(cluster: Cluster, tmp_path: Path) -> None:
    store = store_at(cluster, tmp_path)
    text = store.read_config()
    room = MOST_BYTES - len("config.yaml") - len("other") - len("mine")
    found = cluster.ask("GET", MAP)
    with pytest.raises(StoreError, match="a ConfigMap takes"):
        store.home.write(b"#" * (room + 1), found["metadata"]["resourceVersion"])
    found["data"]["config.yaml"] = "#" * (MOST_BYTES + 1)
    with pytest.raises(Refused) as refused:
        cluster.ask("PUT", MAP, found)
    assert refused.value.status == 422
    assert store.read_config() == text
    store.home.write(b"#" * room, found["metadata"]["resourceVersion"])
    assert len(store.read_config()) == room


def test_a_rollout_that_succeeds(fleet: House, cluster: Cluster) -> None:
    deploy(cluster)
    ran = fleet.run(*ROLLOUT)
    assert ran.code == 0, ran.text
    assert is_ready(cluster)
    assert marks_of(cluster)["own"] == "kept"
    assert len(marks_of(cluster)["rollcall/config-sha256"]) == 64
    generation = cluster.ask("GET", DEPLOYMENT)["metadata"]["generation"]
    assert fleet.run(*ROLLOUT).code == 0
    assert cluster.ask("GET", DEPLOYMENT)["metadata"]["generation"] == generation


def test_a_rollout_that_fails_is_put_back(fleet: House, cluster: Cluster) -> None:
    deploy(cluster)
    cluster.bad = "managed_by"
    ran = fleet.run(*ROLLOUT)
    assert ran.code == 1, ran.text
    assert "CrashLoopBackOff, back-off restarting litellm" in ran.err
    assert "is back, and rolled out again" in ran.err
    assert len(ran.err.splitlines()[-2:]) == 2
    assert config(cluster) == OWN
    assert is_ready(cluster)


def as_account(fleet: House, cluster: Cluster) -> str:
    """Apply the example, and be its service account from here on; its token."""
    for row in yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8")):
        if row["kind"] != "CronJob":
            with_conflict(cluster, row)
    account = "/api/v1/namespaces/ai/serviceaccounts/rollcall/token"
    token = cluster.ask("POST", account, {"spec": {"expirationSeconds": 3600}})
    made = str(token["status"]["token"])
    fleet.monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig(made)))
    return made


def with_conflict(cluster: Cluster, row: Any, query: str = "") -> Any:
    """Create an object, or replace the one that is there."""
    version = row["apiVersion"]
    group = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    path = f"{group}/namespaces/ai/{row['kind'].lower()}s"
    if cluster.found(f"{path}/{row['metadata']['name']}"):
        return cluster.ask("PUT", f"{path}/{row['metadata']['name']}{query}", row)
    return cluster.ask("POST", f"{path}{query}", row)


def test_the_example_is_what_the_server_takes(cluster: Cluster) -> None:
    """A server of 1.20 knows the CronJob as v1beta1; test_fleet_kubernetes has it as v1."""
    for row in yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8")):
        if row["kind"] == "CronJob":
            row["apiVersion"] = "batch/v1beta1"
        made = with_conflict(cluster, row, "?dryRun=All")
        for key, value in (row.get("spec") or {}).items():
            assert key in made["spec"], (row["kind"], key, value)


def test_the_examples_account_may_do_what_is_needed(fleet: House, cluster: Cluster) -> None:
    token = as_account(fleet, cluster)
    deploy(cluster)
    ran = fleet.run(*ROLLOUT)
    assert ran.code == 0, ran.text
    cluster.bad = "managed_by"
    fleet.write_policy(POLICY.replace("newest: 1", "newest: 2"), "openrouter")
    before = config(cluster)
    ran = fleet.run(*ROLLOUT)
    assert ran.code == 1, ran.text
    assert "CrashLoopBackOff" in ran.err
    assert config(cluster) == before
    assert token not in ran.text


@pytest.mark.parametrize(
    ("verb", "resource", "group"),
    [
        ("list", "configmaps", ""), ("delete", "configmaps", ""), ("create", "configmaps", ""),
        ("get", "secrets", ""), ("create", "pods", ""), ("get", "pods", ""),
        ("delete", "deployments", "apps"), ("update", "deployments", "apps"),
    ],
)  # fmt: skip
def test_the_examples_account_may_do_no_more(
    fleet: House, cluster: Cluster, verb: str, resource: str, group: str
) -> None:
    as_account(fleet, cluster)
    user = "system:serviceaccount:ai:rollcall"
    asked = {"namespace": "ai", "verb": verb, "resource": resource, "group": group}
    review = {"spec": {"user": user, "resourceAttributes": asked}}
    made = cluster.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert made["status"]["allowed"] is False


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("get", "configmaps"), ("update", "configmaps"), ("get", "deployments"),
        ("patch", "deployments"), ("list", "pods"),
    ],
)  # fmt: skip
def test_each_missing_verb_is_told_in_two_lines(
    fleet: House, cluster: Cluster, verb: str, resource: str
) -> None:
    as_account(fleet, cluster)
    deploy(cluster)
    role = cluster.ask("GET", ROLE)
    for rule in role["rules"]:
        if resource in rule["resources"]:
            rule["verbs"] = [kept for kept in rule["verbs"] if kept != verb] or ["watch"]
    cluster.ask("PUT", ROLE, role)
    cluster.bad = "managed_by" if resource == "pods" else None
    ran = fleet.run(*ROLLOUT)
    assert ran.code == 1, ran.text
    assert len(ran.err.splitlines()) == 2, ran.err
    assert f"`{verb}`" in ran.err
    assert config(cluster) == OWN, "what could not be rolled out is not left there"


def test_a_token_that_is_none_is_told_in_two_lines(fleet: House, cluster: Cluster) -> None:
    fleet.monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig("an-expired-token-12345")))
    ran = fleet.run("apply")
    assert (ran.code, len(ran.err.splitlines())) == (1, 2)
    assert "does not know us" in ran.err
    assert "an-expired-token-12345" not in ran.text
