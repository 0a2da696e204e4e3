"""A fund with a vault of its own: fees by the vault's terms, and a bridge from the post that was confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from navoracle.domain.bridge import BridgeEnd, HeldPosition
from navoracle.domain.errors import SourceRefused
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.flows import VaultFlows
from navoracle.domain.frame import FundFrame, NavStatus
from navoracle.domain.positions import Component
from navoracle.domain.prior import FundPrior, Prior
from navoracle.domain.units import WAD, RawAmount, Timestamp, Wad, to_wad
from navoracle.domain.vault import VaultState
from navoracle.keeper.plan import FramePlan
from navoracle.ports import Read, ReadPoint
from tests.unit.keeper.world import NOW, frame_plan, world

YEAR = 365 * 86_400
NONE = VaultFlows(*[Wad(0)] * 6)
QUIET = VaultState(FeeTerms(), FeeState(Wad(WAD), NOW), NONE)


@dataclass(frozen=True)
class Vault:
    """A vault that says what it is told."""

    says: VaultState | SourceRefused
    id: str = "cash.vault"
    chain: str | None = None

    def read(self, at: ReadPoint) -> Read[VaultState]:
        yield from ()
        if isinstance(self.says, SourceRefused):
            raise self.says
        return self.says

    def describe(self) -> Mapping[str, object]:
        return {"id": self.id}


def plan(vault: VaultState | SourceRefused, prior: FundPrior | None = None, fees: FeeTerms | None = None) -> FramePlan:
    """The cash fund (1,000 USDC, 1,000 shares) with a vault."""
    found = frame_plan("cash", prior=Prior(funds={"cash": prior or FundPrior()}))
    (fund,) = found.funds
    return replace(found, funds=(replace(fund, vault=Vault(vault), fees=fees or fund.fees),))


async def found(task: FramePlan) -> FundFrame:
    (part,) = (await world().frame(task)).funds
    return part


def posted(amount: int, *, shares: int = 1_000, flows: VaultFlows = NONE) -> FundPrior:
    """The last post: so many whole USDC at 1."""
    row = HeldPosition("cash.usdc", Component.CASH, "USDC", RawAmount(amount * 10**6, 6), Wad(WAD), Wad(amount * WAD))
    return FundPrior(posted=BridgeEnd((row,), Wad(0), Wad(shares * WAD), Wad(WAD), flows))


async def test_value__fund_with_a_vault__owes_fees_by_the_vaults_terms_mark_and_clock() -> None:
    terms = FeeTerms(to_wad("0.02"), to_wad("0.2"))
    vault = VaultState(terms, FeeState(to_wad("0.9"), Timestamp(NOW - YEAR)), NONE)
    elsewhere = FundPrior(fees=FeeState(to_wad("0.1"), Timestamp(NOW - 9 * YEAR)))
    part = await found(plan(vault, elsewhere))
    assert part.valuation is not None
    # 2 % of 1,000 for a year; a fifth of 0.98 less 0.9, for 1,000 shares.
    assert part.valuation.fees.management == to_wad("20")
    assert part.valuation.fees.performance == to_wad("16")
    assert part.vault == vault


async def test_value__vault_that_was_never_opened__starts_its_clock_and_mark_now() -> None:
    part = await found(plan(VaultState(FeeTerms(to_wad("0.02"), to_wad("0.2")), FeeState(), NONE)))
    assert part.valuation is not None
    assert part.valuation.fees.total == 0


async def test_value__unread_vault__halts_the_fund() -> None:
    part = await found(plan(SourceRefused("no", advice="Look.")))
    assert (part.status, part.reason) == (NavStatus.HALTED, "unread:cash.vault:source_refused")


async def test_bridge__nothing_posted_before__is_none_and_stops_nothing() -> None:
    part = await found(plan(QUIET))
    assert (part.status, part.bridge) == (NavStatus.LIVE, None)


@pytest.mark.parametrize(("before", "reason"), [(1_000, None), (995, "unexplained"), (1_006, "unexplained")])
async def test_bridge__amount_that_nothing_explains__halts_beyond_the_limit(before: int, reason: str | None) -> None:
    part = await found(plan(QUIET, posted(before)))
    assert part.bridge is not None
    assert (part.reason, part.bridge.unexplained) == (reason, (1_000 - before) * WAD)


async def test_bridge__settled_deposit_and_its_shares__explain_the_change() -> None:
    flows = VaultFlows(Wad(100 * WAD), Wad(0), Wad(0), Wad(100 * WAD), Wad(0), Wad(0))
    part = await found(plan(replace(QUIET, flows=flows), posted(900, shares=900)))
    assert (part.status, part.reason) == (NavStatus.LIVE, None)
    assert part.bridge is not None
    assert (part.bridge.flows, part.bridge.unexplained) == (100 * WAD, 0)


async def test_bridge__shares_that_no_flow_made__halt() -> None:
    part = await found(plan(QUIET, posted(1_000, shares=999)))
    assert (part.status, part.reason) == (NavStatus.HALTED, "unexplained")


async def test_bridge__re_base_granted__is_a_warning() -> None:
    part = await found(plan(QUIET, replace(posted(500), rebase="0x1")))
    assert part.status is NavStatus.LIVE


async def test_bridge__flows_that_fell__halt_the_fund_with_the_reason() -> None:
    more = VaultFlows(Wad(1), Wad(0), Wad(0), Wad(0), Wad(0), Wad(0))
    part = await found(plan(QUIET, posted(1_000, flows=more)))
    assert (part.status, part.reason) == (NavStatus.HALTED, "unvalued:domain")
    assert "flows fell" in part.failures[0].message


async def test_bridge__fund_without_a_vault__has_none() -> None:
    task = frame_plan("cash", prior=Prior(funds={"cash": posted(500)}))
    part = await found(task)
    assert (part.status, part.bridge, part.vault) == (NavStatus.LIVE, None, None)
