"""Web3Signer over HTTP, against a server that answers as it does: what is asked, asked again, and refused."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from navoracle.chain.signers import (
    Web3Signer,
    Web3SignerAddress,
    Web3SignerLimits,
    Web3SignerTls,
    sign_checked,
    sign_transaction,
)
from navoracle.domain.errors import ConfigurationError, SignerFailed, WrongSignature
from navoracle.ports import Address
from navoracle.signatures import ORDER, recover_address
from tests.unit.chain.test_checked_signing import FIELDS

pytestmark = pytest.mark.sockets

KEY = PrivateKey(bytes(31) + b"\x07")
OTHER = PrivateKey(bytes(31) + b"\x08")
ADDRESS = Address(KEY.public_key.to_checksum_address())
TOKEN = "s3cr3t-t0ken-of-the-signer"


class Server:
    """Answers `POST /api/v1/eth1/sign/{identifier}` as Web3Signer does.

    `statuses` come first, one for each request; `answer` replaces the signature; `delay` seconds before each.
    """

    def __init__(self) -> None:
        self.key = KEY
        self.statuses: list[int] = []
        self.answer: str | None = None
        self.delay = 0.0
        self.asked: list[tuple[str, Any, str | None]] = []
        application = web.Application()
        application.router.add_post("/{prefix:.*}api/v1/eth1/sign/{identifier}", self._sign)
        self.server = TestServer(application)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def _sign(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append((request.path, body, request.headers.get("Authorization")))
        await asyncio.sleep(self.delay)
        if self.statuses:
            elsewhere = {"Location": f"{self.url}/elsewhere{request.path}"}
            return web.Response(status=self.statuses.pop(0), text=f"busy {TOKEN}", headers=elsewhere)
        if request.match_info["identifier"] != f"0x{KEY.public_key.to_bytes().hex()}":
            return web.Response(status=404)
        signed = self.key.sign_msg(bytes.fromhex(body["data"][2:]))
        found = f"0x{signed.r:064x}{signed.s:064x}{signed.v + 27:02x}"
        return web.Response(text=found if self.answer is None else self.answer, content_type="text/plain")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.server.start_server()
    yield server
    await server.server.close()


def signer_of(server: Server, **limits: float) -> Web3Signer:
    public_key = "0x" + KEY.public_key.to_bytes().hex()
    at = Web3SignerAddress(f"{server.url}/", {"Authorization": f"Bearer {TOKEN}"})
    return Web3Signer(at, public_key, Web3SignerLimits(**{"back_off": 0.01, **limits}))


def assert_shows_nothing(error: BaseException) -> None:
    assert TOKEN not in f"{error!r} {vars(error)} {error.__cause__!r}"


async def test_sign_payload__server_answers__signs_the_hash_of_what_was_sent(server: Server) -> None:
    signer = signer_of(server)
    signature = await sign_checked(signer, b"\x19\x01payload")
    assert recover_address(keccak(b"\x19\x01payload"), signature) == signer.address
    assert server.asked == [
        (
            f"/api/v1/eth1/sign/0x{KEY.public_key.to_bytes().hex()}",
            {"data": "0x1901" + b"payload".hex()},
            f"Bearer {TOKEN}",
        )
    ]


async def test_sign__a_transaction__is_the_one_that_was_asked_for(server: Server) -> None:
    signed = await sign_transaction(signer_of(server), FIELDS)
    assert signed.sender == ADDRESS
    assert server.asked[0][1]["data"].startswith("0x02")


async def test_signer__either_form_of_the_public_key__is_one_address() -> None:
    at = Web3SignerAddress("http://127.0.0.1:1")
    forms = [
        "0x" + KEY.public_key.to_bytes().hex(),
        "0x04" + KEY.public_key.to_bytes().hex(),
        "0x" + KEY.public_key.to_compressed_bytes().hex(),
    ]
    assert {Web3Signer(at, form).address for form in forms} == {ADDRESS}


@pytest.mark.parametrize("public_key", ["", "0x", "0x" + "11" * 64, "0x02" + "ff" * 32, "11" * 64])
async def test_signer__no_public_key__is_refused(public_key: str) -> None:
    with pytest.raises(ConfigurationError, match="no secp256k1 public key"):
        Web3Signer(Web3SignerAddress("http://127.0.0.1:1"), public_key)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_sign_payload__busy_twice__is_asked_again(server: Server, status: int) -> None:
    server.statuses = [status, status]
    await sign_checked(signer_of(server), b"payload")
    assert len(server.asked) == 3


async def test_sign_payload__busy_for_good__ends_within_the_budget(server: Server) -> None:
    server.statuses = [503] * 10_000
    begun = time.monotonic()
    with pytest.raises(SignerFailed, match=r"no signature within 0\.3 s: HTTP 503") as caught:
        await signer_of(server, budget=0.3).sign_payload(b"payload")
    assert 0.3 <= time.monotonic() - begun < 1.5
    assert len(server.asked) >= 3
    assert_shows_nothing(caught.value)


async def test_sign_payload__hangs__is_asked_again_and_ends_within_the_budget(server: Server) -> None:
    server.delay = 5
    begun = time.monotonic()
    with pytest.raises(SignerFailed, match=r"no answer within 0\.1 s"):
        await signer_of(server, budget=0.5, timeout=0.1).sign_payload(b"payload")
    assert time.monotonic() - begun < 2
    assert len(server.asked) >= 2


async def test_sign_payload__nobody_listens__says_so(server: Server) -> None:
    signer = signer_of(server, budget=0.2)
    await server.server.close()
    with pytest.raises(SignerFailed, match="ClientConnectorError: Connect") as caught:
        await signer.sign_payload(b"payload")
    assert_shows_nothing(caught.value)


@pytest.mark.parametrize(
    ("status", "advice"), [(400, "eth1 mode"), (401, "header"), (403, "header"), (404, "public key"), (500, "own log")]
)
async def test_sign_payload__refused__is_not_asked_again(server: Server, status: int, advice: str) -> None:
    server.statuses = [status]
    with pytest.raises(SignerFailed, match=f"refused with HTTP {status}") as caught:
        await signer_of(server).sign_payload(b"payload")
    assert advice in caught.value.advice
    assert len(server.asked) == 1
    assert_shows_nothing(caught.value)


async def test_sign_payload__redirected__goes_nowhere_else(server: Server) -> None:
    server.statuses = [307]
    with pytest.raises(SignerFailed, match="refused with HTTP 307"):
        await signer_of(server).sign_payload(b"payload")
    assert len(server.asked) == 1


async def test_sign_payload__another_key_signs__is_refused(server: Server) -> None:
    server.key = OTHER
    with pytest.raises(WrongSignature, match="another key or payload"):
        await sign_checked(signer_of(server), b"payload")
    with pytest.raises(WrongSignature, match="a transaction of 0x"):
        await sign_transaction(signer_of(server), FIELDS)


async def test_sign_payload__high_s__is_refused(server: Server) -> None:
    signed = KEY.sign_msg(b"payload")
    server.answer = f"0x{signed.r:064x}{ORDER - signed.s:064x}{28 - signed.v:02x}"
    with pytest.raises(WrongSignature, match="higher of its two values of s"):
        await signer_of(server).sign_payload(b"payload")


@pytest.mark.parametrize(
    "answer",
    ["", "0x", "null", '{"signature": "0x00"}', "0x" + "00" * 65, "0x" + "11" * 64, "0x" + "11" * 96, "x" * 5_000_000],
)
async def test_sign_payload__garbage__is_refused_and_not_shown(server: Server, answer: str) -> None:
    server.answer = answer
    with pytest.raises(WrongSignature, match="nothing that can be used") as caught:
        await signer_of(server).sign_payload(b"payload")
    assert len(caught.value.message) < 400


async def test_repr__shows_neither_token_nor_path(server: Server) -> None:
    at = Web3SignerAddress(f"http://user:{TOKEN}@127.0.0.1:9000/{TOKEN}", {"Authorization": TOKEN})
    signer = Web3Signer(at, "0x" + KEY.public_key.to_bytes().hex())
    assert TOKEN not in f"{signer!r} {at!r} {signer.name}"
    assert repr(signer) == f"Web3Signer({signer.address}, http://127.0.0.1:9000/***)"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for the loopback address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


async def test_sign_payload__over_tls_with_certificates_of_both_sides__signs(tmp_path: Path) -> None:
    pem, secret = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(pem)
    server = Server()
    await server.server.start_server(ssl=context)
    url = f"https://127.0.0.1:{server.server.port}"
    public_key = "0x" + KEY.public_key.to_bytes().hex()
    limits = Web3SignerLimits(budget=0.5, back_off=0.05)
    try:
        both = Web3Signer(Web3SignerAddress(url, tls=Web3SignerTls(pem, pem, secret)), public_key)
        await sign_checked(both, b"payload")
        for tls in (Web3SignerTls(), Web3SignerTls(authorities=pem)):
            with pytest.raises(SignerFailed, match="no signature within"):
                await Web3Signer(Web3SignerAddress(url, tls=tls), public_key, limits).sign_payload(b"payload")
    finally:
        await server.server.close()
    assert len(server.asked) == 1


@pytest.mark.parametrize("tls", [Web3SignerTls(authorities=Path("/nowhere")), Web3SignerTls(certificate=Path("/no"))])
def test_signer__certificate_that_is_not_there__is_a_configuration_error(tls: Web3SignerTls) -> None:
    with pytest.raises(ConfigurationError, match="certificates cannot be used: No such file"):
        Web3Signer(Web3SignerAddress("https://127.0.0.1:1", tls=tls), "0x" + KEY.public_key.to_bytes().hex())
