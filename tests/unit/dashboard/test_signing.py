"""Signatures made elsewhere: who made them, in whatever form they come, and what is no signature."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from navoracle.chain.signers import EphemeralSigner
from navoracle.dashboard.request_words import FIELDS, FOLLOWS, consequence, shown_fields, who_may
from navoracle.dashboard.signing import checked, prepared, request_file
from navoracle.domain.errors import RequestRefused
from navoracle.domain.units import Timestamp
from navoracle.requests.actions import DEFAULT_LIMITS, Action
from navoracle.requests.desk import RequestTarget
from navoracle.requests.document import SignedRequest, parse_request
from tests.unit.requests.builders import CHAIN_ID, FUND, GUARDIAN, NOBODY, NOW, REGISTRY, request

TARGET = RequestTarget(CHAIN_ID, REGISTRY, DEFAULT_LIMITS, None)
REASONS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=60)


def signature(signer: EphemeralSigner = GUARDIAN, **changes: Any) -> bytes:
    return asyncio.run(signer.sign_payload(request(**changes).payload)).to_bytes()


def refusal(text: str, signer: str = "", asked: Any = None) -> str:
    with pytest.raises(RequestRefused) as caught:
        checked(text, signer, asked)
    assert caught.value.advice
    return caught.value.message


def test_prepared__question__is_a_request_of_this_registry_for_a_while() -> None:
    made = prepared(FUND, Action.HOLD, "  wrong feed ", TARGET, now=Timestamp(NOW), valid_for=900, nonce=5)
    assert made == request(reason="wrong feed", deadline=NOW + 900, nonce=5)


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 501])
def test_prepared__reason_that_cannot_be_used__is_refused(reason: str) -> None:
    with pytest.raises(RequestRefused, match="reason"):
        prepared(FUND, Action.HOLD, reason, TARGET, now=Timestamp(NOW), valid_for=900, nonce=5)


@given(reason=REASONS, action=st.sampled_from(Action), nonce=st.integers(0, 2**53 - 1))
def test_request_file__any_request__is_what_the_command_reads_and_a_wallet_signs(
    reason: str, action: Action, nonce: int
) -> None:
    asked = request(reason=reason, action=action, nonce=nonce)
    document = json.loads(request_file(asked))
    assert parse_request(document["request"]) == asked
    assert document["digest"] == asked.id
    by_wallet = Account.sign_typed_data(b"\x07" * 32, full_message=document["typed_data"])
    assert checked("0x" + by_wallet.signature.hex(), "", asked).signed.signer == Account.from_key(b"\x07" * 32).address


@pytest.mark.parametrize("form", ["0x{}", "{}", "  0x{}\n"])
def test_checked__signature_of_a_key__says_whose_it_is(form: str) -> None:
    found = checked(form.format(signature().hex()), "", request())
    assert found.by_key
    assert found.signed == SignedRequest(request(), GUARDIAN.address, signature())


def test_checked__last_byte_counted_from_zero__is_the_same_signature() -> None:
    made = signature()
    found = checked("0x" + (made[:-1] + bytes([made[-1] - 27])).hex(), GUARDIAN.address.lower(), request())
    assert (found.by_key, found.signed.signature) == (True, made)


def test_checked__signed_document__is_taken_as_it_is_or_as_the_command_prints_it() -> None:
    signed = SignedRequest(request(), GUARDIAN.address, signature())
    text = signed.document().decode()
    for form in (
        text,
        text + "\n",
        json.dumps(json.loads(text), indent=2),
        json.dumps({"document": text, "live": False}),
    ):
        found = checked(form, "", None)
        assert (found.signed, found.by_key) == (signed, True)


def test_checked__another_signer_is_named__it_is_left_to_that_account() -> None:
    found = checked("0x" + signature().hex(), NOBODY.address, request())
    assert (found.signed.signer, found.by_key) == (NOBODY.address, False)
    long = checked("0x" + "ab" * 300, NOBODY.address, request())
    assert (len(long.signed.signature), long.by_key) == (300, False)


@given(at=st.integers(0, 63), bit=st.integers(0, 7))
def test_checked__any_bit_of_the_signature_changed__is_not_the_guardians(at: int, bit: int) -> None:
    made = bytearray(signature())
    made[at] ^= 1 << bit
    try:
        found = checked("0x" + made.hex(), "", request())
    except RequestRefused:
        return
    assert found.signed.signer != GUARDIAN.address


@given(
    change=st.sampled_from([{"nonce": 8}, {"slot": NOW - 1}, {"reason": "x"}, {"chain": 1}, {"action": Action.UPDATE}])
)
def test_checked__request_is_another_one__the_signature_is_not_the_guardians(change: dict[str, Any]) -> None:
    assert checked("0x" + signature().hex(), "", request(**change)).signed.signer != GUARDIAN.address


@pytest.mark.parametrize("form", ["0x{}", "{}"])
def test_checked__length_of_a_private_key__is_refused_and_not_repeated(form: str) -> None:
    secret = "5e" * 32
    said = refusal(form.format(secret), "", request())
    assert "private key" in said
    assert secret not in said


@pytest.mark.parametrize(
    ("text", "signer", "what"),
    [
        ("", "", "fits no key"),
        ("hello", "", "not hexadecimal"),
        ("0xabc", "", "not hexadecimal"),
        ("0x" + "ff" * 65, "", "fits no key"),
        ("0x" + "ab" * 65, "0x12", "signer"),
        ("0x" + "ab" * 65, GUARDIAN.address.swapcase().replace("0X", "0x"), "signer"),
        ("{", "", "JSON"),
        ("{}", "", "fields"),
        ('{"document": "{}"}', "", "fields"),
        ("[" * 40, "", "not hexadecimal"),
        ('{"a":' * 40 + "1" + "}" * 40, "", "JSON"),
        ("{" + " " * 70_000 + "}", "", "too long"),
    ],
)  # fmt: skip
def test_checked__no_signature__is_refused_with_advice(text: str, signer: str, what: str) -> None:
    assert what in refusal(text, signer, request())


def test_checked__signature_without_a_request__is_of_nothing() -> None:
    assert "no request" in refusal("0x" + signature().hex())


def test_words__every_action_and_field__is_explained() -> None:
    assert set(FOLLOWS) == set(Action)
    assert set(FIELDS) == set(request().fields())
    shown = {row["field"]: row["value"] for row in shown_fields(request())}
    assert shown["deadline"] == f"{NOW + 600} = 2027-01-15 08:10:00 UTC"
    assert (shown["action"], shown["contract"]) == ("hold", REGISTRY)


def test_consequence__action__says_what_follows_who_may_and_how_often() -> None:
    stop = consequence(Action.HOLD, TARGET)
    assert "GUARDIAN or RISK" in stop
    assert "at any time" in stop
    assert "at most 24 times in 86,400 s" in consequence(Action.EMERGENCY_UPDATE, TARGET)
    assert who_may(Action.RESET_BREAKER) == "RISK"


def test_consequence__hold_with_and_without_a_guardians_key__says_whether_the_registry_is_told() -> None:
    keyless = replace(TARGET, hold_obstacle="no guardian's key is configured for home")
    assert "held on the registry too" in consequence(Action.HOLD, TARGET)
    told = consequence(Action.HOLD, keyless)
    assert "The registry is not told, because no guardian's key is configured for home" in told
    assert "`navoracle emergency hold` and --send" in told
    assert "held on the registry too" not in told
    assert consequence(Action.RESET_BREAKER, keyless) == consequence(Action.RESET_BREAKER, TARGET)
