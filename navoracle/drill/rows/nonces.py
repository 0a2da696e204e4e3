"""Rows 6 to 10: nonces that others use, that drift, and about which nodes lie."""

from __future__ import annotations

from eth_utils.crypto import keccak

from navoracle.chain.signers import EphemeralSigner
from navoracle.drill.catalogue import row
from navoracle.drill.commands import KEYS, POSTER, SIGNERS, STRANGER
from navoracle.drill.expect import require, require_posted
from navoracle.drill.faults import counted_back
from navoracle.drill.rehearsal import Rehearsal
from navoracle.publisher_port import SignedTransaction
from navoracle.store_port import Attempt, NewTransaction, TransactionKind, TransactionState

COUNT = "eth_getTransactionCount"


async def sign(r: Rehearsal, nonce: int, *, fee_gwei: int = 100, key: bytes = KEYS[POSTER]) -> SignedTransaction:
    """A plain transfer of nothing, signed beside the keeper."""
    signer = EphemeralSigner(key)
    to = SIGNERS[STRANGER].address
    raw = await signer.sign(
        {
            "type": 2,
            "chainId": r.world.shape.chain_id,
            "nonce": nonce,
            "gas": 21_000,
            "maxFeePerGas": fee_gwei * 10**9,
            "maxPriorityFeePerGas": fee_gwei * 10**9,
            "to": bytes.fromhex(to[2:]),
            "value": 0,
            "data": b"",
        }
    )
    return SignedTransaction("0x" + raw.hex(), "0x" + keccak(raw).hex(), nonce, signer.address, to)


@row(6, "nonce too low: the key was used elsewhere", "somebody else with the key takes the nonce of a waiting post")
async def foreign_transaction_used_the_nonce__ends_replaced_and_tells_of_the_key(r: Rehearsal) -> None:
    r.world.mining = False
    slot_time = await r.come_due()
    sent = await r.is_sent()
    foreign = await sign(r, sent.nonce or 0)
    r.foreign.add(foreign.hash)
    await r.world.node.rpc("eth_sendRawTransaction", foreign.raw)
    r.world.mining = True
    await r.until(lambda: r.store.find_transaction(sent.id).state.is_end, "the transaction ends")
    require(r.store.find_transaction(sent.id).state is TransactionState.REPLACED, "it did not end as replaced")
    require(bool(r.events("transaction_key_used_elsewhere")), "nobody was told that the key is used elsewhere")
    await r.slot_ends(slot_time)
    require_posted(await r.slot(), r.funds)


@row(7, "a gap of nonces", "a nonce was taken by a transaction that was never broadcast")
async def gap_is_left_below__is_filled_and_the_next_post_is_mined(r: Rehearsal) -> None:
    await _drift(r, 1)
    require_posted(await r.slot(), r.funds)


@row(8, "the local counter drifted up", "the ledger's newest nonce lies three above the chain's")
async def local_counter_drifted_up__is_wound_back_over_what_is_free(r: Rehearsal) -> None:
    await _drift(r, 3)
    require_posted(await r.slot(), r.funds)
    require_posted(await r.slot(), r.funds)


async def _drift(r: Rehearsal, by: int) -> None:
    """Let the ledger hold an ended transaction whose nonce lies so far above the chain's."""
    lane = r.keeper.lane
    await r.clock.drive(lane.open())
    number = r.store.add_transaction(
        lane.lease,
        NewTransaction(f"drift:{by}", TransactionKind.NOOP, lane.address, b""),
        r.clock.now(),
    )
    signed = await sign(r, await r.world.nonce() + by - 1, fee_gwei=1)
    now = r.clock.now()
    r.store.save_attempt(
        lane.lease, number, Attempt(signed, 21_000, 10**9, 10**9, noop=True, signed_at=now, sent_at=None)
    )
    r.store.end_transaction(lane.lease, number, TransactionState.FAILED, now, "the process died before it was sent")


@row(9, "the pending count lies", "one node counts two too few, another its pool's")
async def pending_count_lags__is_never_trusted_alone(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    require_posted(await r.slot(), r.funds)
    before = await r.world.nonce()
    r.fault(COUNT, counted_back(2), nodes=[0])
    r.fault(COUNT, counted_back(1, tags=("pending",)), nodes=[1])
    require_posted(await r.slot(), r.funds)
    require(await r.world.nonce() == before + 1, "one post took more than one nonce")


@row(10, "the transaction count goes backwards", "all nodes count two too few")
async def transaction_count_goes_backwards__does_not_crash_nor_post_twice(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    require_posted(await r.slot(), r.funds)
    before = await r.world.nonce()
    r.fault(COUNT, counted_back(2))
    slot_time = await r.come_due()
    await r.pass_time(120)
    r.sound()
    require_posted(await r.slot_ends(slot_time), r.funds)
    require(await r.world.nonce() == before + 1, "one post took more than one nonce")
