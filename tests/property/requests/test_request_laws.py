"""Whatever is changed in a signed request, it is refused; whatever is asked for, it is read as it was written."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.domain.errors import RequestRefused
from navoracle.requests.actions import Action
from navoracle.requests.document import ActionRequest, SignedRequest, parse_signed_request
from navoracle.signatures import ORDER
from tests.unit.requests.builders import GUARDIAN, REGISTRY, Office, signed

DOCUMENT = asyncio.run(signed(reason="the feed of „stETH“ looks wrong"))
BYTES = DOCUMENT.document()

times = st.integers(0, 2**32 - 1)
numbers = st.integers(0, 2**53 - 1)
reasons = st.text(min_size=1, max_size=60).map(str.strip).filter(lambda text: bool(text) and text.isprintable())
requests = st.builds(
    ActionRequest,
    fund=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z"),
    action=st.sampled_from(Action),
    slot=times,
    reason=reasons,
    deadline=times,
    nonce=numbers,
    chain=numbers,
    contract=st.just(REGISTRY),
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office.at(tmp_path_factory.mktemp("office"))
    office.store.append_event = lambda event: 0  # type: ignore[method-assign]
    return office


@settings(max_examples=400)
@given(place=st.integers(0, len(BYTES) - 1), change=st.integers(1, 255))
async def test_receive__one_byte_changed_anywhere__is_refused(office: Office, place: int, change: int) -> None:
    altered = bytearray(BYTES)
    altered[place] ^= change
    assert await office.reason(bytes(altered)) != "taken"


@settings(max_examples=150)
@given(place=st.integers(0, len(BYTES)), insert=st.binary(min_size=1, max_size=3))
async def test_receive__bytes_inserted__is_refused(office: Office, place: int, insert: bytes) -> None:
    altered = BYTES[:place] + insert + BYTES[place:]
    if altered != BYTES + b"\n":
        assert await office.reason(altered) != "taken"


@given(place=st.integers(0, len(BYTES) - 1), length=st.integers(1, 40))
async def test_receive__bytes_left_out__is_refused(office: Office, place: int, length: int) -> None:
    assert await office.reason(BYTES[:place] + BYTES[place + length :]) != "taken"


@settings(max_examples=200)
@given(asked=requests)
async def test_receive__signature_of_another_request__is_refused(office: Office, asked: ActionRequest) -> None:
    moved = replace(DOCUMENT, request=asked)
    assert await office.reason(moved) != "taken"


@given(st.binary(min_size=1, max_size=130))
async def test_receive__any_other_signature__is_refused(office: Office, signature: bytes) -> None:
    assert await office.reason(replace(DOCUMENT, signature=signature)) != "taken"


@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1), st.sampled_from([27, 28]))
async def test_receive__any_other_point__is_refused(office: Office, r: int, s: int, v: int) -> None:
    forged = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])
    assert await office.reason(replace(DOCUMENT, signature=forged)) != "taken"


async def test_receive__the_document_itself__is_taken_after_all_that(office: Office) -> None:
    assert await office.reason(BYTES) == "taken"


@given(requests)
def test_document__any_request__is_read_as_it_was_written(asked: ActionRequest) -> None:
    document = SignedRequest(asked, GUARDIAN.address, bytes(65))
    assert parse_signed_request(document.document()) == document


@given(requests)
def test_payload__any_request__is_what_another_library_computes(asked: ActionRequest) -> None:
    theirs = encode_typed_data(full_message=asked.typed_data())
    assert asked.payload == b"\x19" + theirs.version + theirs.header + theirs.body


@given(requests, requests)
def test_id__two_requests__are_told_apart(one: ActionRequest, other: ActionRequest) -> None:
    assert (one.id == other.id) is (one == other)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
)
def test_parse__any_json_in_any_place__is_refused_as_malformed(value: Any) -> None:
    whole = json.loads(BYTES)
    places = [value, {**whole, "request": value}, {**whole, "signature": value}, {**whole, "signer": value}]
    places += [{**whole, "request": {**whole["request"], name: value}} for name in whole["request"]]
    for place in places:
        document = json.dumps(place, sort_keys=True, separators=(",", ":")).encode()
        if document == BYTES:
            continue
        try:
            found = parse_signed_request(document).document()
        except RequestRefused as refusal:
            found = refusal.reason.encode()
        assert found in (b"malformed", document)
