"""The desk: who may ask for what, and every way in which a request is refused, with a record of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.chain.signers import EphemeralSigner
from navoracle.domain.errors import ChainError, OutOfRange
from navoracle.ports import Address, Answer
from navoracle.requests.actions import Action, Limit
from navoracle.requests.authority import RoleCheck
from navoracle.signatures import ORDER
from navoracle.store_port import RequestState
from tests.unit.requests.builders import (
    BOTH,
    CHAIN_ID,
    ENGINE,
    FUND,
    GUARDIAN,
    MANAGER,
    NOBODY,
    NOW,
    REGISTRY,
    RISK,
    Office,
    request,
    signed,
    with_signature,
)

VAULT = Address("0x00000000000000000000000000000000000000fa")
SIGNERS = {"guardian": GUARDIAN, "risk": RISK, "manager": MANAGER, "engine": ENGINE, "nobody": NOBODY}
MAY = {
    Action.UPDATE: {"manager"},
    Action.EMERGENCY_UPDATE: {"guardian", "risk"},
    Action.HOLD: {"guardian", "risk"},
    Action.RESET_BREAKER: {"risk"},
    Action.REBASE: {"risk"},
    Action.ACCEPT: {"risk"},
    Action.RELEASE: {"risk"},
    Action.DISCARD: {"risk"},
    Action.POST_TRADE: {"engine"},
}
MAGIC = bytes.fromhex("1626ba7e")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office.at(tmp_path)
    yield office
    office.store.close()


async def test_receive__good_request__is_queued_once_with_everything_about_it(office: Office) -> None:
    document = await signed()
    record = await office.receive(document)
    (row,) = office.store.queued_requests()
    assert row.record == record
    assert (row.state, row.received_at) == (RequestState.QUEUED, NOW)
    assert (record.id, record.fund, record.action, record.role) == (document.request.id, FUND, "hold", "guardian")
    assert (record.signer, record.chain_id, record.contract, record.nonce) == (GUARDIAN.address, CHAIN_ID, REGISTRY, 7)
    assert (record.slot, record.deadline, record.received_by) == (NOW, NOW + 600, "test")
    assert record.document.encode() == document.document()
    assert office.taken == [record]
    assert office.events("request_taken") == [
        {"request": record.id, "action": "hold", "signer": GUARDIAN.address, "source": "test"}
    ]


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", SIGNERS)
async def test_receive__each_action_of_each_role__is_taken_only_where_the_role_may(
    office: Office, action: Action, role: str
) -> None:
    document = await signed(SIGNERS[role], action=action)
    assert await office.reason(document) == ("taken" if role in MAY[action] else "wrong_role")
    assert len(office.store.queued_requests()) == (role in MAY[action])


def test_actions__all_of_them__are_in_the_table() -> None:
    assert MAY.keys() == set(Action)


async def test_receive__signer_holds_two_roles__counts_as_the_first_that_may(office: Office) -> None:
    assert (await office.receive(await signed(BOTH, nonce=1))).role == "guardian"
    assert (await office.receive(await signed(BOTH, nonce=2, action=Action.RESET_BREAKER))).role == "risk"


async def refusal_after(office: Office, **changes: Any) -> str:
    return await office.reason(await signed(**changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fund": "unknown"}, "unknown_fund"),
        ({"chain": 1}, "wrong_chain"),
        ({"contract": VAULT}, "wrong_contract"),
        ({"deadline": NOW - 1}, "expired"),
        ({"deadline": NOW + 86_400 + 61}, "too_long"),
        ({"slot": NOW + 61}, "too_early"),
        ({"deadline": NOW}, "taken"),
        ({"deadline": NOW + 86_400 + 60}, "taken"),
        ({"slot": NOW + 60}, "taken"),
        ({"slot": 0}, "taken"),
    ],
)
async def test_receive__field_that_does_not_fit__is_refused_and_recorded(
    office: Office, changes: dict[str, Any], reason: str
) -> None:
    document = await signed(**changes)
    assert await office.reason(document) == reason
    if reason != "taken":
        assert office.store.queued_requests() == ()
        assert office.refused == [("hold", reason)]
        (event,) = office.events("request_refused")
        assert event["reason"] == reason
        assert event["request"] == document.request.id
        assert event["signer"] == GUARDIAN.address
        assert event["source"] == "test"


async def test_receive__chain_is_past_the_deadline__is_expired_though_the_clock_was_set_back(office: Office) -> None:
    office.clock.set(NOW - 3_600)
    document = await signed(slot=NOW - 3_600, deadline=NOW - 1_800)
    assert await office.reason(document) == "expired"


async def test_receive__the_same_again__is_replayed(office: Office) -> None:
    document = await signed()
    assert await office.reason(document) == "taken"
    assert await office.reason(document) == "replayed"
    office.store.finish_request(document.request.id, RequestState.DONE, "held", office.clock.now())
    assert await office.reason(document) == "replayed"
    assert len(office.store.requests()) == 1


async def test_receive__same_nonce_for_something_else__is_replayed(office: Office) -> None:
    await office.receive(await signed())
    assert await refusal_after(office, fund="other") == "replayed"
    assert await office.reason(await signed(action=Action.EMERGENCY_UPDATE)) == "replayed"
    # Every signer has nonces of its own; the very same words of two signers are one request.
    assert await office.reason(await signed(RISK)) == "replayed"
    assert await office.reason(await signed(RISK, reason="I think so too")) == "taken"


async def test_receive__stolen_request_for_another_fund_chain_or_contract__is_refused(office: Office) -> None:
    stolen = await signed(fund="other")
    moved: list[dict[str, Any]] = [
        {"fund": FUND},
        {"fund": FUND, "chain": 1},
        {"fund": FUND, "contract": VAULT},
        {"action": Action.RESET_BREAKER},
        {"deadline": NOW + 601},
        {"nonce": 8},
        {"reason": "another one"},
        {"slot": NOW - 1},
    ]
    for changes in moved:
        assert await office.reason(replace(stolen, request=replace(stolen.request, **changes))) != "taken"
    assert office.store.queued_requests() == ()


async def test_receive__another_signer_is_named__is_refused(office: Office) -> None:
    document = await signed(NOBODY)
    assert await office.reason(replace(document, signer=GUARDIAN.address)) == "bad_signature"
    assert await office.reason(replace(await signed(), signer=NOBODY.address)) == "wrong_role"


async def test_receive__malleable_signature__is_refused(office: Office) -> None:
    document = await signed()
    raw = document.signature
    high = raw[:32] + (ORDER - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big") + bytes([55 - raw[64]])
    assert await office.reason(with_signature(document, high)) == "bad_signature"
    assert await office.reason(with_signature(document, raw[:64] + bytes([raw[64] - 27]))) == "bad_signature"
    assert await office.reason(document) == "taken"


async def test_receive__role_was_revoked__is_refused(office: Office) -> None:
    document = await signed()
    office.grant(GUARDIAN.address, 0)
    assert await office.reason(document) == "wrong_role"
    office.grant(GUARDIAN.address, 4)
    assert await office.reason(document) == "taken"


async def test_receive__more_than_the_limit__is_too_often_until_time_has_passed(office: Office) -> None:
    def update(nonce: int, fund: str = FUND) -> Any:
        now = office.clock.now()
        return signed(MANAGER, action=Action.UPDATE, nonce=nonce, slot=now, deadline=now + 60, fund=fund)

    assert await office.reason(await update(1)) == "taken"
    assert await office.reason(await update(2)) == "too_often"
    assert await office.reason(await update(3, "other")) == "taken"
    office.clock.set(NOW + 3_599)
    assert await office.reason(await update(4)) == "too_often"
    office.clock.set(NOW + 3_600)
    # What was refused has used no nonce up.
    assert await office.reason(await update(2)) == "taken"


async def test_receive__limit_of_a_fund__replaces_the_usual_one(office: Office) -> None:
    office.limits[Action.UPDATE] = Limit(2, 60)
    found = [await office.reason(await signed(MANAGER, action=Action.UPDATE, nonce=nonce)) for nonce in range(3)]
    assert found == ["taken", "taken", "too_often"]


async def test_receive__hold__is_never_too_often(office: Office) -> None:
    found = {await office.reason(await signed(nonce=nonce)) for nonce in range(30)}
    assert found == {"taken"}


@pytest.mark.parametrize(("at_most", "within"), [(0, 60), (1, 0), (-1, 60)])
def test_limit__of_nothing__is_none(at_most: int, within: int) -> None:
    with pytest.raises(OutOfRange):
        Limit(at_most, within)


async def test_receive__garbage__is_refused_and_recorded_without_it(office: Office) -> None:
    assert await office.reason(b'{"secret": "s3cr3t"}') == "malformed"
    (row,) = office.store.events(kind="request_refused")
    assert (row.event.fund, row.event.data["action"], row.event.data["request"]) == (None, "unknown", None)
    assert "s3cr3t" not in str(row.event)
    assert office.refused == [("unknown", "malformed")]


async def test_receive__source_with_control_characters__is_recorded_without_them(office: Office) -> None:
    record = await office.desk.receive((await signed()).document(), "file\n\x1b[2J" + "x" * 500)
    assert record.received_by == "file??[2J" + "x" * 191


async def test_receive__two_desks_at_once__take_it_once(office: Office, tmp_path: Path) -> None:
    other = Office.at(tmp_path)
    documents = [await signed(nonce=nonce) for nonce in range(10)]
    offices = (office, other)
    found = await asyncio.gather(*(each.reason(document) for document in documents for each in offices))
    assert sorted(found) == ["replayed"] * 10 + ["taken"] * 10
    assert len(office.store.queued_requests()) == 10
    other.store.close()


@pytest.mark.parametrize("answer", [True, False])
async def test_receive__fund_with_a_role_check__asks_that_contract_for_its_manager(
    office: Office, answer: bool
) -> None:
    role = bytes(31) + b"\x09"
    office.manager = RoleCheck(VAULT, role)
    office.chain.put(VAULT, "hasRole(bytes32,address)", (role, NOBODY.address), ("bool",), answer)
    document = await signed(NOBODY, action=Action.UPDATE)
    assert await office.reason(document) == ("taken" if answer else "wrong_role")
    # The registry's own bit no longer counts for this fund.
    office.chain.put(VAULT, "hasRole(bytes32,address)", (role, MANAGER.address), ("bool",), False)
    assert await office.reason(await signed(MANAGER, action=Action.UPDATE)) == "wrong_role"


async def test_receive__fund_with_an_owner_check__takes_the_owners_updates_and_nothing_else(office: Office) -> None:
    office.manager = RoleCheck(VAULT)
    office.chain.put(VAULT, "owner()", (), ("address",), NOBODY.address)
    assert await office.reason(await signed(NOBODY, action=Action.UPDATE)) == "taken"
    assert await office.reason(await signed(MANAGER, action=Action.UPDATE)) == "wrong_role"
    assert await office.reason(await signed(NOBODY, action=Action.HOLD, nonce=8)) == "wrong_role"


async def test_receive__role_check_on_another_contract__says_so_and_takes_nothing(office: Office) -> None:
    office.manager = RoleCheck(VAULT)
    with pytest.raises(ChainError, match=f"{VAULT} does not answer with an owner"):
        await office.receive(await signed(MANAGER, action=Action.UPDATE))
    assert office.store.requests() == ()


@pytest.mark.parametrize("answer", [Answer(b"", "empty_result"), Answer(bytes(31)), Answer(b"", "call_reverted")])
async def test_receive__registry_does_not_answer__is_no_refusal(office: Office, answer: Answer) -> None:
    office.chain.answers[REGISTRY, encode_call("grantedRoles(address)", GUARDIAN.address)] = answer
    with pytest.raises(ChainError, match=f"{REGISTRY} does not answer with roles"):
        await office.receive(await signed())
    assert office.events("request_refused") == []


def account(office: Office, document: Any, answer: bytes) -> None:
    """A smart account that answers so to this document's signature."""
    office.grant(VAULT, 4)
    digest, signature = document.request.digest, document.signature
    office.chain.put(VAULT, "isValidSignature(bytes32,bytes)", (digest, signature), ("bytes4",), answer)


