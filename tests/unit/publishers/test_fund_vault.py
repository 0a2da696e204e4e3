"""A FundVault as the keeper looks at it: its views at one block, what is served for it, and what a settlement did."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.abi import selector
from navoracle.domain.errors import ChainError, ConfigurationError
from navoracle.domain.flows import VaultFlows
from navoracle.domain.settlement import Delivery, VaultFeeTerms, VaultLimits
from navoracle.domain.units import Timestamp, Wad
from navoracle.ports import Answer
from navoracle.publisher_port import Receipt
from navoracle.publishers.fund_vault import FundVaultContract
from navoracle.testing import FakeChain, block_stamp
from navoracle.vault_calls import (
    BREAKDOWN_TYPES,
    DELIVERIES_TYPES,
    EPOCH_OF_TYPES,
    FEE_TERMS_TYPES,
    FLOW_TOTALS_TYPES,
    LIMITS_TYPES,
    PAYOUTS_OF_TYPES,
    SETTLEMENT_TYPES,
)
from navoracle.vault_port import SettledEpoch
from tests.unit.addresses import address

NOW = 1_700_000_000
VAULT, REGISTRY, USDC, WETH, STETH, QUOTER, KEEPER = (address(number) for number in range(1, 8))
WAD = 10**18
FUND_ID = 9
ROLE = b"\x07" * 32
VALUED = NOW - 100
TOTALS = (1, 2, 3, 4, 5, 6, 7, 8)
FLOWS = VaultFlows(
    deposited=Wad(2), redeemed=Wad(3), dividends=Wad(8 * 10**12), minted=Wad(4), burned=Wad(5), fee_shares=Wad(6)
)


def word(*, status: int = 1, confidence: int = 95, profile: int = 3) -> int:
    """A fund word: nav, pps, time, drift, confidence, profile, status."""
    return 1_100 * WAD << 152 | WAD << 64 | VALUED << 32 | confidence << 9 | profile << 3 | status


def world(*, status: int = 1, paused: bool = False, granted: bool = True) -> FakeChain:
    chain = FakeChain(block_stamp(NOW, number=100))
    state = (7, NOW - 700, NOW - 100, NOW - 900, 500, 5 * WAD, 70, WAD, 100 * WAD, False, True, False)
    chain.put(VAULT, "settlement()", (), SETTLEMENT_TYPES, *state)
    chain.put(VAULT, "deliveries()", (), DELIVERIES_TYPES, [USDC, WETH, STETH], [30, 40, 0], [1, 2, 3])
    chain.put(VAULT, "feeState()", (), ("uint256", "uint256"), 11 * WAD // 10, NOW - 3_600)
    chain.put(VAULT, "feeTerms()", (), FEE_TERMS_TYPES, 1, 2, 3, 100, 5, 6, 7, 200)
    chain.put(VAULT, "limits()", (), LIMITS_TYPES, 10**14, 10**6, 10**16, 7_200, 50, 80)
    chain.put(VAULT, "epochLength()", (), ("uint256",), 86_400)
    chain.put(VAULT, "assetScale()", (), ("uint256",), 10**12)
    chain.put(VAULT, "flowTotals()", (), FLOW_TOTALS_TYPES, *TOTALS)
    chain.put(VAULT, "registry()", (), ("address",), REGISTRY)
    chain.put(VAULT, "fundId()", (), ("uint256",), FUND_ID)
    chain.put(VAULT, "asset()", (), ("address",), USDC)
    chain.put(VAULT, "quoter()", (), ("address",), QUOTER)
    chain.put(VAULT, "KEEPER_ROLE()", (), ("bytes32",), ROLE)
    chain.put(VAULT, "cancelledSince(uint256,uint256)", (7, VALUED), ("uint256",), 25)
    chain.put(VAULT, "hasRole(bytes32,address)", (ROLE, KEEPER), ("bool",), granted)
    chain.put(QUOTER, "getQuote(uint256,address,address)", (40, WETH, USDC), ("uint256",), 90)
    chain.put(REGISTRY, "readRaw(uint256)", (FUND_ID,), ("uint256",), word(status=status))
    chain.put(REGISTRY, "settings()", (), ("address", "bool", "uint256"), KEEPER, paused, 900)
    chain.put(REGISTRY, "getProfile(uint256)", (3,), ("uint16", "uint16", "uint16", "uint32", "uint32"), 1, 2, 3, 4, 55)
    return chain


def contract(chain: FakeChain) -> FundVaultContract:
    return FundVaultContract(chain, vault=VAULT, registry=REGISTRY, fund_id=FUND_ID)


async def test_look__everything_answers__is_the_vault_and_the_served_post_in_two_rounds() -> None:
    chain = world()
    found = await contract(chain).look(KEEPER)
    state, served = found.state, found.served
    assert (state.epoch, state.closes_at, state.settleable_at, state.newer_than) == (
        7,
        NOW - 700,
        NOW - 100,
        NOW - 900,
    )
    assert (state.deposit_assets, state.cancelled_assets, state.redeem_shares, state.supply) == (
        500,
        25,
        5 * WAD,
        100 * WAD,
    )
    assert (state.frozen, state.closed, state.paused) == (False, True, False)
    assert state.terms == VaultFeeTerms(Wad(1), Wad(2), Wad(3), 100)
    assert state.limits == VaultLimits(Wad(10**16), 50, 80)
    assert (state.high_water_mark, state.fee_clock, state.epoch_length) == (11 * WAD // 10, NOW - 3_600, 86_400)
    assert state.deliveries == (
        Delivery(USDC.lower(), 30, Wad(30 * 10**12)),
        Delivery(WETH.lower(), 40, Wad(90 * 10**12)),
        Delivery(STETH.lower(), 0, Wad(0)),
    )
    assert (served.nav, served.price_per_share, served.valuation_time) == (1_100 * WAD, WAD, VALUED)
    assert (served.confidence, served.max_age) == (95, 55)
    assert (served.live, served.held, served.estimated, served.registry_paused) == (True, False, False, False)
    assert (found.flows, found.may_settle) == (FLOWS, True)
    assert len(chain.rounds) == 2


@pytest.mark.parametrize(
    ("status", "live", "held", "estimated"), [(0, False, False, False), (3, True, True, False), (5, True, False, True)]
)
async def test_look__status_bits__are_those_of_the_registry(
    status: int, live: bool, held: bool, estimated: bool
) -> None:
    served = (await contract(world(status=status, paused=True)).look(None)).served
    assert (served.live, served.held, served.estimated, served.registry_paused) == (live, held, estimated, True)


async def test_look__sender__is_asked_for_the_vaults_own_keeper_role() -> None:
    assert (await contract(world(granted=False)).look(KEEPER)).may_settle is False
    chain = world()
    assert (await contract(chain).look(None)).may_settle is None
    asked = [request for round_ in chain.rounds for request in round_]
    assert not any(getattr(each, "data", b"")[:4] == selector("hasRole(bytes32,address)") for each in asked)


@pytest.mark.parametrize("broken", [Answer(b"", "call_reverted"), Answer(b""), Answer(b"\x01")])
async def test_look__quoter_without_an_answer__is_no_quote_and_never_a_worth_of_zero(broken: Answer) -> None:
    chain = world()
    (call,) = [key for key in chain.answers if key[0] == QUOTER]
    chain.answers[call] = broken
    found = await contract(chain).look(None)
    assert [each.worth for each in found.state.deliveries] == [30 * 10**12, None, 0]


@pytest.mark.parametrize(
    ("signature", "kind", "value"), [("registry()", "address", WETH), ("fundId()", "uint256", FUND_ID + 1)]
)
async def test_look__vault_of_another_registry_or_fund__is_a_configuration_error(
    signature: str, kind: str, value: Any
) -> None:
    chain = world()
    chain.put(VAULT, signature, (), (kind,), value)
    with pytest.raises(ConfigurationError, match="settles on fund"):
        await contract(chain).look(None)


async def test_look__any_view_without_an_answer__is_a_chain_error() -> None:
    calls = [key for key in world().answers if key[0] != QUOTER]
    assert len(calls) > 15
    for call in calls:
        for broken in (Answer(b"", "call_reverted"), Answer(b"\x01")):
            chain = world()
            chain.answers[call] = broken
            with pytest.raises(ChainError, match="does not answer as a FundVault"):
                await contract(chain).look(KEEPER)


def settled_world(*, price: int = WAD) -> FakeChain:
    chain = world()
    chain.put(VAULT, "epochOf(uint256)", (7,), EPOCH_OF_TYPES, 500, 5 * WAD, 60, price, False, False)
    chain.put(VAULT, "payoutsOf(uint256)", (7,), PAYOUTS_OF_TYPES, [USDC, WETH], [30, 0])
    chain.put(VAULT, "breakdown()", (), BREAKDOWN_TYPES, 1, 2, VALUED, 3, 4, 7, 5)
    return chain


BEFORE = VaultFlows(Wad(1), Wad(1), Wad(1), Wad(1), Wad(1), Wad(1))


def receipt(chain: FakeChain, **changes: Any) -> Receipt:
    return Receipt(
        **{
            "hash": "0x1",
            "success": True,
            "block_number": 100,
            "block_hash": chain.block.hash,
            "gas_used": 1,
            **changes,
        }
    )


async def test_settled__settled_epoch__is_what_the_views_say_and_the_flows_since() -> None:
    chain = settled_world()
    assert await contract(chain).settled(7, receipt(chain), BEFORE) == SettledEpoch(
        epoch=7,
        price_per_share=Wad(WAD),
        valuation_time=Timestamp(VALUED),
        deposited=Wad(1),
        minted=Wad(60),
        fee_shares=Wad(5),
        burned=Wad(4),
        payouts=((USDC.lower(), 30),),
    )


async def test_settled__epoch_without_a_price__is_not_settled() -> None:
    chain = settled_world(price=0)
    assert await contract(chain).settled(7, receipt(chain), BEFORE) is None


async def test_settled__another_block_in_its_place__is_a_chain_error() -> None:
    chain = settled_world()
    with pytest.raises(ChainError, match="no longer the one"):
        await contract(chain).settled(7, receipt(chain, block_hash="0xother"), BEFORE)


async def test_refusal__call__is_made_in_the_senders_name_and_gives_the_reason() -> None:
    chain = world()
    data = contract(chain).settle_call(7, (Wad(1), Wad(2), Wad(3), Wad(4), Wad(5)))
    assert data[:4] == selector("settle(uint256,uint104[5])")
    chain.answers[VAULT, data] = Answer(b"", "call_reverted")
    assert "reverted" in str(await contract(chain).refusal(data, KEEPER))
    chain.answers[VAULT, data] = Answer(bytes(32))
    assert await contract(chain).refusal(data, KEEPER) is None
