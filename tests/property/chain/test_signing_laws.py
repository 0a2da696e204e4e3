"""Signatures: of any digest, by any signer, low s and the signer's own address."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.chain.signers import AwsKmsSigner, EphemeralSigner, KmsKey
from navoracle.domain.errors import BadSignature
from navoracle.signatures import ORDER, Signature, decode_signature, recover_address, signature_of
from tests.unit.chain.fake_kms import KEY_ID, FakeKms

keys = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
digests = st.binary(min_size=32, max_size=32)
KMS = FakeKms()
KMS_SIGNER = AwsKmsSigner(KmsKey(KEY_ID), KMS)


@given(keys, st.binary(max_size=200))
async def test_sign_payload__any_key_and_payload__has_low_s_and_recovers(key: bytes, payload: bytes) -> None:
    signer = EphemeralSigner(key)
    signature = await signer.sign_payload(payload)
    assert signature.s <= ORDER // 2
    assert recover_address(keccak(payload), signature) == signer.address
    assert decode_signature(signature.to_bytes()) == signature


@given(st.binary(max_size=200))
async def test_sign_payload__key_service__has_low_s_and_recovers(payload: bytes) -> None:
    signature = await KMS_SIGNER.sign_payload(payload)
    assert signature.s <= ORDER // 2
    assert recover_address(keccak(payload), signature) == KMS_SIGNER.address


@given(keys, digests, st.booleans())
async def test_signature_of__either_value_of_s__gives_the_one_low_form(key: bytes, payload: bytes, flip: bool) -> None:
    signer = EphemeralSigner(key)
    signature = await signer.sign_payload(payload)
    s = ORDER - signature.s if flip else signature.s
    assert signature_of(keccak(payload), signature.r, s, signer.address) == signature


@given(keys, st.binary(max_size=64))
async def test_signature__other_form_of_it__is_none(key: bytes, payload: bytes) -> None:
    signature = await EphemeralSigner(key).sign_payload(payload)
    with pytest.raises(BadSignature, match="higher"):
        Signature(signature.r, ORDER - signature.s, 1 - signature.parity)
    raw = bytearray(signature.to_bytes())
    raw[32:64] = (ORDER - signature.s).to_bytes(32, "big")
    raw[64] ^= 27 ^ 28
    with pytest.raises(BadSignature, match="higher"):
        decode_signature(bytes(raw))


@settings(max_examples=300)
@given(st.binary(min_size=60, max_size=70) | st.binary(min_size=64, max_size=64).map(lambda raw: raw + b"\x1b"))
def test_decode_signature__any_bytes__is_a_signature_or_refused(raw: bytes) -> None:
    try:
        signature = decode_signature(raw)
    except BadSignature:
        return
    assert signature.to_bytes() == raw


@given(digests, keys)
def test_signature_of__somebody_elses__is_refused(digest: bytes, key: bytes) -> None:
    with pytest.raises(BadSignature, match="is not"):
        signature_of(digest, 5, 7, EphemeralSigner(key).address)
