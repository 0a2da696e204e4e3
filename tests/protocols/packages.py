"""The protocols' own contracts, from npm packages pinned by version and hash; fetched when a test wants them.

Nothing of them is committed: they are unpacked under `.tools/protocols`, once. `python -m tests.protocols.packages`
fetches all of them.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.requirements import PROJECT

FOLDER: Final = PROJECT / ".tools" / "protocols"
PINS: Final[dict[str, str]] = json.loads((Path(__file__).parent / "packages.json").read_text())
"""`name@version` to the package's sha512, as npm states it."""


class PackageRefused(Exception):
    """A package could not be fetched, or is not the one that was pinned."""


def package(pin: str) -> Path:
    """The folder of an unpacked package, fetched when it is not there yet.

    Raises:
        KeyError: the package is not pinned in packages.json.
        PackageRefused: npm cannot fetch it, or its hash is not the pinned one.
    """
    expected = PINS[pin]
    target = FOLDER / pin.replace("/", "+")
    if target.is_dir():
        return target
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        if not target.is_dir():
            _fetch(pin, expected, target)
    return target


def _fetch(pin: str, expected: str, target: Path) -> None:
    partly = target.with_name(target.name + ".part")
    shutil.rmtree(partly, ignore_errors=True)
    partly.mkdir()
    command = ["npm", "pack", pin, "--silent", "--pack-destination", str(partly)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=partly)
    archives = list(partly.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise PackageRefused(f"npm pack {pin} failed: {done.stderr.strip()[-500:]}; check npm's registry")
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
    if digest != expected:
        raise PackageRefused(f"{pin} has the hash {digest}, pinned is {expected}: find out what changed")
    with tarfile.open(archives[0]) as archive:
        # Early releases of 3.11 know no filter; what is unpacked is the pinned archive, whose hash was just compared.
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(partly)
    # Packages name their top folder as they like; there is one.
    (root,) = (entry for entry in partly.iterdir() if entry.is_dir())
    root.rename(target)
    shutil.rmtree(partly)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Let one process at a time fetch: tests run in several."""
    with target.with_name(target.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Fetch every pinned package."""
    for pin in PINS:
        sys.stdout.write(f"{pin}: {package(pin).relative_to(PROJECT)}\n")


if __name__ == "__main__":
    main()
