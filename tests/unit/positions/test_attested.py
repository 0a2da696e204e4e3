"""Signed, expiring statements of a position: nothing but the exact signed bytes is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.domain.errors import DomainError, EmptyResult, MalformedResult, ReadError, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import Bps, RawAmount
from navoracle.ports import Answer, Document
from navoracle.positions import Attestation, AttestedPosition, sign_attestation
from navoracle.positions.attested import canonical_document, decode_document, recover_signer
from navoracle.testing import Example, FakeOffChain, ReaderSpec, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW, chain=None)
KEY, OTHER_KEY = b"\x01" * 32, b"\x02" * 32
SIGNER = Account.from_key(KEY).address
PATH = Document("custody.json")
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
STATED: dict[str, Any] = {
    "fund": "alpha",
    "position": "custody",
    "asset": "USDC",
    "amount": "1250000.5",
    "decimals": 6,
    "as_of": NOW - 60,
    "expires": NOW + 3_600,
    "chain_id": 1,
}


def attestation(**changes: Any) -> Attestation:
    return Attestation(**{**STATED, **changes})


def position(**changes: Any) -> AttestedPosition:
    fields = {
        "kind": "attested",
        "id": "custody",
        "fund": "alpha",
        "asset": "USDC",
        "component": "cash",
        "document": PATH.path,
        "signer": SIGNER,
        "chain_id": 1,
        "decimals": 6,
    }
    return AttestedPosition.model_validate({**fields, **changes})


def read(data: bytes, **changes: Any) -> object:
    return drive(position(**changes).read(AT), {PATH: Answer(data)})


DOCUMENT = sign_attestation(attestation(), KEY)
EXPECTED = (Holding("custody", Component.CASH, "USDC", RawAmount(1_250_000_500_000, 6), confidence=Bps(9_000)),)


class TestAttestedSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(position(), {PATH: DOCUMENT}, AT, EXPECTED)


@settings(max_examples=150)
@given(st.integers(0, len(DOCUMENT) - 1), st.integers(1, 255))
def test_read__any_byte_changed__is_refused(index: int, change: int) -> None:
    changed = bytearray(DOCUMENT)
    changed[index] ^= change
    with pytest.raises(ReadError):
        read(bytes(changed))


@settings(max_examples=60)
@given(st.integers(0, len(DOCUMENT)), st.binary(min_size=1, max_size=3))
def test_read__any_bytes_inserted__are_refused(index: int, inserted: bytes) -> None:
    with pytest.raises(ReadError):
        read(DOCUMENT[:index] + inserted + DOCUMENT[index:])


@pytest.mark.parametrize(
    "changes",
    [
        {"fund": "beta"},
        {"position": "exchange"},
        {"asset": "USDT"},
        {"decimals": 8},
        {"chain_id": 10},
    ],
)
def test_read__signed_for_something_else__is_refused_naming_it(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(SourceRefused, match=f"is for {name} "):
        read(sign_attestation(attestation(**changes), KEY))


def test_read__wrong_signer__is_refused_naming_both() -> None:
    other = Account.from_key(OTHER_KEY).address
    with pytest.raises(SourceRefused, match=f"signed by {other}, not by {SIGNER}"):
        read(sign_attestation(attestation(), OTHER_KEY))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"as_of": NOW + 1}, "later than now"),
        ({"expires": NOW}, f"expired at {NOW}"),
        ({"expires": NOW - 1}, f"expired at {NOW - 1}"),
        ({"as_of": NOW - 86_400}, f"expired at {NOW}"),
    ],
)
def test_read__future_or_expired_or_too_old__is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceRefused, match=message):
        read(sign_attestation(attestation(**changes), KEY))


@pytest.mark.parametrize("changes", [{"as_of": NOW}, {"expires": NOW + 1}, {"as_of": NOW - 86_399}])
def test_read__just_within_its_time__is_taken(changes: dict[str, Any]) -> None:
    assert read(sign_attestation(attestation(**changes), KEY)) == EXPECTED


def test_read__shorter_max_age__is_taken() -> None:
    assert read(DOCUMENT, max_age=61) == EXPECTED
    with pytest.raises(SourceRefused, match=f"expired at {NOW}"):
        read(DOCUMENT, max_age=60)


def test_read__no_document__is_empty() -> None:
    with pytest.raises(EmptyResult):
        drive(position().read(AT), FakeOffChain().answer)


def test_recover__the_other_form_of_the_same_signature__is_refused() -> None:
    stated, signature = decode_document(DOCUMENT)
    raw = bytes.fromhex(signature[2:])
    high = CURVE_ORDER - int.from_bytes(raw[32:64], "big")
    twin = raw[:32] + high.to_bytes(32, "big") + bytes([55 - raw[64]])
    with pytest.raises(MalformedResult, match="canonical"):
        recover_signer(stated, "0x" + twin.hex())
    with pytest.raises(MalformedResult, match="canonical"):
        recover_signer(stated, "0x" + (raw[:64] + bytes([raw[64] - 27])).hex())


@pytest.mark.parametrize("middle", [b"\x00" * 32, b"\xff" * 32])
def test_recover__no_signature_at_all__is_malformed(middle: bytes) -> None:
    with pytest.raises(MalformedResult):
        recover_signer(attestation(), "0x" + (middle + b"\x00" * 31 + b"\x01" + b"\x1b").hex())


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"null",
        b"nonsense",
        b"\xff",
        b"[" * 4_096,
        b"[" * 100_000,
        DOCUMENT + b"\n",
        DOCUMENT.replace(b",", b", "),
        DOCUMENT.replace(b'"decimals":6', b'"decimals":"6"'),
        DOCUMENT.replace(b'"decimals":6', b'"decimals":6,"decimals":6'),
        DOCUMENT.replace(b'"fund":"alpha"', b'"fund":"alpha","note":"x"'),
        json.dumps(json.loads(DOCUMENT), indent=1).encode(),
    ],
)
def test_read__not_the_canonical_document__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult):
        read(data)


@pytest.mark.parametrize(
    "changes",
    [{"amount": "-1"}, {"amount": "1.0000001"}, {"amount": "many"}, {"expires": 1}, {"fund": "alpha" * 1_000}],
)
def test_sign__statement_that_nobody_may_make__is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DomainError):
        sign_attestation(attestation(**changes), KEY)


def test_read__signed_amount_of_another_scale__is_malformed() -> None:
    stated = attestation(amount="1.0000001")
    signable = attestation(amount="1.0000001", decimals=7)
    _, signature = decode_document(sign_attestation(signable, KEY))
    with pytest.raises(ReadError):
        read(canonical_document(stated, signature))


def test_configuration__fund__is_the_sections_to_fill() -> None:
    schema = AttestedPosition.model_json_schema()
    assert "fund" not in schema["properties"]
    assert position(signer=address(1)).assets == (("USDC", "asset"),)
