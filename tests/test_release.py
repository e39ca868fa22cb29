"""The workflows of the forge, as far as they can be judged without it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
RELEASE: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_to_a_commit_and_says_its_version(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_version_in_all_workflows() -> None:
    used = {action for file in WORKFLOWS for action in re.findall(r"uses: (\S+)", file.read_text())}
    assert len(used) == len({action.partition("@")[0] for action in used})


def test_nothing_is_released_that_was_not_tested() -> None:
    jobs = RELEASE["jobs"]
    assert "make test" in {step.get("run") for step in jobs["test"]["steps"]}
    assert all(job["needs"] == "test" for name, job in jobs.items() if name != "test")


def test_a_job_may_do_what_it_must_and_no_more() -> None:
    assert RELEASE["permissions"] == {"contents": "read"}
    assert RELEASE["jobs"]["package"]["permissions"] == {
        "contents": "write",
        "id-token": "write",
        "attestations": "write",
    }
    assert RELEASE["jobs"]["image"]["permissions"]["contents"] == "read"
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text(), "no token is stored"


def test_wheel_source_image_and_add_on_come_with_their_provenance() -> None:
    steps = [step for job in ("package", "image") for step in RELEASE["jobs"][job]["steps"]]
    attested = [step["with"] for step in steps if "attest-build-provenance" in step.get("uses", "")]
    assert [set(each) for each in attested] == [
        {"subject-path"},
        {"subject-name", "subject-digest", "push-to-registry"},
    ]
    build = next(step["with"] for step in steps if "build-push-action" in step.get("uses", ""))
    assert build["platforms"] == "linux/amd64,linux/arm64"
    assert (build["provenance"], build["sbom"]) == ("mode=max", True)
    made = next(step["run"] for step in steps if "ARG IMAGE" in step.get("run", ""))
    published = next(step["run"] for step in steps if "gh release create" in step.get("run", ""))
    (archive,) = re.findall(r"tar -czf (\S+)", made)
    assert archive in published
    assert archive in attested[0]["subject-path"]


def test_no_word_of_a_stranger_becomes_a_command() -> None:
    """What somebody outside chooses comes through the environment, never into the text of a script."""
    for file in WORKFLOWS:
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), step


def test_the_package_can_be_built_by_what_the_release_calls() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["build-system"]["build-backend"] == "setuptools.build_meta"
    assert "pipx run build" in {step.get("run") for step in RELEASE["jobs"]["package"]["steps"]}
