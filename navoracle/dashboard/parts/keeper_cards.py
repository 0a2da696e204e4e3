"""How the keeper does: slots of the day, what it needs, nodes, and senders with their nonces and runway."""

from __future__ import annotations

from typing import Any, Final

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.facts import Facts
from navoracle.dashboard.parts.records import Column, Records, Tone, exact, toned, unknown
from navoracle.dashboard.words import NODE_TONES, tone_of
from navoracle.read_model.operations import LaneRecord, Operations
from navoracle.store_port import SlotState

RUNWAY_WARNING: Final = 48 * 3_600
RUNWAY_CRITICAL: Final = 12 * 3_600
"""Seconds; as the alert SignerBalanceLow has them."""

LONGEST_RUNWAY: Final = 1_000 * 86_400
"""Seconds that are told; beyond them a guess from one day's pace says nothing."""

_DAY: Final = ("Keeper", "Slots of the day", "Ended well", "Open posts", "Open alerts")
_CHECKS: Final = (Column("name", "Needs", head=True), Column("state", "State"), Column("advice", "What to do"))
_NODES: Final = (
    Column("node", "Node", head=True),
    Column("chain", "Chain"),
    Column("operator", "Operator"),
    Column("state", "State"),
    Column("head", "Newest block", "number"),
)
_LANES: Final = (
    Column("sender", "Sender", head=True),
    Column("chain", "Chain"),
    Column("lease", "Lease"),
    Column("nonce", "Next nonce", "number"),
    Column("pending", "Not ended", "number"),
    Column("balance", "Balance", "number"),
    Column("runway", "Lasts"),
    Column("spent", "Spent today", "number"),
)


class KeeperCards:
    """The cards."""

    def __init__(self) -> None:
        with Card("keeper", "The keeper", "third"):
            self._day = Facts(*_DAY)
        with Card("checks", "What a slot needs", "two-thirds"):
            self._checks = Records(_CHECKS, caption="What a slot needs", empty="n/a: this process checks nothing")
        with Card("nodes", "Nodes"):
            self._nodes = Records(_NODES, caption="Nodes", empty="n/a: no node was dialed by this process")
        with Card("senders", "Senders"):
            self._lanes = Records(_LANES, caption="Senders", empty="n/a: no sender was looked at by this process")

    def show(self, found: Operations) -> None:
        """Show how it stands."""
        self._show_day(found)
        self._checks.show(
            [
                {
                    "key": check.name,
                    "name": check.name,
                    "state": toned("ok" if check.ok else "failing", "good" if check.ok else "bad", check.detail),
                    "advice": check.advice,
                }
                for check in found.checks or ()
            ]
        )
        self._nodes.show(
            [
                {
                    "key": f"{node.chain}/{node.node}",
                    "node": node.node,
                    "chain": node.chain,
                    "operator": node.operator,
                    "state": toned(formats.word(node.state), tone_of(NODE_TONES, node.state)),
                    "head": unknown("it has not answered") if node.head is None else f"{node.head:,d}",
                }
                for node in found.nodes or ()
            ]
        )
        self._lanes.show([lane_row(lane) for lane in found.lanes or ()])

    def _show_day(self, found: Operations) -> None:
        facts = self._day
        facts.say(
            "Keeper", "runs here" if found.live else "not in this process", tone="good" if found.live else "plain"
        )
        counts = found.slots_of_the_day
        total = sum(counts.values())
        said = ", ".join(f"{count:,d} {state}" for state, count in counts.items())
        facts.say("Slots of the day", said or None, why="no slot in the last 24 hours")
        ended = total - counts.get(SlotState.CLAIMED.value, 0)
        good = counts.get(SlotState.POSTED.value, 0)
        part = None if not ended else formats.percent(formats.part_of(str(good), str(ended)), 1)
        facts.say("Ended well", None if part is None else f"{part} posted", why="no slot has ended")
        facts.say("Open posts", f"{found.open_posts:,d}")
        alerts = found.open_alerts
        facts.say("Open alerts", f"{alerts:,d}", tone="warning" if alerts else "good")


def lane_row(lane: LaneRecord) -> dict[str, Any]:
    """A sender; how long its balance lasts is told with a word where it is short."""
    return {
        "key": f"{lane.chain}/{lane.sender}",
        "sender": exact(formats.short_hash(lane.sender), lane.sender),
        "chain": lane.chain,
        "lease": toned("another keeper's", "plain")
        if lane.epoch is None
        else toned("ours", "good", f"epoch {lane.epoch}"),
        "nonce": str(lane.next_nonce),
        "pending": str(lane.pending),
        "balance": exact(formats.ether(lane.balance), f"{lane.balance} wei"),
        "runway": _runway(lane.runway),
        "spent": exact(formats.ether(lane.spent_today), f"{lane.spent_today} wei"),
    }


def _runway(seconds: int | None) -> dict[str, Any]:
    if seconds is None:
        return unknown("nothing was spent yet, so that the pace is not known")
    tone: Tone = "bad" if seconds < RUNWAY_CRITICAL else "warning" if seconds < RUNWAY_WARNING else "good"
    word = {"bad": "nearly empty", "warning": "low"}.get(tone, "")
    long = f"over {LONGEST_RUNWAY // 86_400:,d} d" if seconds > LONGEST_RUNWAY else formats.duration(seconds)
    return toned(long, tone, word)
