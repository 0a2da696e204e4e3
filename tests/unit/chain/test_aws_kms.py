"""AWS KMS as a signer: what is asked of it, and that nothing wrong is taken from it."""

from __future__ import annotations

import builtins
import importlib
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric import ec, utils
from eth_utils.crypto import keccak

from navoracle.chain.signers import AwsKmsSigner, EphemeralSigner, KmsKey, sign_checked
from navoracle.domain.errors import ConfigurationError, SignerFailed, WrongSignature
from navoracle.signatures import ORDER, recover_address
from tests.unit.chain.fake_kms import KEY_ID, FakeKms, random_payload

TOKEN = "FwoGZXIvYXdzEBYaDHqa0AP1MbkQ"


def signer_of(kms: FakeKms, budget: float = 5.0) -> AwsKmsSigner:
    return AwsKmsSigner(KmsKey(KEY_ID, budget=budget), kms)


@pytest.mark.parametrize("high", [True, False])
async def test_sign_payload__either_value_of_s__gives_the_low_one_of_the_key(high: bool) -> None:
    kms = FakeKms(high=high)
    signer = signer_of(kms)
    assert signer.address == EphemeralSigner(kms.secret).address
    for _ in range(8):
        payload = random_payload()
        signature = await sign_checked(signer, payload)
        assert signature.s <= ORDER // 2
        assert recover_address(keccak(payload), signature) == signer.address


async def test_sign_payload__asks__for_a_signature_of_the_digest_itself() -> None:
    kms = FakeKms()
    await signer_of(kms).sign_payload(b"payload")
    assert kms.asked == [
        {"KeyId": KEY_ID},
        {
            "KeyId": KEY_ID,
            "Message": keccak(b"payload"),
            "MessageType": "DIGEST",
            "SigningAlgorithm": "ECDSA_SHA_256",
        },
    ]


async def test_sign_payload__through_boto3__fits_the_service_model() -> None:
    kms = FakeKms()
    client: Any = boto3.client("kms", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    digest = keccak(b"payload")
    with Stubber(client) as stub:
        stub.add_response("get_public_key", kms.get_public_key(KeyId=KEY_ID), {"KeyId": KEY_ID})
        asked: dict[str, Any] = {
            "KeyId": KEY_ID,
            "Message": digest,
            "MessageType": "DIGEST",
            "SigningAlgorithm": "ECDSA_SHA_256",
        }
        stub.add_response("sign", kms.sign(**asked), asked)
        signature = await AwsKmsSigner(KmsKey(KEY_ID), client).sign_payload(b"payload")
        stub.assert_no_pending_responses()
    assert recover_address(digest, signature) == EphemeralSigner(kms.secret).address


async def test_sign_payload__service_hashes_the_digest_again__is_refused() -> None:
    kms = FakeKms()
    signer = signer_of(kms)
    kms.answer = kms.sign(
        KeyId="", Message=keccak(keccak(b"payload")), MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
    )["Signature"]
    with pytest.raises(WrongSignature, match="returned no signature of") as caught:
        await signer.sign_payload(b"payload")
    assert "alias" in caught.value.advice


async def test_sign_payload__alias_names_another_key_by_now__is_refused() -> None:
    kms = FakeKms()
    signer = signer_of(kms)
    kms.key = FakeKms().key
    with pytest.raises(WrongSignature, match="returned no signature of"):
        await signer.sign_payload(b"payload")


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage",
        "text",
        utils.encode_dss_signature(0, 1),
        utils.encode_dss_signature(1, ORDER),
        utils.encode_dss_signature(5, 5) + b"\0",
    ],
)
async def test_sign_payload__garbage__is_refused(answer: object) -> None:
    kms = FakeKms()
    signer = signer_of(kms)
    kms.answer = answer
    with pytest.raises(WrongSignature):
        await signer.sign_payload(b"payload")


@pytest.mark.parametrize(
    ("failure", "shown"),
    [
        (ClientError({"Error": {"Code": "DisabledException", "Message": f"key {TOKEN}"}}, "Sign"), "DisabledException"),
        (EndpointConnectionError(endpoint_url=f"https://{TOKEN}.example"), "EndpointConnectionError"),
        (NoCredentialsError(), "NoCredentialsError"),
    ],
)
async def test_sign_payload__service_refuses__says_what_and_shows_no_text_of_it(failure: Exception, shown: str) -> None:
    kms = FakeKms()
    signer = signer_of(kms)
    kms.failure = failure
    with pytest.raises(SignerFailed, match=f"did not sign: {shown}") as caught:
        await signer.sign_payload(b"payload")
    assert TOKEN not in f"{caught.value.message} {caught.value.advice} {caught.value.__cause__!r}"
    with pytest.raises(SignerFailed, match=f"did not give its public key: {shown}"):
        signer_of(kms)


async def test_sign_payload__service_hangs__ends_within_the_budget() -> None:
    kms = FakeKms()
    signer = signer_of(kms, budget=0.05)
    ready = kms.sign(KeyId="", Message=keccak(b"payload"), MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")

    def slow(**_: Any) -> Any:
        time.sleep(0.4)
        return ready

    kms.sign = slow  # type: ignore[method-assign]
    begun = time.monotonic()
    with pytest.raises(SignerFailed, match=r"no signature within 0\.05 s"):
        await signer.sign_payload(b"payload")
    assert time.monotonic() - begun < 0.3


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_signer__key_on_another_curve__is_refused_with_the_remedy(curve: ec.EllipticCurve) -> None:
    with pytest.raises(ConfigurationError, match="is not of secp256k1") as caught:
        signer_of(FakeKms(curve=curve))
    assert "ECC_SECG_P256K1" in caught.value.advice


def test_signer__boto3_is_not_installed__names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ConfigurationError, match="needs boto3") as caught:
        AwsKmsSigner(KmsKey(KEY_ID))
    assert 'pip install "navoracle[aws]"' in caught.value.advice


def test_signer__profile_that_is_not_there__is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(ConfigurationError, match="ProfileNotFound"):
        AwsKmsSigner(KmsKey(KEY_ID, region="eu-west-1", profile="absent"))


def test_package__is_imported__without_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".")[0] in ("boto3", "botocore"):
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    importlib.reload(importlib.import_module("navoracle.chain.signers.der"))
    source = importlib.import_module("navoracle.chain.signers.aws_kms").__spec__
    assert source is not None
    assert source.loader is not None
    fresh = importlib.util.module_from_spec(source)
    source.loader.exec_module(fresh)
