"""Rows 11 and 14 to 18: fees that are too low, too high or absurd, and posts that nobody takes in."""

from __future__ import annotations

import itertools

from navoracle.chain.transactions.policy import GWEI
from navoracle.drill.catalogue import row
from navoracle.drill.expect import require, require_not_posted, require_posted
from navoracle.drill.proxy import answer, error
from navoracle.drill.rehearsal import Rehearsal
from navoracle.store_port import SlotState, TransactionState

_ESTIMATES = ("eth_estimateGas", "eth_feeHistory", "eth_maxPriorityFeePerGas", "eth_gasPrice")


def _tenth_more(later: int, earlier: int) -> bool:
    return 10 * later >= 11 * earlier


@row(11, "the fee is too low and the post is stuck", "the base fee rises above what was offered")
async def fee_is_too_low__raises_both_fees_by_a_tenth_until_it_is_mined(r: Rehearsal) -> None:
    r.world.mining = False
    slot_time = await r.come_due()
    sent = await r.is_sent()
    offered = sent.attempts[-1].max_fee
    r.world.base_fee = offered * 3 // 2
    r.world.mining = True
    await r.until(lambda: len(r.store.find_transaction(sent.id).attempts) > 1, "it is replaced")
    r.world.base_fee = None
    require_posted(await r.slot_ends(slot_time), r.funds)
    attempts = r.store.find_transaction(sent.id).attempts
    for earlier, later in itertools.pairwise(attempts):
        require(_tenth_more(later.max_fee, earlier.max_fee), "the fee was raised by less than a tenth")
        require(_tenth_more(later.max_tip, earlier.max_tip), "the tip was raised by less than a tenth")
    require(len({attempt.signed.nonce for attempt in attempts}) == 1, "a replacement took another nonce")


@row(14, "the base fee rises fiftyfold", "the base fee is held above the routine ceiling, below the emergency one")
async def base_fee_is_above_the_ceiling__posts_nothing_routine_and_says_why(r: Rehearsal) -> None:
    lane = r.keeper.transactions
    r.world.base_fee = (lane.max_fee_gwei + lane.emergency_max_fee_gwei) * GWEI // 2
    await r.pass_time(24)
    found = await r.slot()
    require_not_posted(found, r.funds, "fee", "ceiling", "cap")
    require(bool(r.events("transaction_fee_cap")), "nobody was told that the fee is above the ceiling")
    r.world.base_fee = GWEI
    await r.pass_time(24)
    require_posted(await r.slot(), r.funds)


@row(14, "the base fee rises fiftyfold", "an emergency is asked for under a base fee above the routine ceiling")
async def base_fee_is_above_the_routine_ceiling__an_emergency_may_pay_it(r: Rehearsal) -> None:
    lane = r.keeper.transactions
    r.world.base_fee = lane.max_fee_gwei * GWEI * 11 // 10
    require(lane.emergency_max_fee_gwei * 10 >= lane.max_fee_gwei * 12, "the emergency ceiling leaves no room")
    await r.pass_time(24)
    fund = r.funds[0]
    r.keeper.service.ask_emergency(fund, "drill", "the drill asks for it")
    await r.until(
        lambda: any(row.state is SlotState.POSTED for row in r.store.slots(fund=fund)), "the emergency slot is posted"
    )
    # The hour may have come meanwhile: whether it has, depends on the machine.
    await r.until(
        lambda: all(row.state is not SlotState.CLAIMED for row in r.store.slots()), "slots that fell due meanwhile end"
    )


@row(15, "a replacement cannot be priced", "estimates fail while a post waits, and the pool drops it")
async def bump_is_impossible__publishes_the_old_form_again(r: Rehearsal) -> None:
    r.world.mining = False
    slot_time = await r.come_due()
    sent = await r.is_sent()
    for method in _ESTIMATES:
        r.fault(method, error(-32000, "internal error"))
    await r.world.node.rpc("anvil_dropAllTransactions")
    before = sum(len(proxy.broadcast) for proxy in r.proxies)
    await r.until(lambda: sum(len(proxy.broadcast) for proxy in r.proxies) > before, "it is published again")
    r.world.mining = True
    require_posted(await r.slot_ends(slot_time), r.funds)
    require(r.store.find_transaction(sent.id).state is TransactionState.CONFIRMED, "it is not confirmed")


@row(16, "the fee oracle returns absurd values", "zero on one node, 10^30 on another, then 10^30 on two")
async def fee_oracle_is_absurd__stays_within_the_limits(r: Rehearsal) -> None:
    absurd = hex(10**30)
    history = {"oldestBlock": "0x1", "baseFeePerGas": [absurd] * 2, "gasUsedRatio": [1], "reward": [[absurd]]}
    for method, high, low in (
        ("eth_maxPriorityFeePerGas", absurd, "0x0"),
        ("eth_gasPrice", absurd, "0x0"),
        ("eth_feeHistory", history, {**history, "baseFeePerGas": ["0x0"] * 2, "reward": [["0x0"]]}),
    ):
        r.fault(method, answer(low), nodes=[0])
        r.fault(method, answer(high), nodes=[1])
    require_posted(await r.slot(), r.funds)
    for method in ("eth_maxPriorityFeePerGas", "eth_gasPrice"):
        r.fault(method, answer(absurd), nodes=[0, 1])
    r.fault("eth_feeHistory", answer(history), nodes=[0, 1])
    require_posted(await r.slot(), r.funds)
    limits = r.keeper.transactions
    for transaction in r.store.transactions():
        for attempt in transaction.attempts:
            require(attempt.max_fee <= limits.max_fee_gwei * GWEI, f"{attempt.max_fee} wei per gas were offered")
            require(attempt.max_tip <= limits.max_tip_gwei * GWEI, f"a tip of {attempt.max_tip} was offered")


@row(17, "the pool drops the transaction", "the node forgets everything in its pool")
async def mempool_drops_it__is_sent_again(r: Rehearsal) -> None:
    r.world.mining = False
    slot_time = await r.come_due()
    sent = await r.is_sent()
    await r.world.node.rpc("anvil_dropAllTransactions")
    require(await r.world.pool() == [], "the pool is not empty")
    await r.pass_time(90)
    r.world.mining = True
    require_posted(await r.slot_ends(slot_time), r.funds)
    require(r.store.find_transaction(sent.id).state is TransactionState.CONFIRMED, "it is not confirmed")


@row(18, "a post expires in the pool", "nothing is mined until the slot is over, then everything at once")
async def transaction_expires__is_cancelled_and_the_old_value_never_lands(r: Rehearsal) -> None:
    served = {fund: await r.world.word(fund) for fund in r.funds}
    r.world.mining = False
    slot_time = await r.come_due()
    sent = await r.is_sent()
    await r.pass_time(1_000)
    r.world.mining = True
    found = await r.slot_ends(slot_time)
    require_not_posted(found, r.funds, "expired", "replaced", "stale", "reverted")
    require(r.store.find_transaction(sent.id).state is not TransactionState.CONFIRMED, "it was confirmed")
    for fund in r.funds:
        require(await r.world.word(fund) == served[fund], f"{fund} was changed by an old post")
    require_posted(await r.slot(), r.funds)
