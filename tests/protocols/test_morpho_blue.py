"""The Morpho Blue reader against Morpho Blue 1.0.0 itself."""

from __future__ import annotations

import pytest

from navoracle.domain.errors import SourceRefused
from navoracle.domain.morpho import is_healthy, loan_to_value
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import Wad
from navoracle.ports import Address
from tests.protocols.chain import Chain, NodeError, ReaderFailed
from tests.protocols.morpho_world import LLTV, NOBODY, PRICE, WAD, MorphoWorld, deploy_morpho
from tests.requirements import needs_node

pytestmark = needs_node

DAY = 86_400
USDC = 10**6


@pytest.fixture(scope="module")
def world(chain: Chain) -> MorphoWorld:
    return deploy_morpho(chain)


@pytest.fixture(scope="module")
def lender(world: MorphoWorld) -> Address:
    account = world.chain.accounts[1]
    world.supply(account, 2_500_000 * USDC)
    return account


@pytest.fixture(scope="module")
def borrower(world: MorphoWorld, lender: Address) -> Address:
    """A million owed, 40 % of what is lent: the mock's rate is the utilization."""
    account = world.chain.accounts[2]
    world.pledge(account, 500 * WAD)
    world.borrow(account, 1_000_000 * USDC)
    return account


async def amounts(world: MorphoWorld, account: Address) -> tuple[int, int, int]:
    """Supplied, borrowed and pledged, as they are read."""
    found: tuple[Holding, ...] = await world.chain.read(world.reader(account))
    assert [holding.id for holding in found] == [
        "fund.morpho/USDC-supplied",
        "fund.morpho/USDC-borrowed",
        "fund.morpho/WETH-pledged",
    ]
    assert [holding.component for holding in found] == [Component.CASH, Component.DEBT, Component.COLLATERAL]
    supplied, owed, pledged = (holding.amount.value for holding in found)
    return supplied, owed, pledged


