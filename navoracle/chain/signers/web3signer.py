"""Web3Signer over HTTP: a server that keeps the key, and signs the keccak-256 of what it is sent (its `eth1` mode)."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from eth_keys.datatypes import PublicKey
from eth_utils.exceptions import ValidationError

from navoracle.chain.http import describe
from navoracle.chain.signers.base import PayloadSigner
from navoracle.domain.errors import BadSignature, ConfigurationError, SignerFailed, WrongSignature
from navoracle.ports import Address
from navoracle.redaction import redact_url
from navoracle.signatures import Signature, decode_signature

_LONGEST_ANSWER: Final = 1024
_PASSING: Final = frozenset({429, 502, 503, 504})
_SIGNATURE: Final = re.compile(r"0x[0-9a-fA-F]{130}")
_PUBLIC_KEY: Final = re.compile(r"0x(?:04)?([0-9a-fA-F]{128})|0x(0[23][0-9a-fA-F]{64})")
_REMEDIES: Final = {
    400: "It did not understand the request: check that the URL is Web3Signer's own, in eth1 mode.",
    401: "Check the configured header, or the client certificate.",
    403: "Check the configured header, or the client certificate; Web3Signer may also not know this host.",
    404: "It does not hold the configured public key: load the key there, or correct `public_key`.",
}


@dataclass(frozen=True, slots=True)
class Web3SignerLimits:
    """Seconds: for one request, and for a signature with all its requests; `back_off` before the second one."""

    timeout: float = 3.0
    budget: float = 10.0
    back_off: float = 0.2


@dataclass(frozen=True, slots=True)
class Web3SignerTls:
    """Files in PEM: who may vouch for the server (None: the system's authorities), and our own certificate and key."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Web3SignerAddress:
    """Where it is; the values of headers are shown nowhere, nor is what may be secret in the URL."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Web3SignerTls = Web3SignerTls()


class Web3Signer(PayloadSigner):
    """A key held by a Web3Signer.

    A server that is busy or does not answer is asked again until the budget is used up: to sign twice is no harm.

    Args:
        public_key: the key's public half in hex, compressed or not, by which the server knows it.

    Raises:
        ConfigurationError: the public key is none, or a certificate cannot be read.
    """

    __slots__ = ("_headers", "_limits", "_ssl", "_target", "name")

    def __init__(self, at: Web3SignerAddress, public_key: str, limits: Web3SignerLimits | None = None) -> None:
        known = _public_key(public_key)
        super().__init__(Address(known.to_checksum_address()))
        self.name = redact_url(at.url)
        self._target = f"{at.url.rstrip('/')}/api/v1/eth1/sign/0x{known.to_bytes().hex()}"
        self._headers = dict(at.headers)
        self._limits = limits or Web3SignerLimits()
        self._ssl = _context(at.tls) if at.url.startswith("https://") else None

    def __repr__(self) -> str:
        return f"Web3Signer({self.address}, {self.name})"

    async def sign_payload(self, payload: bytes) -> Signature:
        """The signature of the keccak-256 of `payload`.

        Raises:
            SignerFailed: the server did not answer within the budget, or refused.
            WrongSignature: it answered with no signature, or with one that has high s.
        """
        last = "no answer"
        wait = self._limits.back_off
        try:
            async with asyncio.timeout(self._limits.budget):
                while True:
                    try:
                        return self._signature(await self._ask(payload))
                    except _Passing as passing:
                        last = passing.what
                    await asyncio.sleep(wait)
                    wait *= 2
        except TimeoutError:
            raise SignerFailed(
                f"{self!r} gave no signature within {self._limits.budget:g} s: {last}",
                advice="Check that Web3Signer is up and reachable from here; nothing was sent.",
            ) from None

    async def _ask(self, payload: bytes) -> str:
        try:
            async with (
                ClientSession(
                    connector=TCPConnector(ssl=True if self._ssl is None else self._ssl),
                    timeout=ClientTimeout(total=self._limits.timeout),
                    cookie_jar=DummyCookieJar(),
                ) as session,
                session.post(
                    self._target,
                    json={"data": "0x" + payload.hex()},
                    headers=self._headers,
                    allow_redirects=False,
                ) as response,
            ):
                return await self._read(response)
        except TimeoutError:
            raise _Passing(f"no answer within {self._limits.timeout:g} s") from None
        except (ClientError, OSError) as error:
            # Without its cause, whose text holds the URL.
            raise _Passing(describe(error)) from None

    async def _read(self, response: ClientResponse) -> str:
        if response.status in _PASSING:
            raise _Passing(f"HTTP {response.status}")
        if response.status != 200:
            raise SignerFailed(
                f"{self!r} refused with HTTP {response.status}",
                advice=_REMEDIES.get(response.status, "Look into Web3Signer's own log; nothing was sent."),
            )
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > _LONGEST_ANSWER:
                raise self._nonsense(f"more than {_LONGEST_ANSWER} bytes")
        return body.decode("ascii", "replace").strip()

    def _signature(self, text: str) -> Signature:
        if _SIGNATURE.fullmatch(text) is None:
            raise self._nonsense("no signature of 65 bytes")
        try:
            return decode_signature(bytes.fromhex(text[2:]))
        except BadSignature as error:
            raise self._nonsense(error.message) from error

    def _nonsense(self, what: str) -> WrongSignature:
        return WrongSignature(
            f"{self!r} answered with nothing that can be used: {what}",
            advice="Check that the URL is Web3Signer's own, in eth1 mode; nothing was sent.",
        )


class _Passing(Exception):
    """An answer that may be another one when asked again."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def _public_key(text: str) -> PublicKey:
    found = _PUBLIC_KEY.fullmatch(text)
    try:
        if found is None:
            raise ValidationError(text)
        whole, compressed = found.groups()
        if compressed is not None:
            return PublicKey.from_compressed_bytes(bytes.fromhex(compressed))
        key = PublicKey(bytes.fromhex(whole))
        if PublicKey.from_compressed_bytes(key.to_compressed_bytes()) != key:
            raise ValidationError(text)
    except (ValidationError, ValueError):
        raise ConfigurationError(
            "public_key is no secp256k1 public key",
            advice="Copy it from GET /api/v1/eth1/publicKeys of the Web3Signer: 0x and 128 hex digits.",
        ) from None
    return key


def _context(tls: Web3SignerTls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.authorities)
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except OSError as error:  # what ssl raises is one too
        raise ConfigurationError(
            f"Web3Signer's certificates cannot be used: {error.strerror or type(error).__name__}",
            advice="Check ca_file, client_certificate and client_key: PEM files, without a passphrase.",
        ) from None
    return context
