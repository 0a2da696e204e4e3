"""The DER of key services."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import utils
from hypothesis import given
from hypothesis import strategies as st

from navoracle.chain.signers.der import signature_numbers, uncompressed_point
from navoracle.domain.errors import BadSignature
from navoracle.signatures import ORDER


@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1))
def test_signature_numbers__any_two__are_those_that_were_encoded(r: int, s: int) -> None:
    assert signature_numbers(utils.encode_dss_signature(r, s)) == (r, s)


@given(st.binary(max_size=80))
def test_signature_numbers__any_bytes__are_refused_unless_they_are_the_encoding(document: bytes) -> None:
    try:
        numbers = signature_numbers(document)
    except BadSignature:
        return
    assert utils.encode_dss_signature(*numbers) == document


@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1), st.data())
def test_signature_numbers__a_byte_changed__never_reads_as_the_same_numbers(
    r: int, s: int, data: st.DataObject
) -> None:
    encoded = bytearray(utils.encode_dss_signature(r, s))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        assert signature_numbers(bytes(encoded)) != (r, s)
    except BadSignature:
        return


@pytest.mark.parametrize("document", [None, b"", b"\0" * 88, b"\x30\x56" + b"\0" * 86, b"\0" * 87])
def test_uncompressed_point__no_public_key__raises(document: object) -> None:
    with pytest.raises(ValueError, match="public key"):
        uncompressed_point(document)
