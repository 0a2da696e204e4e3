"""What lies in a fund's own vault: idle and delivered units, the queue of the oldest epoch, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import SourceRefused
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.flows import VaultFlows
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import SECONDS_PER_YEAR, RawAmount, Timestamp, Wad
from navoracle.domain.vault import VaultState
from navoracle.ports import Address, Answer
from navoracle.positions import FundVaultPosition, FundVaultState
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from navoracle.vault_calls import DELIVERIES_TYPES, FEE_TERMS_TYPES, FLOW_TOTALS_TYPES, SETTLEMENT_TYPES
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
VAULT, USDC, WETH, STRANGE = (address(number) for number in range(1, 5))
WAD = 10**18


def reader(**changes: Any) -> FundVaultPosition:
    fields = {
        "kind": "fund_vault",
        "id": "fund.vault",
        "asset": "USDC",
        "chain": "local",
        "vault": VAULT,
        "underlying": USDC,
        "in_kind": [{"token": WETH, "asset": "ETH"}],
        "decimals": [6, 18],
    }
    return FundVaultPosition.model_validate({**fields, **changes})


def world(
    *,
    queued: int = 500,
    next_queued: int = 70,
    idle: tuple[int, int] = (1_000, 2_000),
    delivered: tuple[int, int] = (30, 40),
    listed: tuple[Address, ...] = (USDC, WETH),
    strange: tuple[int, int] = (0, 0),
) -> FakeChain:
    """A vault in epoch 7; `strange` is delivered and idle of a token that nobody configured."""
    chain = FakeChain(block_stamp(NOW))
    state = (7, NOW - 10, NOW + 600, NOW - 900, queued, 5 * WAD, next_queued, 2 * WAD, 100 * WAD, False, False, False)
    chain.put(VAULT, "settlement()", (), SETTLEMENT_TYPES, *state)
    told = dict(
        zip((USDC, WETH, STRANGE), zip((*delivered, strange[0]), (*idle, strange[1]), strict=True), strict=True)
    )
    chain.put(
        VAULT,
        "deliveries()",
        (),
        DELIVERIES_TYPES,
        list(listed),
        [told[token][0] for token in listed],
        [told[token][1] for token in listed],
    )
    chain.put(VAULT, "asset()", (), ("address",), USDC)
    for token, amount, decimals in ((USDC, idle[0], 6), (WETH, idle[1], 18)):
        chain.put(token, "decimals()", (), ("uint8",), decimals)
        chain.put(VAULT, "idleOf(address)", (token,), ("uint256",), amount)
    return chain


def parts(chain: FakeChain, **changes: Any) -> dict[str, tuple[str, int, int | None]]:
    """Asset, raw amount and epoch of each part."""
    found: dict[str, tuple[str, int, int | None]] = {}
    for position in drive(reader(**changes).read(AT), chain.answer):
        assert isinstance(position, Holding)
        found[position.id.removeprefix("fund.vault/")] = position.asset, position.amount.value, position.epoch
    return found


class TestFundVaultSpec(ReaderSpec):
    def example(self) -> Example:
        cash, collateral = Component.CASH, Component.COLLATERAL
        expected = (
            Holding("fund.vault/queued", cash, "USDC", RawAmount(500, 6), 7),
            Holding("fund.vault/idle", cash, "USDC", RawAmount(1_000, 6)),
            Holding("fund.vault/delivered", cash, "USDC", RawAmount(30, 6)),
            Holding("fund.vault/ETH idle", collateral, "ETH", RawAmount(2_000, 18)),
            Holding("fund.vault/ETH delivered", collateral, "ETH", RawAmount(40, 18)),
        )
        return Example(reader(), world().good_answers(), AT, expected)


class TestFundVaultStateSpec(ReaderSpec):
    def example(self) -> Example:
        chain = FakeChain(block_stamp(NOW))
        terms = (2 * WAD // 100, 20 * WAD // 100, WAD // 1_000, 100)
        chain.put(VAULT, "feeTerms()", (), FEE_TERMS_TYPES, *terms, *terms)
        chain.put(VAULT, "feeState()", (), ("uint256", "uint256"), 11 * WAD // 10, NOW - 3_600)
        chain.put(VAULT, "flowTotals()", (), FLOW_TOTALS_TYPES, 1, 2, 3, 4, 5, 6, 7, 8)
        chain.put(VAULT, "assetScale()", (), ("uint256",), 10**12)
        return Example(state_reader(), chain.good_answers(), AT, expected_state(Wad(11 * WAD // 10), NOW - 3_600))


def state_reader() -> FundVaultState:
    fields = {"id": "fund.vault", "chain": "local", "contract": VAULT, "asset_scale": 10**12}
    return FundVaultState.model_validate(fields)


def expected_state(mark: Wad | None, clock: int | None) -> VaultState:
    return VaultState(
        FeeTerms(Wad(2 * WAD // 100), Wad(20 * WAD // 100), cap_bps=100, max_seconds=SECONDS_PER_YEAR),
        FeeState(mark, None if clock is None else Timestamp(clock)),
        VaultFlows(
            deposited=Wad(2),
            redeemed=Wad(3),
            dividends=Wad(8 * 10**12),
            minted=Wad(4),
            burned=Wad(5),
            fee_shares=Wad(6),
        ),
    )


def test_state__of_a_vault_that_was_never_opened__has_no_mark_and_no_clock() -> None:
    example = TestFundVaultStateSpec().example()
    chain = FakeChain(block_stamp(NOW))
    chain.put(VAULT, "feeState()", (), ("uint256", "uint256"), 0, 0)
    answers = {**example.answers, **chain.good_answers()}
    found = drive(state_reader().read(AT), lambda request: Answer(answers[request]))
    assert found == expected_state(None, None)


def test_read__queue_of_the_next_epoch__is_part_of_neither_nav() -> None:
    assert parts(world(next_queued=0)) == parts(world(next_queued=10**12))


def test_read__token_off_the_vaults_list_that_still_lies_in_it__is_counted_by_its_idle_units() -> None:
    found = parts(world(listed=(USDC,)))
    assert found["ETH idle"] == ("ETH", 2_000, None)
    assert found["ETH delivered"] == ("ETH", 0, None)


@pytest.mark.parametrize("strange", [(1, 0), (0, 1)])
def test_read__units_of_a_token_that_no_asset_prices__are_refused_not_left_out(strange: tuple[int, int]) -> None:
    with pytest.raises(SourceRefused, match=r"1 raw units of 0x.* no asset prices them"):
        parts(world(listed=(USDC, WETH, STRANGE), strange=strange))


def test_read__listed_token_of_which_nothing_is_there__needs_no_asset() -> None:
    assert parts(world(listed=(USDC, WETH, STRANGE))) == parts(world())


def test_read__vault_of_another_asset__is_refused() -> None:
    chain = world()
    chain.put(VAULT, "asset()", (), ("address",), WETH)
    with pytest.raises(SourceRefused, match=r"asset\(\) of"):
        parts(chain)


AMOUNT = st.integers(0, 2**128 - 1)


@given(queued=AMOUNT, idle=st.tuples(AMOUNT, AMOUNT), delivered=st.tuples(AMOUNT, AMOUNT))
def test_read__any_amounts__are_each_found_once_and_only_the_queue_has_an_epoch(
    queued: int, idle: tuple[int, int], delivered: tuple[int, int]
) -> None:
    assert parts(world(queued=queued, idle=idle, delivered=delivered)) == {
        "queued": ("USDC", queued, 7),
        "idle": ("USDC", idle[0], None),
        "delivered": ("USDC", delivered[0], None),
        "ETH idle": ("ETH", idle[1], None),
        "ETH delivered": ("ETH", delivered[1], None),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3}, "leave `epoch` out"),
        ({"in_kind": [{"token": USDC, "asset": "USDC"}]}, "names a token twice"),
        ({"in_kind": [{"token": WETH, "asset": "ETH"}] * 2}, "names a token twice"),
        ({"component": "debt"}, "component"),
        ({"in_kind": [{"token": WETH, "asset": "ETH", "decimals": 18}]}, "decimals"),
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        reader(**changes)


def test_claims__are_the_vaults_balances__so_that_an_erc20_position_beside_it_is_refused() -> None:
    assert [(claim.contract, claim.account, claim.what) for claim in reader().claims] == [
        (USDC, VAULT, "balance"),
        (WETH, VAULT, "balance"),
    ]
