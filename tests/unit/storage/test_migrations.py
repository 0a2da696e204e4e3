"""A database of the first schema keeps what it holds, up and down again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from eth_account import Account

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.storage import SqlStore, schema
from navoracle.storage.administration import migrate_to
from navoracle.storage.database import backend_of
from navoracle.store_port import FundOutcome, NewTransaction, SlotState, TransactionKind, TransactionState, Urgency
from tests.unit.storage.builders import NOW, REGISTRY, attempt_of, claim, intent_of, lane_of, receipt_of, signed

Rows = dict[str, list[dict[str, Any]]]
KEY = Account.from_key("0x" + "11" * 32)
SENDER = Address(KEY.address)
NOBODY = Address("0x0000000000000000000000000000000000000000")


def raw(nonce: int, *, legacy: bool = False, tip: int = 2 * 10**9) -> dict[str, Any]:
    """A row of `attempts` with real signed bytes."""
    fees: dict[str, Any] = {"gasPrice": 7} if legacy else {"maxFeePerGas": 30 * 10**9, "maxPriorityFeePerGas": tip}
    signed = KEY.sign_transaction(
        {"to": REGISTRY, "nonce": nonce, "gas": 90_000, "value": 0, "data": "0x0102ff", "chainId": 31_337} | fees
    )
    return {
        "hash": "0x" + signed.hash.hex().removeprefix("0x"),
        "raw": "0x" + signed.raw_transaction.hex().removeprefix("0x"),
        "nonce": nonce,
        "sender": SENDER,
        "to": REGISTRY,
        "signed_at": NOW,
        "sent_at": NOW + 1,
    }


def post(number: int, state: str, **known: object) -> dict[str, Any]:
    """A row of `posts` of the first schema."""
    unknown = dict.fromkeys(("finished_at", "transaction_hash", "block_number", "error"))
    return (
        {
            "id": number,
            "frame": "f1",
            "chain": "main",
            "registry": REGISTRY,
            "valuation_time": NOW,
            "evidence_root": "0x" + "ee" * 32,
            "calldata": "0x0102ff",
            "state": state,
            "created_at": NOW + number,
        }
        | unknown
        | known
    )


MINED, BUMPED, SENT, REVERTED, OLDER = raw(3), raw(3, tip=3 * 10**9), raw(4, legacy=True), raw(1), raw(4)
OLD: Rows = {
    "frames": [
        {
            "id": "f1",
            "slot_time": NOW,
            "cadence": "hourly",
            "clock": NOW,
            "now": NOW,
            "stamps": "[]",
            "code_version": "0.1",
        }
    ],
    "posts": [
        post(1, "prepared"),
        post(2, "failed", error="nothing ever came", finished_at=NOW + 9),
        post(3, "failed", error="reverted", transaction_hash=REVERTED["hash"], block_number=8, finished_at=NOW + 8),
        post(4, "sent"),
        post(6, "confirmed", transaction_hash=MINED["hash"], block_number=9, finished_at=NOW + 5),
        post(7, "sent", error="timed out"),
        post(9, "confirmed", finished_at=NOW + 6),
    ],
    "attempts": [
        {"id": 1, "post": 3} | REVERTED,
        {"id": 2, "post": 4} | OLDER,
        {"id": 3, "post": 6} | MINED,
        {"id": 4, "post": 6} | BUMPED,
        {"id": 5, "post": 7} | SENT | {"sent_at": None},
    ],
    "post_funds": [
        {
            "post": number,
            "fund": "alpha",
            "place": 0,
            "fund_id": 1,
            "nav": "1",
            "price_per_share": "2",
            "nav_before": "1",
            "components": json.dumps(["1", "0", "0", "0", "0"]),
            "confidence": 9_000,
            "estimated": False,
            "proof": "[]",
            "evidence_hash": "0x",
            "outcome": "accepted" if number == 6 else None,
        }
        for number in (1, 2, 3, 4, 6, 7, 9)
    ],
    "slots": [
        {"id": 1, "fund": "alpha", "slot_time": 1, "state": "posted", "post": 6, "frame": "f1", "finished_at": 5},
        {"id": 2, "fund": "alpha", "slot_time": 2, "state": "claimed", "post": 7, "frame": None, "finished_at": None},
        {"id": 3, "fund": "alpha", "slot_time": 3, "state": "skipped", "post": None, "frame": "f1", "finished_at": 5},
    ],
    "events": [
        {"at": NOW, "kind": "held", "severity": "info", "message": "m", "advice": "", "data": "{}"},
    ],
}
for slot in OLD["slots"]:
    slot |= {"cadence": "hourly", "claimed_at": 1, "epoch": 1}


def fill(url: str, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    """Put rows into a database of the first schema."""
    migrate_to(url, "0001")
    backend = backend_of(url)
    with backend.engine.begin() as connection:
        for name, values in rows.items():
            for row in values:
                connection.execute(sa.table(name, *map(sa.column, row)).insert(), row)
    if backend.engine.dialect.name == "postgresql":
        with backend.engine.begin() as connection:  # what was written with a number did not count up
            for name in ("posts", "attempts", "slots"):
                connection.exec_driver_sql(f"SELECT setval('{name}_id_seq', 100)")
    backend.engine.dispose()


def look(url: str, *names: str) -> Rows:
    """The rows of tables, whatever their schema is."""
    backend = backend_of(url)
    with backend.engine.connect() as connection:
        found = {}
        for name in names:
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            order = next(iter(table.primary_key)) if "id" not in table.c else table.c.id
            found[name] = [dict(row) for row in connection.execute(table.select().order_by(order)).mappings()]
    backend.engine.dispose()
    return found


def test_upgrade__posts_and_attempts__become_transactions(unmade: str) -> None:
    fill(unmade, OLD)
    with SqlStore.open(unmade) as store:
        rows = {row.id: row for row in store.posts()}
        transactions = {number: store.find_transaction(row.transaction) for number, row in rows.items()}
    assert list(rows) == [9, 7, 6, 4, 3, 2, 1]
    assert {number: row.state for number, row in rows.items()} == {
        1: TransactionState.FAILED,  # nothing was signed for it: nobody knows whose it would have been
        2: TransactionState.FAILED,
        3: TransactionState.FAILED,
        4: TransactionState.REPLACED,  # a later post that may still be mined has its nonce
        6: TransactionState.CONFIRMED,
        7: TransactionState.SENT,
        9: TransactionState.CONFIRMED,
    }
    confirmed, sent = transactions[6], transactions[7]
    assert confirmed.intent == NewTransaction(
        "post:6", TransactionKind.POST, REGISTRY, b"\x01\x02\xff", Urgency.ROUTINE, None
    )
    assert (confirmed.nonce, confirmed.sender, confirmed.created_at, confirmed.finished_at) == (
        3,
        SENDER,
        NOW + 6,
        NOW + 5,
    )
    assert confirmed.receipt is None  # the first schema did not keep whole receipts
    assert (rows[6].transaction_hash, rows[6].block_number, rows[6].finished_at) == (MINED["hash"], 9, NOW + 5)
    assert [attempt.signed.hash for attempt in confirmed.attempts] == [MINED["hash"], BUMPED["hash"]]
    assert [(a.gas, a.max_fee, a.max_tip, a.noop) for a in confirmed.attempts] == [
        (90_000, 30 * 10**9, 2 * 10**9, False),
        (90_000, 30 * 10**9, 3 * 10**9, False),
    ]
    assert (sent.nonce, sent.error, sent.finished_at) == (4, "timed out", None)
    assert [(a.gas, a.max_fee, a.max_tip, a.sent_at) for a in sent.attempts] == [(90_000, 7, 7, None)]
    assert transactions[3].error == "reverted"
    assert [transactions[number].sender for number in (1, 2, 9)] == [NOBODY] * 3
    assert transactions[1].error == "nothing was signed for it"
    assert transactions[2].error == "nothing ever came"
    assert rows[6].funds[0].outcome is FundOutcome.ACCEPTED


def test_upgrade__keeper_goes_on__with_what_was_left(unmade: str) -> None:
    fill(unmade, OLD)
    with SqlStore.open(unmade) as store:
        assert [row.id for row in store.unfinished_posts()] == [7]
        assert [row.intent.key for row in store.open_transactions("main", SENDER)] == ["post:7"]
        assert store.highest_nonce("main", SENDER) == 4
        assert [(row.slot_time, row.post) for row in store.abandoned_slots()] == [(2, 7)]
        held = claim(store, "alpha", 2)
        assert held.epoch == 2
        lane = lane_of(store, sender=SENDER)
        assert store.add_transaction(lane, intent_of("post:7"), NOW) == store.find_post(7).transaction
        assert store.add_transaction(lane, intent_of("new"), NOW) > max(row.transaction for row in store.posts())
        assert [row.state for row in store.slots()] == [SlotState.SKIPPED, SlotState.CLAIMED, SlotState.POSTED]


def test_downgrade__after_an_upgrade__holds_what_it_held(unmade: str) -> None:
    fill(unmade, OLD)
    names = ("frames", "posts", "attempts", "post_funds", "slots", "events")
    before = look(unmade, *names)
    migrate_to(unmade, "0002")
    assert look(unmade, "posts")["posts"][0].keys() != before["posts"][0].keys()
    migrate_to(unmade, "0001")
    after = look(unmade, *names)
    never_signed = {"state": "failed", "error": "nothing was signed for it", "finished_at": NOW + 1}
    outdone = {"state": "failed", "error": "a later post uses its nonce", "finished_at": NOW + 4}
    before["posts"][0] |= never_signed
    before["posts"][3] |= outdone
    assert after == before


def test_downgrade__what_the_first_schema_has_no_place_for__is_left_out(unmade: str) -> None:
    fill(unmade, OLD)
    with SqlStore.open(unmade) as store:
        lane = lane_of(store, sender=SENDER)
        hold = store.add_transaction(lane, intent_of("hold", TransactionKind.HOLD), NOW)
        transaction = signed(9)
        store.save_attempt(lane, hold, attempt_of(type(transaction)(**_fields(transaction) | {"sender": SENDER})))
        seven = store.find_post(7)
        mined = receipt_of(seven.attempts[0])
        store.record_mined(lane, seven.transaction, mined, 5, NOW)
        claim(store, "beta", 5)
        assert store.miss_slot("beta", Timestamp(6), store.slots()[0].cadence, "asleep", NOW)
    migrate_to(unmade, "0001")
    found = look(unmade, "posts", "attempts", "slots")
    assert [row["hash"] for row in found["attempts"]] == [row["hash"] for row in OLD["attempts"]]
    assert {row["id"]: (row["state"], row["transaction_hash"]) for row in found["posts"]}[7] == ("sent", mined.hash)
    beta = {row["slot_time"]: row for row in found["slots"] if row["fund"] == "beta"}
    assert (beta[5]["state"], beta[5]["owner"], beta[5]["lease_until"]) == ("claimed", None, None)
    assert (beta[6]["state"], beta[6]["reason"]) == ("skipped", "missed: asleep")
    assert migrate_to(unmade) == schema.revisions()[-1]
    with SqlStore.open(unmade) as store:
        assert store.find_post(7).attempts == seven.attempts


def _fields(transaction: object) -> dict[str, Any]:
    return {name: getattr(transaction, name) for name in ("raw", "hash", "nonce", "sender", "to")}


@pytest.mark.parametrize("bytes_of", ["0x", "0x02", "0xf8", "0x02c0", "0x02" + "ff" * 40, "0x81818181", "02c0zz"])
def test_upgrade__attempt_that_is_no_transaction__refuses_and_changes_nothing(unmade: str, bytes_of: str) -> None:
    broken = {"id": 1, "post": 7} | SENT | {"raw": bytes_of}
    fill(unmade, {"frames": OLD["frames"], "posts": OLD["posts"], "attempts": [broken]})
    before = look(unmade, "posts", "attempts")
    with pytest.raises(StoreError, match="is no signed transaction") as refused:
        SqlStore.open(unmade)
    assert "left as it was" in refused.value.advice
    assert look(unmade, "posts", "attempts") == before


def test_upgrade__many_posts__keep_their_numbers_and_order(unmade: str) -> None:
    posts = [post(number, "failed", finished_at=1) for number in range(1, 40)]
    fill(unmade, {"frames": OLD["frames"], "posts": posts})
    with SqlStore.open(unmade) as store:
        rows = store.posts()
    assert [row.id for row in rows] == list(range(39, 0, -1))
    assert [row.transaction for row in rows] == sorted((row.transaction for row in rows), reverse=True)
