"""What must hold after every fault, whatever it was.

1. a fund has at most one successful post of a slot on the chain;
2. the ledger knows every hash that was ever handed to a node;
3. the nonces that were mined are the ledger's, and none before a mined or waiting one is left unused;
4. the event files parse, their chains are whole, and every slot ended once;
5. what the chain holds is what the stored frame says;
6. what was spent is what the ledger says, within the budget;
7. whatever did not end well says why.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from navoracle.drill.chain_history import MinedTransaction, StoredRecord, stored_records, transactions_of
from navoracle.drill.commands import SIGNERS
from navoracle.drill.world import World
from navoracle.ports import Address
from navoracle.store_port import (
    PostRow,
    SlotState,
    Store,
    TransactionRow,
    TransactionState,
)
from navoracle.telemetry.event_verification import verify_folder

INVARIANTS: Final = {
    1: "at most one post of each fund and slot on the chain",
    2: "every broadcast hash is in the ledger",
    3: "the nonces on the chain are those of the ledger, without a gap",
    4: "event files parse and are chained, every slot ended once",
    5: "the chain holds what the stored frames say",
    6: "fees are within the budget, and as the ledger says",
    7: "what did not end well says why",
}


_ENDS: Final = tuple(f"slot_{state.value}" for state in SlotState if state is not SlotState.CLAIMED)


@dataclass(slots=True)
class Facts:
    """What a row leaves behind, beside the chain itself.

    Attributes:
        stores: the keepers' stores; several when each had its own.
        senders: whose keys the keepers have.
        broadcast: hashes that were handed to nodes, in order.
        foreign: hashes that somebody else sent with a keeper's key.
        open_slots: whether slots may still be worked on.
        budget: wei that may have been spent; None for any.
        event_files: the keepers' JSON Lines.
        lost_to_reorganization: whether the row took back what was already final.
    """

    stores: Sequence[Store]
    senders: Sequence[Address]
    broadcast: Sequence[str]
    foreign: Collection[str] = ()
    open_slots: bool = False
    budget: int | None = None
    event_files: Sequence[Path] = ()
    lost_to_reorganization: bool = False
    found: list[tuple[int, str]] = field(default_factory=list)

    def broken(self, invariant: int, what: str) -> None:
        """Note a violation."""
        self.found.append((invariant, what))


async def violations(world: World, facts: Facts) -> list[tuple[int, str]]:
    """The invariants that do not hold, each with what is wrong; empty when all do."""
    records = await stored_records(world)
    mined = await transactions_of(world.node, facts.senders)
    ledger = {row.id: row for store in facts.stores for row in store.transactions()}
    attempts = {a.signed.hash: row for store in facts.stores for row in store.transactions() for a in row.attempts}
    posts = _Posts(facts.stores)
    _once_a_slot(facts, records, posts, world)
    _known(facts, mined, attempts)
    _nonces(facts, mined, attempts)
    _events(facts)
    _as_stored(facts, records, posts, world)
    _spent(facts, mined, list(ledger.values()))
    _explained(facts, list(ledger.values()))
    return facts.found


class _Posts:
    """The stores' posts, by the hash of what carried them and by the slot that they ended."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.by_hash: dict[str, tuple[Store, PostRow]] = {}
        self.slot_of: dict[tuple[int, str], int] = {}
        for store in stores:
            times = {frame.id: frame.slot_time for frame in store.frames(samples=True)}
            for post in store.posts():
                for attempt in post.attempts:
                    self.by_hash[attempt.hash] = (store, post)
                    self.slot_of[id(store), attempt.hash] = times[post.frame]


def _once_a_slot(facts: Facts, records: Sequence[StoredRecord], posts: _Posts, world: World) -> None:
    names = {fund.number: name for name, fund in world.shape.funds.items()}
    seen: Counter[tuple[str, int]] = Counter()
    for record in records:
        if record.transaction not in posts.by_hash:
            if record.transaction not in facts.foreign:
                facts.broken(2, f"the chain has a post {record.transaction} that no ledger knows")
            continue
        store, _ = posts.by_hash[record.transaction]
        seen[names[record.number], posts.slot_of[id(store), record.transaction]] += 1
    for (fund, slot), count in seen.items():
        if count > 1:
            facts.broken(1, f"{fund} was posted {count} times for the slot {slot}")


def _known(facts: Facts, mined: Sequence[MinedTransaction], attempts: dict[str, TransactionRow]) -> None:
    for sent in dict.fromkeys([*facts.broadcast, *(transaction.hash for transaction in mined)]):
        if sent not in attempts and sent not in facts.foreign:
            facts.broken(2, f"{sent} was broadcast and is not in the ledger")


