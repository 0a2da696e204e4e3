"""Rows 1 to 5, 12 and 13: what can become of a broadcast."""

from __future__ import annotations

import asyncio
import itertools

from navoracle.drill.catalogue import row
from navoracle.drill.commands import POSTER
from navoracle.drill.expect import require, require_posted
from navoracle.drill.faults import TenPercentRule, refusing_after, times
from navoracle.drill.proxy import (
    Forward,
    Message,
    Reply,
    delay,
    drop_request,
    drop_response,
    error,
    transaction_hash,
)
from navoracle.drill.rehearsal import NODE_TIMEOUT, Rehearsal

SEND = "eth_sendRawTransaction"


@row(1, "a send times out, and the node accepted it", "the proxies forward it and answer after the time limit")
async def send_times_out_and_node_accepted__is_looked_up_and_counted_as_sent(r: Rehearsal) -> None:
    r.fault(SEND, delay(NODE_TIMEOUT + 0.5))
    require_posted(await r.slot(), r.funds)
    require(len(r.broadcast) == 1, f"{len(r.broadcast)} transactions were signed where one was in the pool")
    require(await r.world.nonce() == 1, "more than one nonce was used")


@row(2, "the answer to a send is lost", "the proxies forward it and hang up")
async def response_is_lost_after_forward__takes_no_new_nonce(r: Rehearsal) -> None:
    r.fault(SEND, drop_response)
    require_posted(await r.slot(), r.funds)
    require(await r.world.nonce() == 1, "more than one nonce was used")


@row(3, "a send is lost on the way", "the proxies hang up, three times each")
async def request_is_lost_before_forward__sends_the_same_bytes_again(r: Rehearsal) -> None:
    for node in range(len(r.proxies)):
        r.fault(SEND, times(3, drop_request), nodes=[node])
    require_posted(await r.slot(), r.funds)
    handed_in = [sent for proxy in r.proxies for sent in proxy.broadcast]
    require(len(handed_in) > len(set(handed_in)), "nothing was sent twice")
    require(await r.world.nonce() == 1, "more than one nonce was used")


@row(4, "already known / already imported", "the proxies forward a send and answer with the error")
async def node_says_already_known__is_taken_as_success(r: Rehearsal) -> None:
    for number, text in enumerate(("transaction already imported", "already known", "known transaction: 0x")):
        r.fault(SEND, refusing_after(-32003 if number == 0 else -32000, text), nodes=[number])
    require_posted(await r.slot(), r.funds)
    require(len(r.broadcast) == 1, "another transaction was signed for a send that had succeeded")
    r.sound()
    require_posted(await r.slot(), r.funds)


@row(5, "nonce too low: an earlier form of ours was mined", "a block is made while the replacement is on its way")
async def nonce_too_low_and_our_earlier_hash_mined__adopts_its_receipt(r: Rehearsal) -> None:
    r.world.mining = False
    slot_time = await r.come_due()
    sent = await r.is_sent()
    first = sent.attempts[0].signed.hash

    one_at_a_time = asyncio.Lock()  # a replacement goes to all nodes at once: none gets it before the block is made

    async def a_block_comes_first(asked: Message, node: Forward) -> Reply:
        async with one_at_a_time:
            if transaction_hash(asked) != first and not r.world.mining:
                await r.world.mine(max(r.clock.true_time, r.world.newest + 1))
                r.world.mining = True
        return await node(asked)

    r.fault(SEND, a_block_comes_first)
    await r.until(lambda: len(r.broadcast) > 1, "a replacement is sent")
    await r.until(lambda: not r.open_transactions(), "the transaction ends")
    ended = r.store.find_transaction(sent.id)
    require(ended.receipt is not None and ended.receipt.hash == first, f"{first} was mined, {ended.receipt} is known")
    require_posted(await r.slot_ends(slot_time), r.funds)


@row(12, "replacement underpriced", "the proxies enforce the rule of a tenth, and know a dearer form than the keeper")
async def replacement_is_underpriced__bumps_again_up_to_the_threshold(r: Rehearsal) -> None:
    rules = [TenPercentRule() for _ in r.proxies]
    for node, rule in enumerate(rules):
        r.fault(SEND, rule, nodes=[node])
    r.world.mining = False
    slot_time = await r.come_due()
    sent = await r.is_sent()
    for rule in rules:
        # A pool that was offered a quarter more than the keeper knows of: one step of a tenth does not do.
        rule.floor = {place: (fee * 5 // 4, tip * 5 // 4 + 1) for place, (fee, tip) in rule.floor.items()}
    await r.until(lambda: any(rule.refused for rule in rules), "a replacement is refused")
    before = {rule: rule.floor.copy() for rule in rules}
    await r.until(lambda: all(rule.floor != before[rule] for rule in rules), "a replacement is accepted", within=1_200)
    refused = max(rule.refused for rule in rules)
    require(refused <= 12, f"{refused} refused replacements: this is a loop")
    r.world.mining = True
    require_posted(await r.slot_ends(slot_time), r.funds)
    attempts = r.store.find_transaction(sent.id).attempts
    for earlier, later in itertools.pairwise(attempts):
        raised = 10 * later.max_fee >= 11 * earlier.max_fee and 10 * later.max_tip >= 11 * earlier.max_tip
        require(raised, f"{later.signed.hash} raises a fee by less than a tenth")
    require(await r.world.nonce(POSTER) >= 1, "nothing was mined")


@row(13, "the pool holds another type of transaction of ours", "the proxies answer `address already reserved`")
async def pool_says_already_reserved__keeps_the_transaction_and_posts_when_it_is_over(r: Rehearsal) -> None:
    for node in range(len(r.proxies)):
        r.fault(SEND, times(3, error(-32000, "address already reserved")), nodes=[node])
    require_posted(await r.slot(), r.funds)
    require(await r.world.nonce() == 1, "more than one nonce was used")
