"""The wheel carries all that an installation needs: code, type marker, licence, migrations and contract artifacts."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.requirements import PROJECT

UV = PROJECT / ".tools" / "bin" / "uv"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a freshly built wheel, by their path in it."""
    if not UV.is_file():
        pytest.skip("uv is not in .tools: run scripts/setup")
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--out-dir", folder],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def project_files(folder: Path, pattern: str) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob(pattern) if path.is_file()}


@pytest.mark.slow
def test_wheel__contract_artifacts__are_those_of_the_repository(wheel: dict[str, bytes]) -> None:
    artifacts = project_files(PROJECT / "contracts" / "abi", "*.json")
    prefix = "navoracle/chain/abi/"
    packed = {name.removeprefix(prefix): data for name, data in wheel.items() if name.startswith(prefix)}
    assert "NavRegistry.json" in artifacts
    assert {name: data for name, data in packed.items() if name.endswith(".json")} == artifacts


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["*.py", "py.typed", "*.mako", "*.ini"])
def test_wheel__package_files__are_all_in_it(wheel: dict[str, bytes], pattern: str) -> None:
    for name, data in project_files(PROJECT / "navoracle", pattern).items():
        assert wheel.get(f"navoracle/{name}") == data, name


@pytest.mark.slow
def test_wheel__example_configurations__are_those_of_the_repository(wheel: dict[str, bytes]) -> None:
    prefix = "navoracle/demo/config/"
    packed = {name.removeprefix(prefix): data for name, data in wheel.items() if name.startswith(prefix)}
    assert packed == project_files(PROJECT / "config", "*")


@pytest.mark.slow
def test_wheel__metadata__names_licence_and_command(wheel: dict[str, bytes]) -> None:
    (licence,) = (data for name, data in wheel.items() if name.endswith(".dist-info/licenses/LICENSE"))
    (commands,) = (data for name, data in wheel.items() if name.endswith(".dist-info/entry_points.txt"))
    assert licence == (PROJECT / "LICENSE").read_bytes()
    assert b"navoracle = navoracle.cli.main:main" in commands


@pytest.mark.slow
def test_wheel__everything_else__is_left_out(wheel: dict[str, bytes]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"navoracle"}
