"""Who signs: keys from a file, throw-away keys for the embedded chain. No key ever appears in a repr or an error."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from navoracle.domain.errors import ConfigurationError
from navoracle.ports import Address

_KEY_BYTES: Final = 32


class Signer(Protocol):
    """Signs transactions for one address."""

    @property
    def address(self) -> Address:
        """The address that its signatures recover to."""

    def sign(self, transaction: Mapping[str, int | bytes]) -> bytes:
        """The signed transaction, ready to be sent. `transaction` has the fields of an EIP-1559 transaction."""


class EphemeralSigner:
    """A key held in memory: the embedded chain's accounts.

    Raises:
        ConfigurationError: it is no secp256k1 private key.
    """

    __slots__ = ("_account", "address")

    def __init__(self, key: bytes) -> None:
        self._account = _account(key, "the given key")
        self.address = Address(to_checksum_address(self._account.address))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    def sign(self, transaction: Mapping[str, int | bytes]) -> bytes:
        """Sign a transaction."""
        return bytes(self._account.sign_transaction(dict(transaction)).raw_transaction)


class KeyFileSigner(EphemeralSigner):
    """A private key from a file that holds it as 64 hex digits, with or without 0x.

    Raises:
        ConfigurationError: the file is missing, readable by others than its owner, or holds no key.
    """

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(_read_key(path))

    def __repr__(self) -> str:
        return f"KeyFileSigner({self.address}, {self.path})"


def _read_key(path: Path) -> bytes:
    try:
        with path.open(encoding="ascii") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError(f"key file {path} is not a file", advice="Name a file that holds one key.")
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigurationError(
                    f"key file {path} may be read or written by others than its owner",
                    advice=f"Take their rights away: chmod 600 {path}. If others may have read it, use a new key.",
                )
            text = file.read(1024).strip()
    except OSError as error:
        raise ConfigurationError(
            f"key file {path} cannot be read: {error.strerror}", advice="Check the path and the file's owner."
        ) from error
    except UnicodeDecodeError:
        raise _no_key(str(path)) from None
    digits = text[2:] if text[:2].lower() == "0x" else text
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise _no_key(str(path)) from None
    return _account(key, str(path)).key


def _account(key: bytes, where: str) -> LocalAccount:
    # Raised without its cause, which may show the key.
    if len(key) != _KEY_BYTES:
        raise _no_key(where)
    try:
        account: LocalAccount = Account.from_key(key)
    except ValueError:
        raise _no_key(where) from None
    return account


def _no_key(where: str) -> ConfigurationError:
    return ConfigurationError(f"{where} holds no private key", advice="It must hold 64 hex digits, nothing else.")
