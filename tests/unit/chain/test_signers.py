"""Keys: from which files they are taken, and that they never show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from navoracle.chain.signers import EphemeralSigner, KeyFileSigner
from navoracle.domain.errors import ConfigurationError

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
ADDRESS = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"


def key_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "poster.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("text", [KEY, "0x" + KEY, "0X" + KEY.upper() + "\n", f"  {KEY}\r\n"])
def test_key_file__holds_a_key__signs_for_its_address(tmp_path: Path, text: str) -> None:
    signer = KeyFileSigner(key_file(tmp_path, text))
    assert signer.address == ADDRESS
    assert KEY not in repr(signer)
    assert ADDRESS in repr(signer)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_key_file__others_have_rights__is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigurationError, match="others than its owner") as caught:
        KeyFileSigner(key_file(tmp_path, KEY, mode))
    assert "chmod 600" in caught.value.advice


@pytest.mark.parametrize(
    "text", ["", "0x", KEY[:-1], KEY + "00", "zz" * 32, "00" * 32, "ff" * 32, "kéy", f"{KEY} {KEY}"]
)
def test_key_file__no_key_in_it__raises_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="holds no private key") as caught:
        KeyFileSigner(key_file(tmp_path, text))
    shown = f"{caught.value.message} {caught.value.advice} {caught.value.__cause__!r}"
    assert not text or text[:32] not in shown.replace("digits", "")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_key_file__missing__raises_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.key cannot be read: No such file"):
        KeyFileSigner(tmp_path / "nowhere.key")


def test_key_file__is_a_folder__raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        KeyFileSigner(tmp_path)


def test_key_file__is_a_pipe__raises(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    writer = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(ConfigurationError, match="is not a file"):
            KeyFileSigner(path)
    finally:
        os.close(writer)


def test_ephemeral__repr__shows_no_key() -> None:
    signer = EphemeralSigner(bytes.fromhex(KEY))
    assert repr(signer) == f"EphemeralSigner({ADDRESS})"
    assert not hasattr(signer, "__dict__")


@pytest.mark.parametrize("key", [b"", bytes(32), bytes(31), b"\xff" * 32])
def test_ephemeral__no_key__raises(key: bytes) -> None:
    with pytest.raises(ConfigurationError):
        EphemeralSigner(key)
