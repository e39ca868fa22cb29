"""The files for Kubernetes: valid by the published schemas, and true to the image and the program."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ingest.config import load
from tests.stack.kustomize import Object, render

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.29", "1.33", "1.37")
APPLICATIONS = ("north", "south", "archive")


def of_kind(found: list[Object], kind: str) -> list[Object]:
    return [item for item in found if item["kind"] == kind]


def container(stateful: Object) -> Any:
    (only,) = stateful["spec"]["template"]["spec"]["containers"]
    return only


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["base", "three-applications"])
def test_every_object_is_valid_by_the_published_schema(name: str, version: str) -> None:
    found = render(FOLDER / name)
    assert len(found) >= 4
    for item in found:
        kubernetes_validate.validate(item, version, strict=True)


def test_a_wrong_word_is_noticed() -> None:
    stateful = of_kind(render(FOLDER / "base"), "StatefulSet")[0]
    container(stateful)["livenessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(stateful, VERSIONS[-1], strict=True)


def test_it_is_one_process_with_a_volume_where_the_image_keeps_its_state() -> None:
    (stateful,) = of_kind(render(FOLDER / "base"), "StatefulSet")
    image = (ROOT / "Dockerfile").read_text()
    pod, spec = stateful["spec"]["template"]["spec"], stateful["spec"]
    assert spec["replicas"] == 1
    mounts = {mount["name"]: mount["mountPath"] for mount in container(stateful)["volumeMounts"]}
    assert f"INGEST_STATE_DIR={mounts['state']}" in image
    assert f"INGEST_CONFIG={mounts['config']}/ingest.yaml" in image
    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in image
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "state"
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_probes_and_scraping_ask_what_the_program_answers() -> None:
    (stateful,) = of_kind(render(FOLDER / "base"), "StatefulSet")
    (port,) = container(stateful)["ports"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container(stateful)[probe]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    annotations = stateful["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == "/metrics"
    assert annotations["prometheus.io/port"] == str(port["containerPort"])
    (service,) = of_kind(render(FOLDER / "base"), "Service")
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]


@pytest.mark.parametrize("folder", ["base", *(f"three-applications/{name}" for name in APPLICATIONS)])
def test_the_configuration_is_valid_and_finds_its_secrets(folder: str, tmp_path: Path) -> None:
    found = render(FOLDER / folder)
    (settings,) = of_kind(found, "ConfigMap")
    (stateful,) = of_kind(found, "StatefulSet")
    text = settings["data"]["ingest.yaml"]
    files = {entry["name"]: entry["value"] for entry in container(stateful)["env"] if entry["name"].endswith("_FILE")}
    wanted = set(re.findall(r"\$\{(\w+)\}", text))
    assert {f"{name}_FILE" for name in wanted} <= files.keys()
    place = {mount["name"]: mount["mountPath"] for mount in container(stateful)["volumeMounts"]}["credentials"]
    for secret in of_kind(found, "Secret"):
        assert {f"{place}/{name}" for name in secret["data"]} == set(files.values())
    path = tmp_path / "ingest.yaml"
    path.write_text(text)
    made = load(path, dict.fromkeys(wanted, "a secret of some length"))
    assert made.web is not None
    assert made.web.port == container(stateful)["ports"][0]["containerPort"]
    assert made.missing_credentials() == []


def test_three_applications_share_nothing() -> None:
    found = render(FOLDER / "three-applications")
    names = Counter((item["kind"], item["metadata"]["name"]) for item in found)
    assert set(names.values()) == {1}
    sets = of_kind(found, "StatefulSet")
    assert [item["metadata"]["name"] for item in sets] == [f"{name}-ingest" for name in APPLICATIONS]
    volumes = [
        volume.get("configMap", {}).get("name") or volume.get("secret", {}).get("secretName")
        for item in sets
        for volume in item["spec"]["template"]["spec"]["volumes"]
    ]
    used = [name for name in volumes if name]
    assert len(used) == len(set(used)) == 6
    assert {("ConfigMap", name) for name in used} | {("Secret", name) for name in used} >= {
        key for key in names if key[0] in ("ConfigMap", "Secret")
    }


def test_each_service_and_policy_selects_the_pods_of_its_own_application() -> None:
    found = render(FOLDER / "three-applications")
    pods = {
        item["metadata"]["name"]: item["spec"]["template"]["metadata"]["labels"]
        for item in of_kind(found, "StatefulSet")
    }
    selectors = {item["metadata"]["name"]: item["spec"]["selector"] for item in of_kind(found, "Service")}
    policies = {
        item["metadata"]["name"]: item["spec"]["podSelector"]["matchLabels"] for item in of_kind(found, "NetworkPolicy")
    }
    for wanted in (selectors, policies):
        for name, selector in wanted.items():
            assert [pod for pod, labels in pods.items() if selector.items() <= labels.items()] == [name]


def test_no_secret_is_in_a_file_of_the_repository() -> None:
    for folder in (FOLDER / "three-applications" / name / "secrets" for name in APPLICATIONS):
        assert (folder / ".gitignore").read_text().splitlines() == ["*", "!.gitignore"]
    for path in FOLDER.rglob("*.yaml"):
        for item in yaml.safe_load_all(path.read_text()):
            assert item.get("kind") != "Secret", path
