"""Encrypted keystores (version 3), opened with a passphrase that comes from a file or from the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eth_keyfile.exceptions import EthKeyfileException
from eth_keyfile.keyfile import decode_keyfile_json

from navoracle.chain.signers.local import EphemeralSigner, hide_key
from navoracle.domain.errors import ConfigurationError
from navoracle.json_depth import require_shallow
from navoracle.live_secrets import register_secrets
from navoracle.private_file import read_private

_VERSION: Final = 3
_LONGEST: Final = 64 * 1024
_MOST_MEMORY: Final = 1 << 30
_MISSHAPEN: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    EthKeyfileException,
)
"""What decoding raises where the document is no keystore: its parts are looked at as they come."""


class KeystoreSigner(EphemeralSigner):
    """The key in an encrypted keystore.

    Args:
        path: the JSON file; nobody but its owner may read it, for a passphrase can be guessed.
        passphrase: what it was encrypted with; not kept.

    Raises:
        ConfigurationError: the file cannot be read, is no keystore of version 3, or has another passphrase.
    """

    __slots__ = ("path",)

    def __init__(self, path: Path, passphrase: str) -> None:
        self.path = path
        document = _document(path)
        key = _decrypted(document, passphrase, path)
        hide_key(key)
        super().__init__(key)
        stated = document.get("address")
        if isinstance(stated, str) and stated.removeprefix("0x").lower() != self.address[2:].lower():
            raise ConfigurationError(
                f"keystore {path} names 0x{stated.removeprefix('0x')[:40]} and holds the key of {self.address}",
                advice="The file was changed: take it from a backup.",
            )

    def __repr__(self) -> str:
        return f"KeystoreSigner({self.address}, {self.path})"


def passphrase_from_file(path: Path) -> str:
    """The passphrase in a file that nobody but its owner may read; a line break at its end is not part of it.

    Raises:
        ConfigurationError: the file cannot be read, is open to others, or is empty.
    """
    try:
        text = read_private(path, "passphrase file").decode()
    except UnicodeDecodeError:  # its text would show the passphrase
        raise ConfigurationError(f"passphrase file {path} is not UTF-8 text", advice="Save it as UTF-8.") from None
    return _stated(text.removesuffix("\n").removesuffix("\r"), f"passphrase file {path}")


def passphrase_from_environment(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The passphrase in an environment variable. Raises ConfigurationError: it is not set, or empty."""
    return _stated(environment.get(name, ""), f"environment variable {name}")


def _stated(passphrase: str, where: str) -> str:
    if not passphrase:
        raise ConfigurationError(f"{where} holds no passphrase", advice="Put the keystore's passphrase there.")
    register_secrets(passphrase)
    return passphrase


def _document(path: Path) -> dict[str, Any]:
    content = read_private(path, "keystore", _LONGEST)
    try:
        require_shallow(content)
        found: object = json.loads(content)
    except (ValueError, RecursionError):
        raise _no_keystore(path, "it is not JSON") from None
    if not isinstance(found, dict):
        raise _no_keystore(path, "it is no JSON object")
    document = {str(name).lower(): value for name, value in found.items()}
    if document.get("version") != _VERSION:
        raise _no_keystore(path, f"its version is not {_VERSION}")
    return document


def _decrypted(document: dict[str, Any], passphrase: str, path: Path) -> bytes:
    # Raised without their causes, which may show what was decrypted or typed.
    try:
        cost = document["crypto"]["kdfparams"]
        if document["crypto"]["kdf"] == "scrypt" and 128 * cost["n"] * cost["r"] > _MOST_MEMORY:
            raise _no_keystore(path, "its scrypt parameters want more than 1 GiB of memory")
        key: bytes = decode_keyfile_json(document, passphrase.encode())
    except _MISSHAPEN as error:
        if "MAC mismatch" in str(error):
            raise ConfigurationError(
                f"keystore {path} does not open with this passphrase",
                advice="Check the passphrase file or variable: white space and capitals count.",
            ) from None
        raise _no_keystore(path, "its parts are not those of one") from None
    return key


def _no_keystore(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is no encrypted keystore of version 3: {why}",
        advice="Name the JSON file that your wallet or node wrote.",
    )
