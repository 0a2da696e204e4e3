"""What the guards of one fund look at, calm unless a test changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from navoracle.domain.frame import BlockStamp, NavStatus
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.guards import GuardInput, judge
from navoracle.domain.nav import FundValuation
from navoracle.domain.positions import Component, Position
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.prior import ConfirmedNav, FirstLook, FundPrior, PriorPosition
from navoracle.domain.units import Timestamp, Wad, to_wad
from navoracle.domain.valuation import PriceKey
from navoracle.domain.verdicts import Outcome, Verdict
from tests.unit.domain.builders import NOW, live
from tests.unit.domain.funds import holding, prices, value

POLICY = GuardPolicy()
CASH, DEBT = Component.CASH, Component.DEBT
HOME = BlockStamp("local", 1, 100, "0x64", "0x63", NOW)
MILLION = holding("f.cash", CASH, "USD", "1000000")


def confirmed(price: int | str = "1", *, age: int = 3_600) -> ConfirmedNav:
    pps = to_wad(price) if isinstance(price, str) else Wad(price)
    return ConfirmedNav(to_wad("1000000"), pps, Timestamp(NOW - age), held=False, block_number=50, frame="old")


def first_look(price: int | str, block: int = 99) -> FirstLook:
    return FirstLook("first", to_wad(price) if isinstance(price, str) else Wad(price), block)


def fund(
    positions: Sequence[Position] = (MILLION,),
    estimates: Mapping[PriceKey, PriceEstimate] | None = None,
    shares: str = "1000000",
) -> FundValuation:
    return value(positions, prices(USD="1") if estimates is None else estimates, shares=shares)


def facts(valuation: FundValuation | None = None, **changes: object) -> GuardInput:
    """A fund of a million at 1.00 a share, as an hour ago: nothing to complain of."""
    calm = GuardInput(
        valuation=fund() if valuation is None else valuation,
        prior=FundPrior(confirmed=confirmed()),
        policy=POLICY,
        now=NOW,
        clock=NOW,
        stamps=(HOME,),
        home=HOME,
        estimates=(live("1", asset="USD"),),
        averages={},
        rate_gaps=(),
        readers=frozenset({"f.cash"}),
        immaterial=(),
        failures=(),
        shortcomings=(),
        chain="local",
        asset_breakers={},
        turned_back=(),
    )
    return replace(calm, **changes)  # type: ignore[arg-type]


def verdict(check: str, facts_: GuardInput) -> Verdict | None:
    _, _, verdicts = judge(facts_)
    return next((verdict for verdict in verdicts if verdict.check == check), None)


def outcome(check: str, facts_: GuardInput) -> Outcome | None:
    found = verdict(check, facts_)
    return None if found is None else found.outcome


def status(facts_: GuardInput) -> tuple[NavStatus, str | None]:
    found, reason, _ = judge(facts_)
    return found, reason


def at_price(pps: int | str) -> FundValuation:
    """A fund whose price per share is this one, to the wei."""
    wad = to_wad(pps) if isinstance(pps, str) else pps
    found = fund([replace(MILLION, amount=replace(MILLION.amount, value=wad * 1_000_000))])
    assert found.price_per_share == wad
    return found


def haircut(undecayed: int, nav: int) -> FundValuation:
    """A fund whose NAV is `nav` and, without haircuts, `undecayed` (both whole)."""
    return fund([holding("f.cash", CASH, "USD", str(nav))], shares=str(nav))._replace(
        undecayed_nav=to_wad(str(undecayed)), estimated=True
    )


def gone(position: str) -> GuardInput:
    """The last frame knew this position; this one finds f.cash alone."""
    prior = FundPrior(confirmed=confirmed(), positions=(PriorPosition(position, to_wad("5"), "old"),))
    return facts(prior=prior, readers=frozenset({"f.cash", "f.pools", "a/b.cash"}))
