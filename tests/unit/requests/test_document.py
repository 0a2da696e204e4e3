"""The form of signed requests: EIP-712 as wallets compute it, one canonical JSON, everything else refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from navoracle.domain.errors import RequestRefused
from navoracle.requests.actions import Action
from navoracle.requests.document import LARGEST_DOCUMENT, canonical_json, parse_request, parse_signed_request
from tests.unit.requests.builders import GUARDIAN, REGISTRY, request, signed


def test_payload__of_a_request__is_what_a_wallet_signs() -> None:
    asked = request(reason="Kurs falsch: 3 % über „fair“ 🛑", action=Action.EMERGENCY_UPDATE)
    theirs = encode_typed_data(full_message=asked.typed_data())
    assert asked.payload == b"\x19" + theirs.version + theirs.header + theirs.body
    assert asked.id == "0x" + asked.digest.hex()


async def test_signature__of_a_wallet__is_the_one_of_our_signer() -> None:
    asked = request()
    theirs = Account.sign_typed_data((101).to_bytes(32, "big"), full_message=asked.typed_data())
    assert bytes(theirs.signature) == (await signed()).signature
    assert Account.recover_message(encode_typed_data(full_message=asked.typed_data()), signature=theirs.signature) == (
        GUARDIAN.address
    )


def test_digest__is_written_down_once_and_for_all() -> None:
    # Another implementation that signs for this keeper needs a fixed example; a change here is a new version.
    assert request().id == "0xd7f1f1643bd11eb45e2c077efffa2d35521349ca47c834047ec0d67dc1f23651"


async def test_document__read_again__is_the_same_and_may_end_with_a_line_break() -> None:
    document = await signed(reason="wän 🛑")
    assert parse_signed_request(document.document()) == document
    assert parse_signed_request(document.document() + b"\n") == document
    assert document.document().isascii()
    assert parse_request(json.loads(document.document())["request"]) == document.request


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fund", ""),
        ("fund", "a b"),
        ("fund", "f" * 65),
        ("fund", 5),
        ("fund", None),
        ("action", "HOLD"),
        ("action", "mint"),
        ("action", ["hold"]),
        ("slot", "5"),
        ("slot", -1),
        ("slot", 1.0),
        ("slot", True),
        ("slot", None),
        ("slot", 2**32),
        ("deadline", 2**32),
        ("deadline", float("inf")),
        ("nonce", 2**53),
        ("nonce", -1),
        ("chain", 2**53),
        ("chain", "1"),
        ("reason", ""),
        ("reason", " padded"),
        ("reason", "a\nb"),
        ("reason", "\x1b[2J"),
        ("reason", "\u202egnorw"),
        ("reason", "x" * 501),
        ("reason", 5),
        ("contract", REGISTRY.lower()),
        ("contract", "0x" + "00" * 20),
        ("contract", "0x00"),
        ("contract", 5),
    ],
)
async def test_parse__field_out_of_its_range__is_malformed(field: str, value: object) -> None:
    whole = json.loads((await signed()).document())
    whole["request"][field] = value
    with pytest.raises(RequestRefused, match="malformed") as caught:
        parse_signed_request(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode())
    assert caught.value.reason == "malformed"


def changed(whole: dict[str, Any], place: str) -> dict[str, Any]:
    match place:
        case "unknown key":
            whole["extra"] = 1
        case "unknown field":
            whole["request"]["value"] = 1
        case "missing key":
            del whole["signer"]
        case "missing field":
            del whole["request"]["nonce"]
        case "request is a list":
            whole["request"] = list(whole["request"].values())
        case "signature in capitals":
            whole["signature"] = "0x" + whole["signature"][2:].upper()
        case "signature without 0x":
            whole["signature"] = whole["signature"][2:]
        case "signature of half a byte":
            whole["signature"] += "0"
        case "signature is empty":
            whole["signature"] = "0x"
        case "signature is long":
            whole["signature"] = "0x" + "11" * 4_097
        case "signature is a number":
            whole["signature"] = 5
        case "signer in lower case":
            whole["signer"] = whole["signer"].lower()
        case "signer is null":
            whole["signer"] = None
    return whole


@pytest.mark.parametrize(
    "place",
    [
        "unknown key", "unknown field", "missing key", "missing field", "request is a list", "signature in capitals",
        "signature without 0x", "signature of half a byte", "signature is empty", "signature is long",
        "signature is a number", "signer in lower case", "signer is null",
    ],
)  # fmt: skip
async def test_parse__another_shape__is_malformed(place: str) -> None:
    whole = changed(json.loads((await signed()).document()), place)
    with pytest.raises(RequestRefused, match="malformed") as caught:
        parse_signed_request(canonical_json(whole))
    assert caught.value.reason == "malformed"


async def test_parse__another_form_of_the_same_json__is_malformed() -> None:
    document = (await signed()).document()
    whole = json.loads(document)
    forms = [
        json.dumps(whole).encode(),
        json.dumps(whole, indent=1).encode(),
        b" " + document,
        document + b" ",
        document + b"\n\n",
        document.replace(b'{"request"', b'{"signer":"0x","request"', 1),
        document.replace(b'"nonce":7', b'"nonce":7,"nonce":7'),
        document.replace(b"the price", b"th\\u0065 price"),
        document.decode().encode("utf-16"),
        b"\xef\xbb\xbf" + document,
    ]
    for form in forms:
        with pytest.raises(RequestRefused, match="malformed"):
            parse_signed_request(form)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 16_000,
        b"1" * 16_000,
        b"x" * (LARGEST_DOCUMENT + 1),
        b'{"request":NaN}',
    ],
)
def test_parse__no_document__is_malformed(document: bytes) -> None:
    with pytest.raises(RequestRefused) as caught:
        parse_signed_request(document)
    assert caught.value.reason == "malformed"
