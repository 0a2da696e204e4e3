"""Posts as calls that others are to make: the post itself, and the call that an accepted post needs to be served."""

from __future__ import annotations

from dataclasses import replace

from navoracle.domain.errors import NavoracleError, StoreError
from navoracle.domain.units import Timestamp, format_wad
from navoracle.keeper.gated_settlements import gate_refusals
from navoracle.lane_port import ProposedCall, Proposer
from navoracle.publisher_port import Batch, Publisher
from navoracle.store_port import Store


def proposed_post(action: str, batch: Batch, slot_time: Timestamp, *, max_post_age: int) -> ProposedCall:
    """The call of a batch, with what its signers are told; it must not be made `max_post_age` seconds after valuation.

    `action` is "post", or "settle" for a batch whose call settles what it posted.
    """
    return ProposedCall(
        action=action,
        to=batch.to,
        data=batch.data,
        funds=tuple(post.fund for post in batch.posts),
        sentences=tuple(
            f"{post.fund}: NAV {format_wad(post.nav)}, price per share {format_wad(post.price_per_share)}, "
            f"valued at {batch.valuation_time}"
            for post in batch.posts
        ),
        slot_time=slot_time,
        valuation_time=batch.valuation_time,
        valid_until=Timestamp(batch.valuation_time + max_post_age),
    )


async def follow_up(
    batch: Batch, publisher: Publisher, settler: Proposer | None, store: Store, *, max_post_age: int
) -> str | None:
    """What became of the call that an accepted post needs to be served; None where it needs none.

    It is proposed to the `settler`, or named where there is none. It settles the fund: where the fund's NAV gate stops
    that, the answer says so. A failure is an answer too: the post stays accepted.

    Raises:
        StoreError: what was proposed could not be stored, or the database cannot be read.
    """
    try:
        call = await publisher.follow_up(batch)
        if call is None:
            return None
        for post in batch.posts:
            for stopped in gate_refusals(store, post.fund, takes_deposits=True):
                return f"not proposed: {stopped.code}: {stopped.detail}"
        if settler is None:
            return f"{call.role} must call {call.to} with 0x{call.data.hex()}"
        settlement = replace(batch, to=call.to, data=call.data)
        place = await settler.propose(
            proposed_post("settle", settlement, batch.valuation_time, max_post_age=max_post_age)
        )
        return f"proposed: {place}"
    except StoreError:
        raise
    except NavoracleError as error:
        return f"not proposed: {error.code}: {error.message}"
