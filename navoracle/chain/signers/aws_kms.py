"""AWS KMS: a key of the kind ECC_SECG_P256K1 that never leaves the service.

boto3 is an extra (`pip install "navoracle[aws]"`), loaded when such a signer is configured.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from dataclasses import dataclass
from typing import Any, Final, Protocol

from eth_keys.datatypes import PublicKey
from eth_utils.crypto import keccak

from navoracle.chain.signers.base import PayloadSigner
from navoracle.chain.signers.der import signature_numbers, uncompressed_point
from navoracle.domain.errors import BadSignature, ConfigurationError, SignerFailed, WrongSignature
from navoracle.ports import Address
from navoracle.signatures import Signature, signature_of

EXTRA: Final = "navoracle[aws]"

# At DEBUG they print requests with session tokens and signatures.
for _name in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_name).setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key: its id, ARN or alias, and where it is (None: what the environment and the profile say).

    `timeout` and `budget` are seconds: for one request, and for a signature with all its requests.
    """

    key_id: str
    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    timeout: float = 3.0
    budget: float = 10.0


class KmsClient(Protocol):
    """The part of boto3's KMS client that is used."""

    def get_public_key(self, *, KeyId: str) -> Any:  # noqa: N803
        """The public half of the key."""

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> Any:  # noqa: N803
        """A signature in DER."""


class AwsKmsSigner(PayloadSigner):
    """A key in AWS KMS.

    Its public key is asked for once, while this is made. Signatures come with either value of s: the low one is taken,
    and the parity that recovers to the key.

    Args:
        client: what speaks to KMS; None for boto3's.

    Raises:
        ConfigurationError: boto3 is not installed, or the key is not of secp256k1 or not for signing.
        SignerFailed: KMS did not answer, or refused.
    """

    __slots__ = ("_client", "_failures", "key")

    def __init__(self, key: KmsKey, client: KmsClient | None = None) -> None:
        self.key = key
        self._failures = _failures()
        self._client = _client(key) if client is None else client
        super().__init__(self._address())

    def __repr__(self) -> str:
        return f"AwsKmsSigner({self.address}, {self.key.key_id})"

    async def sign_payload(self, payload: bytes) -> Signature:
        """The signature of the keccak-256 of `payload`.

        Raises:
            SignerFailed: KMS did not answer within the budget, or refused.
            WrongSignature: another key signed, or another digest was signed.
        """
        digest = keccak(payload)
        try:
            async with asyncio.timeout(self.key.budget):
                encoded = await asyncio.to_thread(self._sign, digest)
        except TimeoutError:
            raise SignerFailed(
                f"KMS key {self.key.key_id} gave no signature within {self.key.budget:g} s",
                advice="Check the network and the service's state; nothing was sent.",
            ) from None
        try:
            return signature_of(digest, *signature_numbers(encoded), self.address)
        except BadSignature as error:
            raise WrongSignature(
                f"KMS key {self.key.key_id} returned no signature of {self.address}: {error.message}",
                advice="Check that the alias still names the same key; start again after it was changed.",
            ) from error

    def _sign(self, digest: bytes) -> object:
        try:
            answer = self._client.sign(
                KeyId=self.key.key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )
        except self._failures as error:
            raise self._refused("sign", error) from None
        return answer.get("Signature")

    def _address(self) -> Address:
        try:
            answer = self._client.get_public_key(KeyId=self.key.key_id)
        except self._failures as error:
            raise self._refused("give its public key", error) from None
        try:
            point = uncompressed_point(answer.get("PublicKey"))
        except ValueError as error:
            raise ConfigurationError(
                f"KMS key {self.key.key_id} is not of secp256k1: {error}",
                advice="Create the key with KeySpec ECC_SECG_P256K1 and KeyUsage SIGN_VERIFY.",
            ) from None
        return Address(PublicKey(point).to_checksum_address())

    def _refused(self, what: str, error: Exception) -> SignerFailed:
        # The error's text may hold an account and a token; its code does not.
        response = getattr(error, "response", None)
        code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
        return SignerFailed(
            f"KMS key {self.key.key_id} did not {what}: {code or type(error).__name__}",
            advice="Check the key's id, region and state, and that the credentials may kms:Sign and kms:GetPublicKey.",
        )


def _failures() -> tuple[type[Exception], ...]:
    exceptions: Any = _load("botocore.exceptions")
    return (exceptions.BotoCoreError, exceptions.ClientError)


def _client(key: KmsKey) -> KmsClient:
    settings: Any = _load("botocore.config").Config(
        connect_timeout=key.timeout, read_timeout=key.timeout, retries={"total_max_attempts": 3, "mode": "standard"}
    )
    unusable: tuple[type[Exception], ...] = (*_failures(), ValueError)
    try:
        session: Any = _load("boto3").Session(profile_name=key.profile, region_name=key.region)
        client: KmsClient = session.client("kms", endpoint_url=key.endpoint, config=settings)
    except unusable as error:
        raise ConfigurationError(
            f"AWS KMS cannot be reached: {type(error).__name__}",
            advice="Check `region`, `profile` and `endpoint`, and that the environment holds credentials.",
        ) from None
    return client


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigurationError(
            "a signer of kind aws_kms needs boto3, which is not installed", advice=f'Run: pip install "{EXTRA}"'
        ) from None