def owed_by_storage(world: MorphoWorld, account: Address) -> int:
    """The debt by the totals of the last touch, rounded up."""
    _, _, assets, shares, _, _ = world.market()
    return -(-world.position(account)[1] * (assets + 1) // (shares + 10**6))


@pytest.mark.parametrize("seconds", [0, 1, 90 * DAY, 400 * DAY + 7])
async def test_read__no_touch_for_90_days__debt_and_supply_are_to_the_wei_what_accrual_gives(
    world: MorphoWorld, lender: Address, borrower: Address, same_time: None, seconds: int
) -> None:
    if seconds:
        world.chain.travel(seconds)
    found = {account: await amounts(world, account) for account in (lender, borrower)}
    expected = {account: world.expected(account) for account in (lender, borrower)}
    assert {account: amount[:2] for account, amount in found.items()} == expected
    now = world.chain.time
    world.accrue()
    assert world.chain.time == now
    assert owed_by_storage(world, borrower) == found[borrower][1]
    assert {account: await amounts(world, account) for account in (lender, borrower)} == found
    assert found[borrower][2] == 500 * WAD


async def test_read__stored_figures__understate_a_debt_by_939_bps_after_90_days(
    world: MorphoWorld, borrower: Address
) -> None:
    world.chain.travel(90 * DAY)
    _, owed, _ = await amounts(world, borrower)
    stored = owed_by_storage(world, borrower)
    # Less the cut of a stored figure in the accrued one: 1 - exp(-0.4 x 90 / 365) = 939 bps.
    assert 10_000 * (owed - stored) // owed == 939


async def test_read__fee__is_taken_from_lenders_and_given_to_the_fee_recipient(
    world: MorphoWorld, lender: Address, borrower: Address, same_time: None
) -> None:
    recipient = world.chain.accounts[5]
    world.chain.send(world.morpho, "setFeeRecipient(address)", recipient)
    world.send("setFee", ",uint256", 10**17)
    world.chain.travel(90 * DAY)
    found = await amounts(world, recipient)
    # Morpho's own library leaves the recipient's accrued shares out; the contract adds them at the next touch.
    assert world.expected(recipient) == (0, 0)
    before = await amounts(world, lender)
    world.accrue()
    assert world.expected(recipient) == (found[0], 0)
    assert found[0] > 9_000 * USDC
    assert await amounts(world, recipient) == found
    assert await amounts(world, lender) == before


async def test_read__unknown_id__answers_zeros_and_is_refused(world: MorphoWorld, lender: Address) -> None:
    unknown = "0x" + 64 * "1"
    answered = world.chain.view(world.morpho, "market(bytes32)", ("uint128",) * 6, bytes.fromhex(unknown[2:]))
    assert set(answered) == {0}
    with pytest.raises(SourceRefused, match=f"has no market {unknown}"):
        await world.chain.resolve(world.reader(lender, market=unknown))
    resolved = await world.chain.resolve(world.reader(lender))
    with pytest.raises(ReaderFailed, match="was last updated at 0, read at"):
        await world.chain.read_resolved(resolved.model_copy(update={"market": unknown}))


async def test_resolve__market_of_other_tokens__is_refused(world: MorphoWorld, lender: Address) -> None:
    exchanged = {
        "loan": {"asset": "WETH", "token": world.collateral},
        "collateral": {"asset": "USDC", "token": world.loan},
    }
    with pytest.raises(SourceRefused, match=f"loan token of {world.id} is {world.loan}"):
        await world.chain.resolve(world.reader(lender, **exchanged))
    with pytest.raises(SourceRefused, match="collateral token"):
        await world.chain.resolve(world.reader(lender, collateral=None))


async def test_read__irm_zero__accrues_nothing(world: MorphoWorld) -> None:
    other = world.without_irm()
    lender, borrower = world.chain.accounts[1], world.chain.accounts[2]
    other.supply(lender, 100_000 * USDC)
    other.pledge(borrower, 100 * WAD)
    other.borrow(borrower, 50_000 * USDC)
    other.chain.travel(90 * DAY)
    resolved = await world.chain.resolve(other.reader(borrower))
    assert resolved.terms.irm is None
    assert (await amounts(other, borrower))[1:] == (50_000 * USDC, 100 * WAD)
    assert await amounts(other, lender) == (100_000 * USDC, 0, 0)
    assert (await amounts(other, lender))[:2] == other.expected(lender)


async def test_read__bad_debt__is_socialised_at_liquidation(
    world: MorphoWorld, lender: Address, borrower: Address
) -> None:
    world.chain.travel(90 * DAY)
    before = (await amounts(world, lender))[0]
    # The collateral is worth less than the debt; all of it is seized.
    world.chain.send(world.oracle, "setPrice(uint256)", PRICE // 2)
    liquidator = world.chain.accounts[3]
    world.fund(liquidator, world.loan, 2_000_000 * USDC)
    world.send("liquidate", ",address,uint256,uint256,bytes", borrower, 500 * WAD, 0, b"", sender=liquidator)
    supplied, owed, pledged = await amounts(world, lender)
    assert (owed, pledged) == (0, 0)
    assert await amounts(world, borrower) == (0, 0, 0)
    assert 10_000 * (before - supplied) > 500 * before
    assert (supplied, 0) == world.expected(lender)


async def test_domain__health__is_the_contracts_at_its_edge(
    world: MorphoWorld, borrower: Address, same_time: None
) -> None:
    world.chain.travel(90 * DAY)
    _, owed, pledged = await amounts(world, borrower)
    # The lowest price at which the contract still lets a wei of collateral go, and the next lower one.
    lowest, highest = 0, PRICE
    while highest - lowest > 1:
        middle = (lowest + highest) // 2
        lowest, highest = (lowest, middle) if is_healthy(owed, pledged, middle, Wad(LLTV)) else (middle, highest)
    liquidator = world.chain.accounts[3]
    world.fund(liquidator, world.loan, 2_000_000 * USDC)
    world.chain.send(world.oracle, "setPrice(uint256)", highest)
    with pytest.raises(NodeError, match="position is healthy"):
        world.send("liquidate", ",address,uint256,uint256,bytes", borrower, 10**12, 0, b"", sender=liquidator)
    ratio = loan_to_value(owed, pledged, highest)
    assert ratio is not None
    assert ratio <= LLTV
    world.chain.send(world.oracle, "setPrice(uint256)", lowest)
    world.send("liquidate", ",address,uint256,uint256,bytes", borrower, 10**12, 0, b"", sender=liquidator)


async def test_claims__each_part__is_claimed_for_the_market_and_the_account(
    world: MorphoWorld, lender: Address
) -> None:
    reader = world.reader(lender)
    assert {(claim.contract, claim.account) for claim in reader.claims} == {(world.morpho, lender)}
    assert [claim.what for claim in reader.claims] == [
        f"{part} of {world.id}" for part in ("supply", "borrow", "collateral")
    ]
    assert NOBODY not in {claim.contract for claim in reader.claims}
