"""Pictures in files: what cannot be drawn or kept is refused before and after, and equal slots give equal bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from navoracle.domain.errors import UsageError
from navoracle.pictures import files
from navoracle.pictures.files import check_picture_file, picture_bytes, write_picture
from navoracle.pictures.slots import FundPicture
from tests.unit.pictures.builders import estimate, slot

PICTURE = FundPicture(
    "fund $1$",
    "Test",
    (
        slot(0, prices={"USDC": estimate("1", {"a": "1", "_b": "1.2"}, excluded=[("USDC._b", "outlier")])}),
        slot(1, state="held", reason="registry:step", prices={"USDC": estimate(None)}),
    ),
)


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("A.PNG", b"\x89PNG")])
def test_files__suffix__decides_the_format(tmp_path: Path, name: str, begins: bytes) -> None:
    write_picture(PICTURE, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_files__same_slots__give_the_same_bytes(suffix: str) -> None:
    assert picture_bytes(PICTURE, suffix) == picture_bytes(PICTURE, suffix)


def test_files__another_process__gives_the_same_svg(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.unit.pictures.test_files import PICTURE;"
        "from navoracle.pictures.files import write_picture; write_picture(PICTURE, Path(sys.argv[1]))"
    )
    path = tmp_path / "a.svg"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, env={"PYTHONHASHSEED": "7"}, cwd=Path.cwd())
    assert path.read_bytes() == picture_bytes(PICTURE, ".svg")


def test_files__settings_of_the_machine__change_nothing() -> None:
    import matplotlib

    before = picture_bytes(PICTURE, ".svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "timezone": "Asia/Tokyo"}):
        assert picture_bytes(PICTURE, ".svg") == before


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.png.txt"])
def test_files__another_suffix__is_refused_with_those_that_are_known(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="PNG or SVG") as caught:
        check_picture_file(tmp_path / name)
    assert ".png or .svg" in caught.value.advice


def test_files__no_such_folder_or_a_folder__is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        check_picture_file(tmp_path / "nowhere" / "a.png")
    (tmp_path / "a.png").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        check_picture_file(tmp_path / "a.png")


def test_files__file_that_cannot_be_written__is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, data: bytes) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(UsageError, match=r"a\.png: cannot be written: Permission denied"):
        write_picture(PICTURE, tmp_path / "a.png")


def test_files__without_matplotlib__name_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match="need matplotlib") as caught:
        check_picture_file(tmp_path / "a.png")
    assert files.EXTRA in caught.value.advice


def test_files__until_a_picture_is_drawn__do_not_load_matplotlib() -> None:
    code = (
        "import sys, navoracle.pictures.files, navoracle.pictures.slots; raise SystemExit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
