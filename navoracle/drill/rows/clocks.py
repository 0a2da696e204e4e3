"""Rows 59 and 60: a clock that jumps, and a chain that stands still."""

from __future__ import annotations

from navoracle.drill.catalogue import row
from navoracle.drill.expect import require, require_not_posted, require_posted
from navoracle.drill.rehearsal import Rehearsal

HOUR = 3_600


@row(59, "the clock jumps an hour ahead", "the keeper's clock is set wrong, and right again")
async def clock_jumps_ahead__posts_nothing_wrong_and_recovers(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    before = {fund: await r.world.word(fund) for fund in r.funds}
    r.clock.skew = HOUR
    await r.pass_time(180)
    for fund in r.funds:
        word = await r.world.word(fund)
        require(word.valuation_time <= r.world.newest, f"{fund} holds a value of the future")
        require(word.price_per_share == before[fund].price_per_share, f"{fund} holds another value")
    r.clock.skew = 0
    await r.slot()
    require_posted(await r.slot(), r.funds)


@row(59, "the clock jumps an hour back", "the keeper's clock is set wrong, and right again")
async def clock_jumps_back__posts_no_slot_twice_and_recovers(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    r.clock.skew = -HOUR
    await r.pass_time(180)
    nonce = await r.world.nonce()
    r.clock.skew = 0
    require_posted(await r.slot(), r.funds)
    require(await r.world.nonce() == nonce + 1, "the slot took more than one post")


@row(60, "the chain stands still", "no block is made for longer than a price may be old")
async def chain_stands_still__prices_nothing_on_a_stale_block(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    r.world.mining = False
    nonce = await r.world.nonce()
    # Blocks stop long enough before the slot for the newest one to be too old at it.
    await r.clock.leap((r.clock.true_time // HOUR + 1) * HOUR - 120)
    require_not_posted(await r.slot(), r.funds)
    require(await r.world.nonce() == nonce and await r.world.pool() == [], "a post on a stale block was sent")
    r.world.mining = True
    await r.pass_time(60)
    require_posted(await r.slot(), r.funds)
