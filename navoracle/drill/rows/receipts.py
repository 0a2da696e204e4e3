"""Rows 19 to 25: posts that were mined, or that a reorganization took back."""

from __future__ import annotations

from typing import Any

from navoracle.drill.catalogue import row
from navoracle.drill.chain_history import stored_records
from navoracle.drill.commands import GUARDIAN, POSTER, RISK, SECOND_POSTER
from navoracle.drill.expect import require, require_not_posted, require_posted
from navoracle.drill.faults import times
from navoracle.drill.proxy import answer, tamper
from navoracle.drill.rehearsal import Rehearsal
from navoracle.store_port import TransactionState

RECEIPT = "eth_getTransactionReceipt"
DEEP = {"confirmations": 3}
"""Confirmations for rows whose reorganization must not take back what is final."""


@row(19, "two transactions of one slot, both valid", "a second poster sends the same records again, and newer ones")
async def second_transaction_of_a_slot__is_refused_by_the_registry_and_the_ledger(r: Rehearsal) -> None:
    slot_time = await r.come_due()
    found = await r.slot_ends(slot_time)
    require_posted(found, r.funds)
    before = [await r.world.word(fund) for fund in r.funds]
    (post, *_) = r.store.posts()
    await r.world.act(SECOND_POSTER, [(post.batch.to, post.batch.data)])
    require([await r.world.word(fund) for fund in r.funds] == before, "the second transaction changed a fund")
    for fund, slot in found.items():
        claim = r.store.claim_slot(fund, slot.slot_time, slot.cadence, owner="another", lease=60, at=r.clock.now())
        require(claim is None, f"the slot of {fund} could be claimed again")


@row(20, "a mined post has no receipt", "all nodes answer null, thirty times each")
async def receipt_is_missing_for_a_mined_post__is_looked_for_and_not_posted_again(r: Rehearsal) -> None:
    slot_time = await r.come_due()
    for node in range(len(r.proxies)):
        r.fault(RECEIPT, times(30, answer(None)), nodes=[node])
    require_posted(await r.slot_ends(slot_time), r.funds)
    require(await r.world.nonce() == 1, "it was posted again under another nonce")


@row(21, "receipts that are none", "null fields, wrong types, and a null beside a result")
async def receipt_is_malformed__counts_as_an_error_of_the_node(r: Rehearsal) -> None:
    def without(name: str) -> Any:
        return tamper(lambda found: found and {key: value for key, value in found.items() if key != name})

    r.fault(RECEIPT, times(8, without("blockNumber")), nodes=[0])
    r.fault(RECEIPT, times(8, tamper(lambda found: found and {**found, "status": "yes"})), nodes=[1])
    r.fault(RECEIPT, times(8, answer([])), nodes=[2])
    require_posted(await r.slot(), r.funds)
    require(await r.world.nonce() == 1, "it was posted again under another nonce")


@row(
    22, "a reorganization removes the mined post", "the node gives up the block and empties its pool", transactions=DEEP
)
async def reorganization_removes_the_post__is_posted_again_for_the_same_slot(r: Rehearsal) -> None:
    slot_time = await r.come_due()
    sent = await r.is_sent()
    await r.until(lambda: r.store.find_transaction(sent.id).state is TransactionState.MINED, "it is mined")
    receipt = r.store.find_transaction(sent.id).receipt
    depth = r.world.depth_of(receipt.block_number if receipt else 0, await r.world.height())
    await r.world.reorganize(depth)
    require(await stored_records(r.world) == [], "the post is still there")
    require_posted(await r.slot_ends(slot_time), r.funds)
    require(bool(r.events("transaction_reorganized")), "the reorganization was not seen")


@row(
    23,
    "another of our hashes wins",
    "a reorganization brings the first form in, after the second one was mined",
    transactions=DEEP,
)
async def reorganization_swaps_the_form__adopts_the_one_that_won(r: Rehearsal) -> None:
    r.world.mining = False
    slot_time = await r.come_due()
    sent = await r.is_sent()
    first = sent.attempts[0].signed
    await r.until(lambda: len(r.store.find_transaction(sent.id).attempts) > 1, "it is replaced")
    r.world.mining = True
    await r.until(lambda: r.store.find_transaction(sent.id).state is TransactionState.MINED, "it is mined")
    receipt = r.store.find_transaction(sent.id).receipt
    require(receipt is not None and receipt.hash != first.hash, "the first form was mined already")
    depth = r.world.depth_of(receipt.block_number if receipt else 0, await r.world.height())
    await r.world.reorganize(depth, first.raw)
    require_posted(await r.slot_ends(slot_time), r.funds)
    ended = r.store.find_transaction(sent.id)
    require(ended.receipt is not None and ended.receipt.hash == first.hash, "the form that won was not adopted")


@row(24, "a reorganization deeper than what was final", "blocks are taken back from before a confirmed post")
async def deep_reorganization__is_told_as_critical(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    (record, *_) = await stored_records(r.world)
    r.lost_to_reorganization = True
    await r.world.reorganize(r.world.depth_of(record.block, await r.world.height()))
    await r.pass_time(300)
    told = r.events("transaction_deep_reorganization")
    require(bool(told), "nobody was told of a reorganization past what was final")
    require(all(event.event.advice for event in told), "the alarm carries no advice")
    await r.slot()


@row(25, "mined, and reverted", "the guardian pauses the registry in the block of the post, ahead of it")
async def mined_and_reverted__says_why_and_is_not_tried_blindly_again(r: Rehearsal) -> None:
    r.world.mining = False
    slot_time = await r.come_due()
    await r.is_sent()
    await r.world.set_paused(GUARDIAN, paused=True)  # mined with the post, and offers more
    r.world.mining = True
    found = await r.slot_ends(slot_time)
    require_not_posted(found, r.funds, "paused", "reverted")
    require(await r.world.nonce(POSTER) == 1, "it was tried again while the registry was paused")
    await r.world.set_paused(RISK, paused=False)
    require_posted(await r.slot(), r.funds)
