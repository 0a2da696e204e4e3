"""Nothing that a signer returns is sent unless it is exactly what was asked for, by the right key, with low s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.chain.signers import EphemeralSigner, sign_checked, sign_transaction
from navoracle.chain.signers.base import signed_transaction, unsigned_payload
from navoracle.domain.errors import SignerFailed, WrongSignature
from navoracle.ports import Address
from navoracle.signatures import ORDER, Signature

SIGNER = EphemeralSigner(bytes(31) + b"\x07")
OTHER = EphemeralSigner(bytes(31) + b"\x08")
TO = "0x00000000000000000000000000000000000000Be"

FIELDS: dict[str, int | bytes] = {
    "type": 2,
    "chainId": 31_337,
    "nonce": 5,
    "gas": 100_000,
    "maxFeePerGas": 3 * 10**9,
    "maxPriorityFeePerGas": 10**9,
    "to": bytes.fromhex(TO[2:]),
    "value": 0,
    "data": b"\x01\x02",
}


class Returning:
    """Returns given bytes, whatever it is asked to sign."""

    address = SIGNER.address

    def __init__(self, raw: bytes = b"", signature: Signature | None = None) -> None:
        self.raw = raw
        self.signature = signature

    async def sign(self, transaction: Mapping[str, int | bytes]) -> bytes:
        return self.raw

    async def sign_payload(self, payload: bytes) -> Signature:
        if self.signature is None:
            raise NotImplementedError
        return self.signature


numbers = st.integers(0, 2**64)
transactions = st.fixed_dictionaries(
    {
        "type": st.just(2),
        "chainId": st.integers(1, 2**53),
        "nonce": st.integers(0, 2**64 - 2),
        "gas": numbers,
        "maxFeePerGas": numbers,
        "maxPriorityFeePerGas": numbers,
        "to": st.binary(min_size=20, max_size=20) | st.just(b""),
        "value": numbers,
        "data": st.binary(max_size=80),
    }
)


@given(transactions)
async def test_sign_transaction__any_fields__are_encoded_as_another_library_does(fields: dict[str, Any]) -> None:
    signed = await sign_transaction(SIGNER, fields)
    theirs = Account.sign_transaction(dict(fields), bytes(31) + b"\x07")
    assert (signed.raw, signed.hash) == ("0x" + theirs.raw_transaction.hex(), "0x" + theirs.hash.hex())
    assert (signed.nonce, signed.sender) == (fields["nonce"], SIGNER.address)
    assert signed.to == ("" if not fields["to"] else Address(HexBytes(fields["to"]).to_0x_hex()) and signed.to)


@settings(max_examples=300)
@given(transactions, st.data())
async def test_sign_transaction__any_byte_changed__is_refused(fields: dict[str, Any], data: st.DataObject) -> None:
    raw = bytearray(await SIGNER.sign(fields))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WrongSignature):
        await sign_transaction(Returning(bytes(raw)), fields)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: b"\x02" + tail))
async def test_sign_transaction__garbage__is_refused(raw: bytes) -> None:
    with pytest.raises(WrongSignature, match="signer returned"):
        await sign_transaction(Returning(raw), FIELDS)


async def test_sign_transaction__high_s__is_refused() -> None:
    raw = await SIGNER.sign(FIELDS)
    *kept, parity, r, s = rlp.decode(raw[1:])
    higher = ORDER - int.from_bytes(s, "big")
    flipped = 1 - int.from_bytes(parity, "big")
    malleable = b"\x02" + rlp.encode([*kept, flipped, r, higher])
    # It is the same sender's by the curve alone, and another transaction hash.
    assert Account.recover_transaction(malleable) == SIGNER.address
    with pytest.raises(WrongSignature, match="higher of its two values of s"):
        await sign_transaction(Returning(malleable), FIELDS)


async def test_sign_transaction__accesses_added__are_refused() -> None:
    fields = {**FIELDS, "accessList": [{"address": TO, "storageKeys": []}]}
    raw = Account.sign_transaction(fields, bytes(31) + b"\x07").raw_transaction
    with pytest.raises(WrongSignature, match="differs in its accesses"):
        await sign_transaction(Returning(bytes(raw)), FIELDS)


@pytest.mark.parametrize(("name", "value"), [("nonce", 6), ("chainId", 1), ("to", bytes(20)), ("data", b"")])
async def test_sign_transaction__other_fields__are_named(name: str, value: int | bytes) -> None:
    raw = await SIGNER.sign({**FIELDS, name: value})
    with pytest.raises(WrongSignature, match=rf"differs in \['{name}'\]") as caught:
        await sign_transaction(Returning(raw), FIELDS)
    assert "Nothing was sent" in caught.value.advice


async def test_sign_transaction__another_key__is_named() -> None:
    with pytest.raises(WrongSignature, match=f"a transaction of {OTHER.address}"):
        await sign_transaction(Returning(await OTHER.sign(FIELDS)), FIELDS)


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\x02", b"\x02\xc0", b"\x02" + rlp.encode([b""] * 12)])
async def test_sign_transaction__no_transaction__is_refused(raw: bytes) -> None:
    with pytest.raises(WrongSignature):
        await sign_transaction(Returning(raw), FIELDS)


@pytest.mark.parametrize("name", [*(name for name in FIELDS if name != "type"), "accessList"])
async def test_sign__a_field_is_missing_or_unknown__is_refused_before_anything_is_signed(name: str) -> None:
    fields = {key: value for key, value in FIELDS.items() if key != name}
    if name == "accessList":
        fields[name] = 0
    with pytest.raises(SignerFailed, match="not those of an EIP-1559 transaction"):
        await SIGNER.sign(fields)


def test_unsigned_payload__hash__is_the_one_that_is_signed() -> None:
    theirs = TypedTransaction.from_dict(dict(FIELDS)).hash()
    assert HexBytes(unsigned_payload(FIELDS)).to_0x_hex().startswith("0x02")
    signature = Signature(1, 1, 0)
    raw = signed_transaction(FIELDS, signature)
    assert TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["r"] == 1
    from eth_utils.crypto import keccak

    assert keccak(unsigned_payload(FIELDS)) == theirs


async def test_sign_checked__another_payload_or_key__is_refused() -> None:
    for signature in (await SIGNER.sign_payload(b"other"), await OTHER.sign_payload(b"payload"), Signature(5, 5, 0)):
        with pytest.raises(WrongSignature, match="the signer returned a"):
            await sign_checked(Returning(signature=signature), b"payload")
    assert await sign_checked(SIGNER, b"payload") == await SIGNER.sign_payload(b"payload")
