"""The one line: plan -> collect -> price -> value -> guard -> record -> publish.

The daemon, a one-shot command, an emergency, a dry run, a back-test and verification all go through it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.risk.gates import PeakState
from navoracle.keeper.collect import Collected, collect
from navoracle.keeper.evidence import canonical, evidence_hash, fund_document
from navoracle.keeper.judging import guard
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.pricing import Prices, price
from navoracle.keeper.publishing import Outbox
from navoracle.keeper.valuing import value
from navoracle.ports import ChainReader, Clock, OffChainReader
from navoracle.risk.gate import kept
from navoracle.store_port import Store


@dataclass(frozen=True, slots=True)
class FramePorts:
    """The world of a frame.

    `store` None records nothing (for a NAV that is only shown); `outboxes` are by what funds are posted to: see
    `FundPlan.target`.
    """

    chains: Mapping[str, ChainReader]
    off_chain: OffChainReader
    clock: Clock
    store: Store | None
    outboxes: Mapping[str, Outbox]


async def run_frame(plan: FramePlan, ports: FramePorts) -> NavFrame:
    """Value the plan's funds at one block per chain, record the frame, and hand its NAVs to their publishers.

    Never waits for a confirmation. A failing reader fails only the funds that need it.

    Raises:
        ChainError: the home chain cannot be read.
        StoreError: the frame could not be recorded; then nothing was signed.
    """
    collected = await collect(plan, ports.chains, ports.off_chain, ports.clock)
    prices = price(plan, collected.readings, collected.now)
    funds = value_and_guard(plan, collected, prices)
    frame = seal(plan, collected, prices, funds)
    record(plan, frame, ports.store)
    if plan.publish:
        await publish(plan, frame, ports.outboxes)
    return frame


def value_and_guard(plan: FramePlan, collected: Collected, prices: Prices) -> tuple[FundFrame, ...]:
    """Value every fund and hold it against its guards; nothing for a sampler's frame."""
    if plan.stop_after == "price":
        return ()
    values = value(plan, collected.readings, prices, collected.now)
    return guard(
        plan,
        collected.readings,
        prices,
        values,
        stamps=collected.stamps,
        clock=collected.clock,
        now=collected.now,
    )


def seal(plan: FramePlan, collected: Collected, prices: Prices, funds: tuple[FundFrame, ...]) -> NavFrame:
    """Freeze the frame under its id, with one evidence document per fund."""
    frame_id = _frame_id(plan, collected)
    return NavFrame(
        id=frame_id,
        slot_time=plan.slot_time,
        cadence=plan.cadence,
        clock=collected.clock,
        now=collected.now,
        stamps=collected.stamps,
        quotes=prices.quotes,
        estimates=prices.estimates,
        failures=(*collected.chain_failures, *collected.readings.failures.values()),
        funds=funds,
        verifies=plan.verifies,
        evidence={}
        if plan.stop_after == "guard"
        else {found.fund: fund_document(frame_id, plan, collected, prices, found) for found in funds},
    )


def record(plan: FramePlan, frame: NavFrame, store: Store | None) -> None:
    """Store the frame, or only its live prices when it is a sampler's; nothing of a look between slots."""
    if store is None or plan.stop_after == "guard":
        return
    if plan.stop_after == "price":
        store.record_sample(frame)
    else:
        store.record_frame(
            frame,
            hashes={fund: "0x" + evidence_hash(document).hex() for fund, document in frame.evidence.items()},
            fee_bases={fund.fund: fund.fees.basis for fund in plan.funds},
            peaks=kept_peaks(plan, frame),
        )


def kept_peaks(plan: FramePlan, frame: NavFrame) -> dict[str, PeakState]:
    """The peaks that the frame changes for good, by fund."""
    found: dict[str, PeakState] = {}
    for part in frame.funds:
        if part.gate is None:
            continue
        prior = plan.prior.funds.get(part.fund)
        before = None if prior is None or prior.gate is None else prior.gate.peaks
        state = kept(part.gate, before, part.status, part.reason, part.distance)
        if state is not None:
            found[part.fund] = state
    return found


async def publish(plan: FramePlan, frame: NavFrame, outboxes: Mapping[str, Outbox]) -> None:
    """Give each contract the funds that it serves; one that waits for its contract holds back no other."""
    funds = {target: {fund.fund: fund for fund in plan.funds if fund.target == target} for target in sorted(outboxes)}
    going = [outboxes[target].submit(frame, found, plan.claims) for target, found in funds.items() if found]
    if len(going) == 1:
        await going[0]
        return
    for end in await asyncio.gather(*going, return_exceptions=True):
        if end is not None:
            raise end


def _frame_id(plan: FramePlan, collected: Collected) -> str:
    """Equal inputs give equal ids: the first 8 bytes of the keccak-256 of what identifies the frame."""
    identity = canonical(
        {
            "slot_time": plan.slot_time,
            "cadence": plan.cadence,
            "verifies": plan.verifies,
            "stop_after": plan.stop_after,
            "funds": [fund.fund for fund in plan.funds],
            "clock": collected.clock,
            "stamps": collected.stamps,
        }
    )
    return evidence_hash(identity)[:8].hex()
