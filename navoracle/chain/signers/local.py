"""Keys held in this process: from a file, or thrown away with the embedded chain."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from eth_keys.datatypes import PrivateKey

from navoracle.chain.signers.base import PayloadSigner
from navoracle.domain.errors import ConfigurationError
from navoracle.live_secrets import register_secrets
from navoracle.ports import Address
from navoracle.private_file import read_private
from navoracle.signatures import ORDER, Signature

_KEY_BYTES: Final = 32
_SMALL_BITS: Final = 128


class EphemeralSigner(PayloadSigner):
    """A key held in memory: the embedded chain's accounts, and every key that was read from somewhere.

    Raises:
        ConfigurationError: it is no secp256k1 private key.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = _private_key(key, "the given key")
        super().__init__(Address(self._key.public_key.to_checksum_address()))

    async def sign_payload(self, payload: bytes) -> Signature:
        """The signature of the keccak-256 of `payload`, with low s."""
        signed = self._key.sign_msg(payload)
        return Signature(signed.r, signed.s, signed.v)


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
        text = read_private(path, "key file").decode("ascii").strip()
        digits = text[2:] if text[:2].lower() == "0x" else text
        key = bytes.fromhex(digits)
    except ValueError:  # its cause would show the text
        raise _no_key(str(path)) from None
    private = _private_key(key, str(path))
    hide_key(key)
    return private.to_bytes()


def hide_key(key: bytes) -> None:
    """Let a key that was read from somewhere never be written; one with a small number is a test's, and a word."""
    if int.from_bytes(key, "big") >> _SMALL_BITS:
        register_secrets("0x" + key.hex())


def _private_key(key: bytes, where: str) -> PrivateKey:
    # Raised without its cause, which may show the key.
    if len(key) != _KEY_BYTES or not 0 < int.from_bytes(key, "big") < ORDER:
        raise _no_key(where)
    return PrivateKey(key)


def _no_key(where: str) -> ConfigurationError:
    return ConfigurationError(f"{where} holds no private key", advice="It must hold 64 hex digits, nothing else.")
