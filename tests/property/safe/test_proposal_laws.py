"""Laws of proposals: calls come back out of MultiSendCallOnly, a file is read as it was written and not otherwise."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.abi import encode_call
from navoracle.domain.errors import DomainError, MalformedResult, VerificationFailed
from navoracle.ports import Address
from navoracle.safe import SafeCall, SafeTransaction, check_signatures, parse_proposal
from navoracle.safe.calls import pack_calls, unpack_calls
from navoracle.signatures import decode_signature, recover_address
from tests.unit.safe.office import CHAIN_ID, SAFE, post, signed

WORDS = st.integers(0, 2**256 - 1)
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: Address(to_checksum_address(raw)))
TARGETS = ADDRESSES.filter(lambda address: int(address, 16) != 0)
CALLS = st.builds(
    lambda to, number, text, flags: SafeCall(to, encode_call("f(uint256,bytes,(bool,int8)[])", number, text, flags)),
    TARGETS,
    WORDS,
    st.binary(max_size=70),
    st.lists(st.tuples(st.booleans(), st.integers(-128, 127)), max_size=3),
)


@given(st.lists(CALLS, min_size=1, max_size=5))
def test_pack__any_calls__come_back_out(calls: list[SafeCall]) -> None:
    assert unpack_calls(pack_calls(calls)) == tuple((call.to, 0, call.data) for call in calls)


@given(st.lists(CALLS, min_size=1, max_size=3), st.data())
def test_unpack__one_byte_changed__is_refused_or_says_something_else(
    calls: list[SafeCall], data: st.DataObject
) -> None:
    packed = bytearray(pack_calls(calls))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    with suppress(MalformedResult):
        assert unpack_calls(bytes(packed)) != tuple((call.to, 0, call.data) for call in calls)


@given(CALLS, st.data())
def test_call__with_bytes_that_its_signature_does_not_account_for__is_refused(
    call: SafeCall, data: st.DataObject
) -> None:
    with pytest.raises(DomainError, match="is not the encoding of"):
        SafeCall(call.to, call.data + data.draw(st.binary(min_size=1, max_size=40)), call.signature)


def test_call__that_nobody_can_decode__is_refused() -> None:
    with pytest.raises(DomainError, match="nobody could see what it does"):
        SafeCall(SAFE, b"\xde\xad\xbe\xef")
    with pytest.raises(DomainError, match="is not the encoding of"):
        SafeCall(SAFE, post().data, "other(uint256,bytes32)")


@given(WORDS, TARGETS, st.tuples(*(WORDS for _ in range(4))), st.binary(max_size=100), st.sampled_from([0, 1]))
def test_payload__of_any_transaction__is_what_a_wallet_signs(
    nonce: int, to: Any, numbers: Any, data: bytes, operation: int
) -> None:
    value, gas, base, price = numbers
    made = SafeTransaction(CHAIN_ID, SAFE, nonce, to, value, data, operation, gas, base, price)
    account = Account.from_key(bytes(31) + b"\x07")
    of_wallet = account.sign_typed_data(full_message=made.typed_data())
    assert of_wallet.message_hash == made.digest
    assert recover_address(made.digest, decode_signature(bytes(of_wallet.signature))) == account.address


@given(st.lists(CALLS, min_size=1, max_size=3), st.integers(0, 2**53))
@settings(max_examples=40)
def test_document__of_any_proposal__is_read_as_it_was_written(calls: list[SafeCall], nonce: int) -> None:
    made = asyncio.run(signed(*calls, nonce=nonce))
    found = parse_proposal(made.document(), "it")
    check_signatures(found, "it")
    assert found == made


DOCUMENT = asyncio.run(signed(post(), post(6))).document()


@given(st.integers(0, len(DOCUMENT) - 1), st.integers(1, 255))
@settings(max_examples=300)
def test_document__one_byte_changed__is_never_trusted(place: int, change: int) -> None:
    changed = bytearray(DOCUMENT)
    changed[place] ^= change
    with pytest.raises(VerificationFailed):
        check_signatures(parse_proposal(bytes(changed), "it"), "it")


@pytest.mark.parametrize("cut", [0, 1, 100, len(DOCUMENT) - 1])
def test_document__cut_off__is_no_proposal(cut: int) -> None:
    with pytest.raises(VerificationFailed):
        parse_proposal(DOCUMENT[:cut], "it")