@pytest.mark.parametrize(("answer", "reason"), [(MAGIC, "taken"), (b"\xff\xff\xff\xff", "bad_signature")])
async def test_receive__smart_account__is_asked_for_its_signature(office: Office, answer: bytes, reason: str) -> None:
    document = replace(await signed(NOBODY), signer=VAULT, signature=b"\x01" * 200)
    account(office, document, answer)
    assert await office.reason(document) == reason
    assert office.chain.rounds[-1][0].direct  # type: ignore[union-attr]


async def test_receive__smart_account_without_the_role__is_not_even_called(office: Office) -> None:
    document = replace(await signed(NOBODY), signer=VAULT, signature=b"\x01" * 200)
    account(office, document, MAGIC)
    office.grant(VAULT, 0)
    assert await office.reason(document) == "wrong_role"
    assert len(office.chain.rounds) == 1


@pytest.mark.parametrize("answer", [MAGIC, MAGIC + bytes(27) + b"\1", MAGIC + bytes(60), b"", bytes(32)])
async def test_receive__smart_account_answers_anything_else__is_refused(office: Office, answer: bytes) -> None:
    document = replace(await signed(NOBODY), signer=VAULT, signature=b"\x01" * 200)
    account(office, document, MAGIC)
    data = encode_call("isValidSignature(bytes32,bytes)", document.request.digest, document.signature)
    office.chain.answers[VAULT, data] = Answer(answer)
    assert await office.reason(document) == "bad_signature"


async def test_receive__chain_cannot_be_read__is_kept_for_later(office: Office) -> None:
    document = await signed()

    class Down:
        async def stamp(self, number: int | None = None) -> Any:
            raise ChainError("no node answers", advice="Wait.")

    chain = office.chain
    office.chain = Down()  # type: ignore[assignment]
    with pytest.raises(ChainError):
        await office.receive(document)
    office.chain = chain
    assert office.events("request_refused") == []
    assert await office.reason(document) == "taken"


def test_signers__of_these_tests__are_six() -> None:
    signers: set[EphemeralSigner] = {GUARDIAN, RISK, MANAGER, ENGINE, NOBODY, BOTH}
    assert len({signer.address for signer in signers}) == 6
    assert request().fund == FUND