def _nonces(facts: Facts, mined: Sequence[MinedTransaction], attempts: dict[str, TransactionRow]) -> None:
    for sender in facts.senders:
        on_chain = {sent.nonce: sent for sent in mined if sent.sender == sender}
        rows = {row.id: row for row in attempts.values() if row.sender == sender and row.nonce is not None}
        used = {row.nonce for row in rows.values()} | {
            sent.nonce for sent in mined if sent.sender == sender and sent.hash in facts.foreign
        }
        for nonce, sent in on_chain.items():
            if nonce not in used:
                facts.broken(3, f"nonce {nonce} of {sender} was mined ({sent.hash}) and the ledger has none")
        waiting = {row.nonce for row in rows.values() if not row.state.is_end}
        ended = {
            row.nonce: row
            for row in rows.values()
            if row.state in (TransactionState.CONFIRMED, TransactionState.REPLACED)
        }
        highest = max((nonce for nonce in used if nonce is not None), default=-1)
        for nonce in range(len(on_chain), highest + 1):
            if nonce in ended and not facts.lost_to_reorganization:
                facts.broken(3, f"nonce {nonce} of {sender} ended {ended[nonce].state.value} and was never mined")
            elif nonce not in waiting and any(later > nonce for later in waiting if later is not None):
                facts.broken(3, f"nonce {nonce} of {sender} is a gap: nothing waits for it, and later ones do")


def _events(facts: Facts) -> None:
    written: Counter[tuple[Path, int]] = Counter()
    for path in facts.event_files:
        for number, line in enumerate(_lines(facts, path), 1):
            try:
                written[path.parent, int(json.loads(line)["id"])] += 1
            except (ValueError, KeyError, TypeError):
                facts.broken(4, f"{path.name}:{number} is no event: {line[:60]!r}")
    for (folder, event), count in written.items():
        if count > 1:
            facts.broken(4, f"event {event} is {count} times in {folder}")
    for folder in sorted({path.parent for path in facts.event_files}):
        for found in verify_folder(folder).findings:
            facts.broken(4, f"the chain of {folder}: {found.place}: {found.message}")
    for store in facts.stores:
        ends = Counter(
            (row.event.fund, row.event.data.get("slot_time"), row.event.kind)
            for row in store.events()
            if row.event.kind in _ENDS
        )
        for slot in store.slots():
            name = f"slot {slot.fund}@{slot.slot_time}"
            if slot.state is SlotState.CLAIMED:
                if not facts.open_slots:
                    facts.broken(4, f"{name} never ended")
                continue
            told = {kind: ends[slot.fund, slot.slot_time, kind] for kind in _ENDS}
            if told[f"slot_{slot.state.value}"] != 1 or sum(told.values()) != 1:
                facts.broken(4, f"{name} ended {slot.state.value}, and its events are {dict(Counter(told))}")


def _lines(facts: Facts, path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        facts.broken(4, f"the last line of {path.name} is torn")
    return text.split("\n")[:-1]


def _as_stored(facts: Facts, records: Sequence[StoredRecord], posts: _Posts, world: World) -> None:
    names = {fund.number: name for name, fund in world.shape.funds.items()}
    served = {(record.number, record.valuation_time, record.nav, record.price_per_share) for record in records}
    for record in records:
        if record.transaction not in posts.by_hash:
            continue
        store, post = posts.by_hash[record.transaction]
        fund = names[record.number]
        valued = [row for row in store.fund_frames(fund, frame=post.frame) if row.values is not None]
        if not valued or valued[0].values is None:
            facts.broken(5, f"the frame {post.frame} of {record.transaction} is not stored for {fund}")
            continue
        values = valued[0].values
        if (values.nav_after, values.price_per_share) != (record.nav, record.price_per_share):
            facts.broken(5, f"{fund}: the chain stored {record.nav}, the frame {post.frame} says {values.nav_after}")
    if facts.lost_to_reorganization:
        return
    for store in facts.stores:
        by_id = {post.id: post for post in store.posts()}
        for slot in store.slots():
            if slot.state is not SlotState.POSTED:
                continue
            posted = by_id.get(slot.post) if slot.post is not None else None
            part = None if posted is None else next((each for each in posted.funds if each.fund == slot.fund), None)
            if posted is None or part is None:
                facts.broken(5, f"slot {slot.fund}@{slot.slot_time} is posted without a post")
                continue
            # Not by its transaction: a second keeper may have brought the very same value first.
            value = (part.fund_id, posted.batch.valuation_time, part.nav, part.price_per_share)
            if value not in served:
                facts.broken(5, f"slot {slot.fund}@{slot.slot_time} is posted and the chain has no record of it")


def _spent(facts: Facts, mined: Sequence[MinedTransaction], ledger: Sequence[TransactionRow]) -> None:
    ours = {sent.hash: sent.fee for sent in mined if sent.hash not in facts.foreign}
    if facts.budget is not None and sum(ours.values()) > facts.budget:
        facts.broken(6, f"{sum(ours.values())} wei were spent, {facts.budget} were allowed")
    if facts.lost_to_reorganization:
        return
    for row in ledger:
        if row.receipt is not None and row.fee_paid != ours.get(row.receipt.hash, row.fee_paid):
            facts.broken(6, f"{row.receipt.hash} cost {ours.get(row.receipt.hash)} wei, the ledger says {row.fee_paid}")


def _explained(facts: Facts, ledger: Sequence[TransactionRow]) -> None:
    for store in facts.stores:
        for slot in store.slots():
            if slot.state not in (SlotState.POSTED, SlotState.CLAIMED) and not slot.reason:
                facts.broken(7, f"slot {slot.fund}@{slot.slot_time} ended {slot.state.value} without a reason")
    for row in ledger:
        if row.state is TransactionState.FAILED and not row.error:
            facts.broken(7, f"transaction {row.id} failed without a reason")


def senders_of(*accounts: int) -> tuple[Address, ...]:
    """The addresses of a world's accounts."""
    return tuple(SIGNERS[account].address for account in accounts)
