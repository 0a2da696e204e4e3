"""The rate of an ERC-4626 vault."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import DecimalsChanged, SourceRefused
from navoracle.domain.units import WAD, Bps, Wad
from navoracle.ports import ProtocolRate
from navoracle.prices import Erc4626Rate
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
VAULT, USDC = address(1), address(2)


def rate(**changes: Any) -> Erc4626Rate:
    fields = {
        "kind": "erc4626",
        "id": "vault-rate",
        "chain": "local",
        "base": "USDC",
        "vault": VAULT,
        "underlying": USDC,
        "decimals": 18,
        "underlying_decimals": 6,
    }
    return Erc4626Rate.model_validate({**fields, **changes})


def world(assets: int = 1_080_000, *, decimals: int = 18, underlying: int = 6, supply: int = 10**24) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(VAULT, "convertToAssets(uint256)", (10**decimals,), ("uint256",), assets)
    chain.put(VAULT, "decimals()", (), ("uint8",), decimals)
    chain.put(USDC, "decimals()", (), ("uint8",), underlying)
    chain.put(VAULT, "asset()", (), ("address",), USDC)
    chain.put(VAULT, "totalSupply()", (), ("uint256",), supply)
    return chain


def read(chain: FakeChain, **changes: Any) -> ProtocolRate:
    return drive(rate(**changes).read(AT), chain.answer)


class TestErc4626RateSpec(ReaderSpec):
    def example(self) -> Example:
        expected = ProtocolRate(Wad(WAD * 108 // 100), Wad(WAD * 108 // 100), Bps(10_000))
        return Example(rate(), world().good_answers(), AT, expected)


@given(st.integers(1, 2**128), st.integers(0, 36), st.integers(0, 36))
def test_read__any_scales__is_whole_tokens_floored_and_never_zero(assets: int, decimals: int, underlying: int) -> None:
    chain = world(assets, decimals=decimals, underlying=underlying)
    changes = {"decimals": decimals, "underlying_decimals": underlying}
    if assets * WAD < 10**underlying:
        with pytest.raises(SourceRefused, match="converts to nothing"):
            read(chain, **changes)
        return
    found = read(chain, **changes)
    assert found.lower == found.higher
    assert found.lower * 10**underlying <= assets * WAD < (found.lower + 1) * 10**underlying


def test_read__rate_of_zero__is_refused() -> None:
    with pytest.raises(SourceRefused, match="converts to nothing"):
        read(world(0))


def test_read__empty_vault__is_refused_whatever_it_converts() -> None:
    with pytest.raises(SourceRefused, match="has no shares"):
        read(world(supply=0))


def test_read__vault_of_another_asset__is_refused() -> None:
    chain = world()
    chain.put(VAULT, "asset()", (), ("address",), address(3))
    with pytest.raises(SourceRefused, match=f"{address(3)}, not the configured {USDC}"):
        read(chain)


def test_read__either_scale_changed__is_refused() -> None:
    chain = world()
    chain.put(VAULT, "decimals()", (), ("uint8",), 8)
    with pytest.raises(DecimalsChanged, match=f"{VAULT} had 18 decimals and now says 8"):
        read(chain)
    with pytest.raises(DecimalsChanged, match=f"{USDC} had 6 decimals and now says 18"):
        read(world(underlying=18))


class TestErc4626RateWithLostAssetsSpec(ReaderSpec):
    def example(self) -> Example:
        chain = with_losses(world(), total=4_000_000, lost=1_000_000)
        expected = ProtocolRate(Wad(WAD * 81 // 100), Wad(WAD * 81 // 100), Bps(10_000))
        growth = {"reference_rate": "0.8", "reference_time": NOW - 86_400 * 365, "max_growth_bps": 200}
        return Example(rate(lost_assets=True, growth=growth), chain.good_answers(), AT, expected)


def with_losses(chain: FakeChain, *, total: int, lost: int) -> FakeChain:
    chain.put(VAULT, "totalAssets()", (), ("uint256",), total)
    chain.put(VAULT, "lostAssets()", (), ("uint256",), lost)
    return chain


@given(st.integers(1, 10**18), st.integers(1, 10**24), st.integers(0, 10**24))
def test_read__vault_that_hides_its_losses__is_what_is_left_of_it(assets: int, total: int, lost: int) -> None:
    chain = with_losses(world(assets), total=total, lost=lost)
    left = assets * (total - lost) // total
    if left <= 0:
        with pytest.raises(SourceRefused, match=r"lost|converts to nothing"):
            read(chain, lost_assets=True)
        return
    assert read(chain, lost_assets=True).lower == left * 10**12
    assert read(chain).lower == assets * 10**12


def test_read__value_per_share__is_assets_less_lost_over_supply() -> None:
    supply, total, lost = 10**24, 1_080_000_000_000, 90_000_000_000
    chain = with_losses(world(total * 10**18 // supply, supply=supply), total=total, lost=lost)
    assert read(chain, lost_assets=True).lower == (total - lost) * 10**18 * 10**12 // supply


@pytest.mark.parametrize("lost", [100, 101])
def test_read__everything_lost__is_refused(lost: int) -> None:
    with pytest.raises(SourceRefused, match=f"lost {lost} of 100 assets"):
        read(with_losses(world(), total=100, lost=lost), lost_assets=True)


def test_read__rate_after_a_donation__is_refused_by_its_growth() -> None:
    growth = {"reference_rate": "1.08", "reference_time": NOW - 30 * 86_400, "max_growth_bps": 2_000}
    assert read(world(1_090_000), growth=growth).lower == 109 * WAD // 100
    with pytest.raises(SourceRefused, match=r"the rate 1\.380000000000000000 grew from 1\.080000000000000000"):
        read(world(1_380_000), growth=growth)


def test_read__rate_that_divides_to_zero__is_refused() -> None:
    with pytest.raises(SourceRefused, match="converts to nothing"):
        read(world(1, decimals=18, underlying=36), underlying_decimals=36)
