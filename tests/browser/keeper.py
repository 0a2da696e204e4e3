"""A keeper beside the stand: nodes, senders, what happened, telemetry, a stress table, and a desk for requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from navoracle.domain.cadence import Cadence
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.ports import Clock
from navoracle.read_model.operations import CheckRecord, LaneRecord, NextSlot, NodeRecord
from navoracle.requests.authority import Authority
from navoracle.requests.desk import RequestDesk, RequestSubject
from navoracle.state_files.external import External, ExternalPart
from navoracle.state_files.facts import Facts, RiskPoint, StressLine
from navoracle.storage import SqlStore
from navoracle.store_port import AlertRow, Event, Severity, SlotOutcome, SlotState
from navoracle.testing import FakeChain
from navoracle.testing.fakes import block_stamp
from tests.unit.requests.builders import BITS, CHAIN_ID, REGISTRY
from tests.unit.state_files import builders
from tests.unit.storage import builders as rows

ASKED: Final = "fund-00000"
"""The fund that requests may speak of."""

STRESS: Final = (
    StressLine("ETH falls", ("ETH",), to_wad("0.1"), to_wad("19000"), to_wad("1.9"), to_wad("-0.09"), (), Wad(0), ()),
    StressLine(
        "ETH falls", ("ETH",), to_wad("0.3"), to_wad("15000"), to_wad("1.5"), to_wad("-0.28"), ("alpha.risk.aave",),
        to_wad("120.5"), (),
    ),
    StressLine(
        "everything", ("ETH", "WBTC"), to_wad("0.1"), to_wad("18500"), to_wad("1.85"), to_wad("-0.11"), (), Wad(0), (),
    ),
    StressLine("everything", ("ETH", "WBTC"), to_wad("0.3"), None, None, None, (), Wad(0), ("no price of WBTC",)),
)  # fmt: skip
TELEMETRY: Final = External(
    router=ExternalPart(
        "", Timestamp(builders.NOW - 30), {"maker_fill_rate": "0.83", "slip_q50_bps": "1.25", "orders": "12"}
    ),
    symbols=ExternalPart("", builders.NOW, {"XAUT": {"atr_ratio": "2", "atr_regime": "wild", "dd_state": "caution"}}),
    execution=ExternalPart("too_old", Timestamp(builders.NOW - 5_000)),
)


def rich_facts() -> Facts:
    """A fund of which everything is known that can be."""
    history = (
        RiskPoint(Timestamp(builders.NOW - 7_200), "safe", (), "f00b"),
        RiskPoint(builders.NOW, "critical", ("AAVE_LTV_WARNING",), "f00d"),
    )
    return replace(builders.facts(), stress=STRESS, risk_history=history, external=TELEMETRY)


class Told:
    """What a running keeper tells. Implements `read_model.Live`."""

    def nodes(self) -> tuple[NodeRecord, ...]:
        return (
            NodeRecord(chain="main", node="node-a", operator="one", state="alive", head=21_000_007),
            NodeRecord(chain="main", node="node-b", operator="two", state="out_of_sync", head=20_999_000),
            NodeRecord(chain="base", node="node-c", operator="three", state="unreachable", head=None),
        )

    def lanes(self) -> tuple[LaneRecord, ...]:
        return (
            LaneRecord(
                chain="main", sender="0x00000000000000000000000000000000000000A1", epoch=3,
                balance="1250000000000000000", runway=9 * 3_600, pending=1, next_nonce=42,
                spent_today="3000000000000000",
            ),
            LaneRecord(
                chain="base", sender="0x00000000000000000000000000000000000000A2", epoch=None, balance="5", runway=None,
                pending=0, next_nonce=0, spent_today="0",
            ),
        )  # fmt: skip

    def next_slot(self, fund: str) -> NextSlot:
        return NextSlot(slot_time=builders.NOW + 3_600, cadence="hourly", reasons=[])

    def checks(self) -> tuple[CheckRecord, ...]:
        return (
            CheckRecord(name="store", ok=True, detail="", advice=""),
            CheckRecord(name="rpc:base", ok=False, detail="0 of 1 operators", advice="Look at node-c."),
        )


class RunningClock:
    """The stand's clock, as a port."""

    def __init__(self, now: Callable[[], Timestamp]) -> None:
        self._now = now

    def now(self) -> Timestamp:
        return self._now()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def desk_of(store: SqlStore, clock: Clock) -> RequestDesk:
    """A desk for one fund, whose roles the signers of the tests of requests hold."""
    chain = FakeChain(block_stamp(builders.NOW, chain_id=CHAIN_ID))
    for signer, bits in BITS.items():
        chain.put(REGISTRY, "grantedRoles(address)", (signer.address,), ("uint256",), bits)
    return RequestDesk({ASKED: RequestSubject(CHAIN_ID, Authority(chain, REGISTRY))}, store, clock)


def fill(store: SqlStore) -> None:
    """Let something have happened: a frame with prices, slots, a transaction, events, alerts."""
    at = builders.NOW
    for number, price in enumerate(("0.9991", "0.9993", "0.9987")):
        now = at - 7_200 + 3_600 * number
        part = rows.fund_frame(ASKED, rows.valuation_of({"x": 5}))
        rows.record(store, rows.frame_of(f"frame-{number}", part, now=now, price=to_wad(price)))
    rows.prepare(store, "frame-2", rows.batch_of(rows.post_of(ASKED, 7), at=at))
    for number, state in enumerate((SlotState.POSTED, SlotState.HELD, SlotState.SKIPPED, SlotState.FAILED)):
        claimed = rows.claim(store, ASKED, at - 10_000 - number, cadence=Cadence.HOURLY)
        reason = None if state is SlotState.POSTED else "price_stale: USDC"
        store.finish_slot(claimed, SlotOutcome(state, reason, "frame-0", None), Timestamp(at - 9_990))
    for number in range(40):
        severity = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)[number % 3]
        message = f"event {number} <b>of</b> {ASKED}"
        store.append_event(Event(Timestamp(at - 400 + number), "slot_posted", ASKED, severity, message, "Look.", {}))
    store.save_alert(_alert("SignerBalanceLow", "main", Severity.WARNING, resolved=None))
    store.save_alert(_alert("RpcAllDown", "base", Severity.CRITICAL, resolved=Timestamp(at - 50)))


def _alert(rule: str, subject: str, severity: Severity, resolved: Timestamp | None) -> AlertRow:
    began, seen = Timestamp(builders.NOW - 900), Timestamp(builders.NOW - 60)
    return rows.alert_row(
        f"{rule}:{subject}",
        f"{rule} of {subject}",
        severity=severity,
        advice="Fill it up.",
        first_at=began,
        last_at=seen,
        count=3,
        resolved_at=resolved,
    )
