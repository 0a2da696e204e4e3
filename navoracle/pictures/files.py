"""Pictures in files: PNG or SVG by the file's name. matplotlib is imported when there is one to draw."""

from __future__ import annotations

import importlib
import io
from pathlib import Path
from typing import Any, Final

from navoracle.domain.errors import UsageError
from navoracle.pictures.slots import FundPicture

SUFFIXES: Final = (".png", ".svg")
EXTRA: Final = "navoracle[plot]"


def check_picture_file(path: Path) -> None:
    """Find out before the work whether a picture can be drawn and kept there.

    Raises:
        UsageError: another suffix, no such folder, a folder instead of a file, or matplotlib is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: pictures are PNG or SVG", advice="End the file's name with .png or .svg.")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}", advice="Make the folder, or name another one.")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder", advice="Name a file.")
    _load("matplotlib")


def picture_bytes(picture: FundPicture, suffix: str) -> bytes:
    """The picture as `.png` or `.svg`; the same slots give the same bytes with the same version of matplotlib.

    Raises:
        UsageError: matplotlib is not installed.
    """
    style, figure = _load("navoracle.pictures.style"), _load("navoracle.pictures.figure")
    out = io.BytesIO()
    with style.house_style():
        # Without a date: it would differ each time.
        metadata = {"Date": None} if suffix == ".svg" else {}
        figure.draw(picture).savefig(out, format=suffix.removeprefix("."), metadata=metadata)
    return out.getvalue()


def write_picture(picture: FundPicture, path: Path) -> None:
    """Draw the picture into a file; one that is there is replaced.

    Raises:
        UsageError: see `check_picture_file`; or the file cannot be written.
    """
    check_picture_file(path)
    drawn = picture_bytes(picture, path.suffix.lower())
    try:
        path.write_bytes(drawn)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}", advice="Name a file in a folder of yours."
        ) from error


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise UsageError(
            "pictures need matplotlib, which is not installed", advice=f'Run `pip install "{EXTRA}"`.'
        ) from error
