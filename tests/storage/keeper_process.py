"""A keeper's process in miniature: works on a database as it is told, one JSON line on standard output for each deed.

python -m tests.storage.keeper_process URL OWNER race FUNDS SLOTS      claim every slot that can be had, and end it
python -m tests.storage.keeper_process URL OWNER hold LEASE            claim a slot and a lane, wait for a line, write
python -m tests.storage.keeper_process URL OWNER stream COUNT          write on and on, repeating what failed
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.storage import SqlStore
from navoracle.store_port import (
    Claim,
    LaneLease,
    SlotOutcome,
    SlotState,
    TransactionState,
)
from tests.unit.storage.builders import (
    KEEPER,
    NOW,
    attempt_of,
    batch_of,
    hash_of,
    intent_of,
    post_of,
    receipt_of,
    signed,
)
from tests.unit.storage.builders import prepare as prepare_post

Result = TypeVar("Result")
PATIENCE = 60.0


def say(**what: object) -> None:
    """One line for the test."""
    print(json.dumps(what), flush=True)


def race(store: SqlStore, owner: str, funds: int, slots: int) -> None:
    """Try every slot, in an order of its own."""
    wanted = [(f"fund {fund}", Timestamp(NOW + slot)) for fund in range(funds) for slot in range(slots)]
    random.Random(owner).shuffle(wanted)
    say(ready=owner)
    sys.stdin.readline()
    for fund, at in wanted:
        claim = store.claim_slot(fund, at, Cadence.HOURLY, owner=owner, lease=600, at=NOW)
        if claim is not None:
            store.finish_slot(claim, SlotOutcome(SlotState.SKIPPED, owner, None, None), NOW)
            say(fund=fund, at=at, epoch=claim.epoch)


def hold(store: SqlStore, owner: str, lease: int) -> None:
    """Take a slot and a lane, and write on both leases with every method once told to go on."""
    claim = store.claim_slot("alpha", NOW, Cadence.HOURLY, owner=owner, lease=lease, at=NOW)
    lane = store.claim_lane("main", KEEPER, owner=owner, lease=lease)
    assert claim is not None
    assert lane is not None
    transaction = store.add_transaction(lane, intent_of("first"), NOW)
    store.save_attempt(lane, transaction, attempt_of(signed(7)))
    say(claimed=owner)
    sys.stdin.readline()
    for name, write in writes(store, claim, lane, transaction).items():
        try:
            write()
        except StoreError as error:
            say(write=name, code=error.code, advice=error.advice)
        else:
            say(write=name, code=None)


def writes(store: SqlStore, claim: Claim, lane: LaneLease, transaction: int) -> Mapping[str, Callable[[], object]]:
    """Every write that names a lease."""
    batch = batch_of(post_of("alpha", 1))
    return {
        "renew_claims": lambda: store.renew_claims([claim], 60),
        "finish_slot": lambda: store.finish_slot(claim, SlotOutcome(SlotState.POSTED, None, None, None), NOW),
        "renew_lane": lambda: store.renew_lane(lane, 60),
        "add_transaction": lambda: store.add_transaction(lane, intent_of("second"), NOW),
        "save_attempt": lambda: store.save_attempt(lane, transaction, attempt_of(signed(7, 1))),
        "record_broadcast": lambda: store.record_broadcast(lane, signed(7).hash, NOW),
        "record_mined": lambda: store.record_mined(lane, transaction, receipt_of(signed(7)), 5, NOW),
        "record_unmined": lambda: store.record_unmined(lane, transaction, NOW),
        "end_transaction": lambda: store.end_transaction(lane, transaction, TransactionState.FAILED, NOW),
        "prepare_post": lambda: prepare_post(store, "f1", batch, lane=lane, claims=[claim]),
        "finish_post": lambda: store.finish_post(lane, 1, [], NOW),
    }


def stream(store: SqlStore, owner: str, count: int) -> None:
    """Claim, send, mine, confirm and end one slot after the other; repeat each write until it is known to be kept."""
    sender = Address("0x" + owner.encode().hex().ljust(40, "0"))
    tries = 0

    def kept(write: Callable[[], Result]) -> Result:
        nonlocal tries
        deadline = time.monotonic() + PATIENCE
        while True:
            tries += 1
            try:
                return write()
            except StoreError as error:
                if error.code != "store" or time.monotonic() > deadline:
                    raise
                say(failed=error.message)
                time.sleep(0.02)

    lane = kept(lambda: store.claim_lane("main", sender, owner=owner, lease=600))
    assert lane is not None
    for number in range(count):
        at = Timestamp(NOW + number)
        # A claim whose answer was lost is nobody's until its lease runs out: it is claimed anew.
        claim = None
        while claim is None:
            claim = kept(lambda at=at: store.claim_slot(owner, at, Cadence.HOURLY, owner=owner, lease=1, at=at))  # type: ignore[misc]
        transaction = signed(number)
        form = type(transaction)(transaction.raw, hash_of(f"{owner}{number}"), number, sender, transaction.to)
        key = kept(lambda number=number: store.add_transaction(lane, intent_of(f"{owner}{number}"), NOW))  # type: ignore[misc]
        kept(lambda: store.save_attempt(lane, key, attempt_of(form)))  # noqa: B023
        kept(lambda: store.record_broadcast(lane, form.hash, NOW))  # noqa: B023
        kept(lambda: store.record_mined(lane, key, receipt_of(form), 5, NOW))  # noqa: B023
        kept(lambda: store.end_transaction(lane, key, TransactionState.CONFIRMED, NOW))  # noqa: B023
        outcome = SlotOutcome(SlotState.SKIPPED, f"{owner}{number}", None, None)
        kept(lambda: store.finish_slot(claim, outcome, NOW))  # noqa: B023
        say(done=number, epoch=claim.epoch)
    say(tries=tries)


def main(url: str, owner: str, deed: str, *numbers: str) -> None:
    """Do what the command line says."""
    with SqlStore.open(url) as store:
        {"race": race, "hold": hold, "stream": stream}[deed](store, owner, *map(int, numbers))  # type: ignore[operator]


if __name__ == "__main__":
    main(*sys.argv[1:])
