"""What `kubectl kustomize` makes of a folder, as far as the shipped ones go."""

import base64
import copy
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
KNOWN = {
    "apiVersion", "kind", "resources", "namespace", "namePrefix", "labels", "configMapGenerator", "secretGenerator",
}  # fmt: skip
"""A folder that uses another word must be rendered by the real program."""


def render(folder: Path) -> list[Object]:
    """The objects of a folder with a kustomization."""
    head = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert head["kind"] == "Kustomization"
    assert head.keys() <= KNOWN, head.keys() - KNOWN
    found: list[Object] = []
    for name in head.get("resources", ()):
        place = folder / name
        assert place.exists(), f"{folder}: no {name}"
        found += render(place) if place.is_dir() else list(yaml.safe_load_all(place.read_text()))
    found = copy.deepcopy(found)
    for kind, word in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for entry in head.get(word, ()):
            _generate(found, kind, entry, folder)
    for entry in head.get("labels", ()):
        for item in found:
            _label(item, entry["pairs"])
    if prefix := head.get("namePrefix"):
        _prefix(found, prefix)
    for item in found:
        if "namespace" in head and item["kind"] != "Namespace":
            item["metadata"]["namespace"] = head["namespace"]
    return found


def _generate(found: list[Object], kind: str, entry: Object, folder: Path) -> None:
    data = {}
    for path in map(Path, entry["files"]):
        file = folder / path
        assert file.exists() or kind == "Secret", f"{folder}: no {path}"
        text = file.read_text() if file.exists() else "from a file of the owner"
        data[path.name] = text if kind == "ConfigMap" else base64.b64encode(text.encode()).decode()
    made = {"apiVersion": "v1", "kind": kind, "metadata": {"name": entry["name"]}, "data": data}
    same = [item for item in found if (item["kind"], item["metadata"]["name"]) == (kind, entry["name"])]
    assert bool(same) == (entry.get("behavior") == "replace"), entry
    for item in same:
        found.remove(item)
    found.append(made)


def _label(item: Object, pairs: dict[str, str]) -> None:
    item["metadata"].setdefault("labels", {}).update(pairs)
    spec = item.get("spec", {})
    if item["kind"] == "StatefulSet":
        spec["selector"]["matchLabels"].update(pairs)
        spec["template"]["metadata"]["labels"].update(pairs)
    elif item["kind"] == "Service":
        spec["selector"].update(pairs)
    elif item["kind"] == "NetworkPolicy":
        spec["podSelector"]["matchLabels"].update(pairs)


def _prefix(found: list[Object], prefix: str) -> None:
    """Rename the objects, and those names where they are referred to."""
    names = {(item["kind"], item["metadata"]["name"]) for item in found}
    for item in found:
        item["metadata"]["name"] = prefix + item["metadata"]["name"]
        if item["kind"] == "StatefulSet":
            spec = item["spec"]
            if ("Service", spec["serviceName"]) in names:
                spec["serviceName"] = prefix + spec["serviceName"]
            for volume in spec["template"]["spec"]["volumes"]:
                for kind, part, word in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
                    if part in volume and (kind, volume[part][word]) in names:
                        volume[part][word] = prefix + volume[part][word]
