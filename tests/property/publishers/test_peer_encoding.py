"""Laws of what peers are told: values there and back at every scale, bounds to the unit as the peers have them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st

from navoracle.abi import argument_types, decode_result
from navoracle.domain.conversions import UINT96, from_units
from navoracle.domain.errors import OutOfRange
from navoracle.domain.peer_guards import ondo, superstate
from navoracle.domain.peer_guards.veda import VedaBounds
from navoracle.domain.units import BPS, SCALES, WAD, Rounding, Timestamp, Wad
from navoracle.publishers.peers import GenericPeer, MidasGrowthPeer, MidasPeer, VedaPeer
from navoracle.publishers.peers.base import PeerModel
from navoracle.publishers.peers.generic_checks import check_bounds
from navoracle.publishers.peers.generic_declarations import Bounds, RoundingName, change_bps, scaled
from navoracle.publishers.peers.midas import SET
from navoracle.publishers.peers.veda import UPDATE
from navoracle.publishers.peers.veda_recovery import needed_bound, widening
from tests.unit.addresses import address
from tests.unit.publishers.posts import fund_post

DECIMALS = st.sampled_from([0, 6, 8, 18, 27])
PRICES = st.integers(1, 10**9 * WAD)
BASE = {"id": "peer", "chain": "local", "contract": address(1)}


def veda(decimals: int, **changes: Any) -> VedaPeer:
    return VedaPeer.model_validate(BASE | {"decimals": decimals, "shares": address(2)} | changes)


def generic(decimals: int, rounding: RoundingName = "down", type_: str = "uint256") -> GenericPeer:
    declared: dict[str, Any] = {
        "signature": f"set({type_})",
        "arguments": [{"value": "price_per_share", "scale": decimals, "rounding": rounding}],
        "held_view": {"signature": "get()", "returns": ["uint256", "uint256"], "time_index": 1},
        "role": "SETTER",
        "advice": "Ask the setter.",
    }
    return GenericPeer.model_validate(BASE | declared)


def sent(peer: PeerModel, signature: str, price: int, prices: dict[str, Wad] | None = None) -> int:
    """The first argument of a post of this price per share."""
    data = peer.encode(fund_post(1, price, prices=prices or {}), Timestamp(1_800_000_000))
    return int(decode_result(argument_types(signature), data[4:])[0])


@given(st.integers(1, UINT96.maximum), st.sampled_from([0, 6, 8, 18]))
def test_veda__every_rate__comes_back_as_the_price_that_was_sent(rate: int, decimals: int) -> None:
    price = from_units(rate, decimals, Rounding.DOWN)
    assert sent(veda(decimals), UPDATE, price) == rate
    assert sent(veda(decimals), UPDATE, price + SCALES[18 - decimals] - 1) == rate


@given(st.integers(1, UINT96.maximum // 10**9))
def test_veda__every_price_at_27_decimals__comes_back_exactly(price: int) -> None:
    rate = sent(veda(27), UPDATE, price)
    assert rate == price * 10**9
    assert from_units(rate, 27, Rounding.DOWN) == price


@given(PRICES, DECIMALS)
def test_every_peer__price_rounded_down__is_off_by_less_than_one_unit(price: int, decimals: int) -> None:
    exact = price * SCALES[decimals]
    for peer, signature in (
        (veda(decimals), UPDATE),
        (MidasPeer.model_validate(BASE | {"decimals": decimals}), SET),
        (generic(decimals), "set(uint256)"),
    ):
        if exact < WAD or (exact // WAD > UINT96.maximum and signature == UPDATE):
            with pytest.raises(OutOfRange):
                sent(peer, signature, price)
        else:
            found = sent(peer, signature, price)
            assert 0 <= exact - found * WAD < WAD


@given(PRICES, PRICES, DECIMALS)
def test_every_peer__price_in_a_base__is_divided_once(price: int, base: int, decimals: int) -> None:
    expected = price * SCALES[decimals] // base
    peer = veda(decimals, base="ETH")
    if 1 <= expected <= UINT96.maximum:
        assert sent(peer, UPDATE, price, {"ETH": Wad(base)}) == expected
    else:
        with pytest.raises(OutOfRange):
            sent(peer, UPDATE, price, {"ETH": Wad(base)})


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_veda__highest_rate_and_one_unit_beyond__are_taken_and_refused(decimals: int) -> None:
    unit = SCALES[18 - decimals]
    assert sent(veda(decimals), UPDATE, UINT96.maximum * unit) == UINT96.maximum
    with pytest.raises(OutOfRange):
        sent(veda(decimals), UPDATE, (UINT96.maximum + 1) * unit)
    assert sent(veda(decimals), UPDATE, unit) == 1
    if unit > 1:
        with pytest.raises(OutOfRange):
            sent(veda(decimals), UPDATE, unit - 1)


@given(PRICES, DECIMALS, st.sampled_from(["down", "up", "nearest"]))
def test_generic__every_rounding__is_the_nearest_integer_on_its_side(
    price: int, decimals: int, rounding: RoundingName
) -> None:
    exact = price * SCALES[decimals]
    found = scaled(price, SCALES[decimals], WAD, rounding)
    low, high = {"down": (0, WAD - 1), "up": (1 - WAD, 0), "nearest": (-WAD // 2, WAD // 2 - 1)}[rounding]
    assert low <= exact - found * WAD <= high
    if found > 0:
        assert sent(generic(decimals, rounding), "set(uint256)", price) == found


@given(
    st.integers(1, 10**18),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.sampled_from(["down", "up", "nearest"]),
    st.integers(0, 3 * 10**18),
)
def test_bounds__in_bps__are_as_strict_as_the_rounding_says(
    held: int, up: int, down: int, rounding: RoundingName, value: int
) -> None:
    bounds = Bounds(up_bps=up, down_bps=down, rounding=rounding)
    passes = all(finding.refusal is None for finding in check_bounds(bounds, held, value, None))
    part, whole = abs(value - held) * BPS, held * (up if value >= held else down)
    slack = {"up": 0, "down": held - 1, "nearest": (held + 1) // 2 - 1}[rounding]
    assert passes == (part <= whole + slack)


@given(st.integers(10**6, 10**21), st.integers(1, 3 * 10**21), st.integers(0, 200_000))
@case(10**18, 10**18 + 10**16, 82_800)
@case(10**18, 10**18 + 10**16 + 1, 82_800)
@case(10**18, 10**18 - 10**16, 82_799)
def test_ondo__declared_bounds_and_interval__decide_as_the_contract(previous: int, price: int, passed: int) -> None:
    ours = check_bounds(Bounds(up_bps=100, down_bps=100, rounding="up"), previous, price, None)
    change, wait, _ = ondo.guards(previous, Timestamp(1_000), price, Timestamp(1_000 + passed))
    assert all(finding.refusal is None for finding in ours) == change.passes
    assert abs(change_bps(previous, price, "up")) == change.value
    assert (passed >= 82_800) == wait.passes


@given(st.integers(10**5, 10**8), st.integers(0, 10**5), st.integers(0, 2 * 10**8))
def test_superstate__declared_delta__decides_as_the_contract(held: int, delta: int, value: int) -> None:
    latest = superstate.Checkpoint(Timestamp(10), Timestamp(20), held)
    new = superstate.Checkpoint(Timestamp(30), Timestamp(50), value)
    theirs = superstate.guards(latest, new, max_delta=delta, count=3, override=False, now=Timestamp(40))
    ours = check_bounds(Bounds(), held, value, delta)
    assert all(finding.use.passes for finding in ours) == all(use.passes for use in theirs[:2])


@given(st.integers(1, UINT96.maximum), st.integers(1, UINT96.maximum))
def test_veda_recovery__widened_bound__lets_the_rate_through_and_a_narrower_one_does_not(
    stored: int, rate: int
) -> None:
    bound = needed_bound(stored, rate)

    def within(upper: int, lower: int) -> bool:
        bounds = VedaBounds(stored, upper, lower, Timestamp(0), 0)
        return bounds.lowest <= rate <= bounds.highest

    if rate >= stored:
        assert within(max(bound, BPS), BPS)
        assert rate == stored or not within(bound - 1, BPS)
    else:
        assert within(BPS, bound)
        assert not within(BPS, bound + 1)
    assert (widening(VedaBounds(stored, BPS, BPS, Timestamp(0), 0), rate) is None) == (rate == stored)


@given(PRICES, st.integers(-(1 << 79), (1 << 79) - 1), st.integers(0, 2**40))
def test_midas_growth__every_post__says_answer_time_and_growth(price: int, growth: int, time: int) -> None:
    peer = MidasGrowthPeer.model_validate(BASE | {"decimals": 8, "growth_apr": growth})
    if price < 10**10:
        with pytest.raises(OutOfRange):
            peer.encode(fund_post(1, price), Timestamp(time))
        return
    data = peer.encode(fund_post(1, price), Timestamp(time))
    assert decode_result(("int256", "uint256", "int80"), data[4:]) == (price // 10**10, time, growth)
