"""Rows 26, 27, 63 and 64: what the registry refuses, what it holds, and what becomes of it."""

from __future__ import annotations

from navoracle.domain.errors import ChainError
from navoracle.domain.units import Wad
from navoracle.drill.catalogue import row
from navoracle.drill.commands import GUARDIAN, OPERATOR, POSTER, RISK, SIGNERS
from navoracle.drill.expect import RowFailed, require, require_not_posted, require_posted
from navoracle.drill.proxy import tamper
from navoracle.drill.rehearsal import Rehearsal
from navoracle.publishers.nav_registry_codec import Status
from navoracle.store_port import SlotState


@row(26, "the simulation reverts", "the registry is paused before the slot")
async def simulation_reverts__sends_nothing_and_says_why(r: Rehearsal) -> None:
    await r.world.set_paused(GUARDIAN, paused=True)
    await r.pass_time(24)
    require_not_posted(await r.slot(), r.funds, "paused")
    require(await r.world.nonce() == 0 and not r.broadcast, "a nonce was taken for a post that would be refused")
    await r.world.set_paused(RISK, paused=False)
    await r.pass_time(24)
    require_posted(await r.slot(), r.funds)


@row(27, "the estimate of gas is too low", "all nodes say an eighth less than it takes")
async def estimate_is_too_low__has_a_margin(r: Rehearsal) -> None:
    r.fault("eth_estimateGas", tamper(lambda found: hex(int(found, 16) * 7 // 8)))
    require_posted(await r.slot(), r.funds)


@row(27, "the estimate of gas is too low", "one node says 21,000")
async def one_estimate_is_far_too_low__is_not_taken(r: Rehearsal) -> None:
    r.fault("eth_estimateGas", tamper(lambda _found: hex(21_000)), nodes=[0])
    require_posted(await r.slot(), r.funds)


@row(63, "the key's role is taken away", "ADMIN replaces the poster while the keeper runs")
async def role_is_revoked__posts_nothing_and_says_so(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    sent = len(r.broadcast)
    await r.world.registry_call(OPERATOR, "replacePoster(address)", SIGNERS[RISK + 3].address)
    await r.pass_time(24)
    require_not_posted(await r.slot(), r.funds, "unauthorized", "role", "poster")
    require(len(r.broadcast) == sent, "it sent what the registry would refuse")
    await r.world.registry_call(OPERATOR, "replacePoster(address)", SIGNERS[POSTER].address)
    await r.pass_time(24)
    require_posted(await r.slot(), r.funds)


@row(
    63,
    "the registry is another contract by now",
    "its code is replaced while the keeper runs, and before a start",
    started=False,
)
async def registry_is_replaced__posts_nothing_and_refuses_to_start(r: Rehearsal) -> None:
    await r.start(lease=2)
    require_posted(await r.slot(), r.funds)
    sent = len(r.broadcast)
    code = await r.world.node.rpc("eth_getCode", r.world.registry, "latest")
    # Another version: it answers as this one does, and its code is not the known one.
    await r.world.node.rpc("anvil_setCode", r.world.registry, code + "00")
    await r.pass_time(24)
    require_not_posted(await r.slot(), r.funds, "contract", "registry", "version", "code")
    require(len(r.broadcast) == sent, "it posted to another version of the contract")
    await r.crash()
    try:
        await r.start()
    except ChainError as refusal:
        require(bool(refusal.advice), "the refusal carries no advice")
    else:
        raise RowFailed("it started on another version of the contract")
    await r.world.node.rpc("anvil_setCode", r.world.registry, code)
    await r.start()
    require_posted(await r.slot(), r.funds)


@row(
    64,
    "a post that the contract's guard would stop",
    "a price moves by more than the contract's band",
    bounds=(100, 400),
)
async def post_is_beyond_the_band__is_held_and_the_old_value_served(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    served = {fund: (await r.world.word(fund)).price_per_share for fund in r.funds}
    await r.world.set_prices({symbol: Wad(price * 103 // 100) for symbol, price in r.world.prices.items()})
    await r.pass_time(60)
    found = await r.slot()
    for fund, slot in found.items():
        require(slot.state in (SlotState.HELD, SlotState.SKIPPED), f"{fund} is {slot.state.value} ({slot.reason})")
        require(bool(slot.reason), f"{fund} was held without a reason")
        word = await r.world.word(fund)
        require(word.price_per_share == served[fund], f"{fund} serves the value beyond the band")
        require(Status.HELD in word.status or slot.state is SlotState.SKIPPED, f"{fund} is not held on chain")
