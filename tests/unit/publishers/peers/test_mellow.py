"""The Mellow publishers: inverted prices in order, bands, suspicion and who accepts it, what a mined batch left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from navoracle.abi import encode_call
from navoracle.domain.errors import ConfigurationError, DomainError, OutOfRange, SourceRefused
from navoracle.domain.units import SCALES, WAD, Timestamp, Wad
from navoracle.publisher_port import Batch
from navoracle.publishers.peers import PeerModelUnion
from navoracle.publishers.peers.mellow import MellowPeer
from navoracle.publishers.peers.mellow_reporter import NATIVE
from navoracle.publishers.peers.mellow_reports import decode_reports
from navoracle.testing.fakes import drive, read_point
from tests.unit.publishers.peers.fake_mellow import (
    BTC,
    HOUR,
    NOW,
    ONE_DOLLAR,
    ORACLE,
    SENDER,
    USDC,
    WBTC,
    FakeMellow,
    held,
)
from tests.unit.publishers.posts import fund_post

SCALE = [0, 6, 8, 18, 27]
BOTH = pytest.mark.parametrize("submitter", [False, True])


def alone(decimals: int) -> MellowPeer:
    """A vault whose only asset is its unit of account."""
    asset = {"asset": "BASE", "token": USDC, "decimals": decimals}
    return MellowPeer.model_validate({"id": "m", "chain": "local", "contract": ORACLE, "assets": [asset]})


def price_of(peer: MellowPeer, pps: int) -> int:
    ((_, price),) = decode_reports(peer.encode(fund_post(pps=pps), Timestamp(NOW)))
    return price


def test_encode__one_to_one__is_1e30_for_a_dollar_of_6_decimals_and_1e18_for_one_of_18() -> None:
    assert price_of(alone(6), WAD) == 10**30
    assert price_of(alone(18), WAD) == 10**18


def test_encode__all_assets__base_first_and_in_units_of_their_own() -> None:
    batch = FakeMellow().batch(2 * WAD)
    # A share of two dollars: half as many shares for a dollar, and 40,000 times that for a bitcoin of 8 decimals.
    assert decode_reports(batch.data) == ((USDC.lower(), 10**30 // 2), (WBTC.lower(), 20_000 * 10**28))
    assert batch.data[:4] == encode_call("submitReports((address,uint224)[])", [])[:4]


def test_encode__base_off_its_peg__moves_the_base_and_leaves_the_others() -> None:
    cheap = FakeMellow().batch(WAD, prices={"USDC": Wad(WAD // 2), "WBTC": Wad(40_000 * WAD)})
    # A share of a dollar is two USDC; a bitcoin buys the 40,000 shares that it did.
    assert decode_reports(cheap.data) == ((USDC.lower(), 10**30 // 2), (WBTC.lower(), BTC))


def test_encode__price_missing__names_the_asset() -> None:
    assert FakeMellow().peer.priced_in == ("USDC", "WBTC")
    with pytest.raises(DomainError, match="WBTC"):
        FakeMellow().batch(prices={"USDC": Wad(WAD)})


@given(pps=st.integers(1, 10**30), more=st.integers(0, 10**20), decimals=st.sampled_from(SCALE))
def test_encode__any_share_price__is_inverted_and_rounded_down(pps: int, more: int, decimals: int) -> None:
    peer, unit = alone(decimals), int(SCALES[decimals])
    most = 10**54 // unit
    if pps > most:
        with pytest.raises(OutOfRange):
            price_of(peer, pps)
        return
    price = price_of(peer, pps)
    assert price * pps * unit <= 10**54 < (price + 1) * pps * unit
    if pps + more <= most:
        assert price_of(peer, pps + more) <= price


@pytest.mark.parametrize("decimals", SCALE)
def test_encode__last_price_that_fits_and_one_beyond__is_refused_beyond(decimals: int) -> None:
    peer, unit = alone(decimals), int(SCALES[decimals])
    largest = 10**54 // unit
    assert price_of(peer, largest) == 1
    with pytest.raises(OutOfRange):
        price_of(peer, largest + 1)
    # 1e54 is less than a uint224 holds: the smallest share price still fits.
    assert price_of(peer, 1) == 10**54 // unit
    for nothing in (0, -1):
        with pytest.raises(OutOfRange):
            price_of(peer, nothing)


def test_encode__other_asset_beyond_the_field__is_refused() -> None:
    with pytest.raises(OutOfRange, match="uint224"):
        FakeMellow().batch(1, prices={"USDC": Wad(1), "WBTC": Wad(10**40)})


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"base": "WBTC"}, "first"),
        ({"base": None}, "name it as `base`"),
        ({"assets": []}, "at least 1"),
        ({"assets": [{"asset": "USDC", "token": USDC}, {"asset": "USDC", "token": WBTC}]}, "twice"),
        ({"assets": [{"asset": "USDC", "token": USDC}, {"asset": "WBTC", "token": USDC}]}, "twice"),
    ],
)
def test_configuration__base_not_first_or_an_asset_twice__is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        FakeMellow(settings=changes).model  # noqa: B018


@BOTH
def test_resolve__all_assets_of_the_oracle__reads_their_decimals(submitter: bool) -> None:
    here = FakeMellow(submitter=submitter)
    assert not here.model.is_resolved
    resolved = drive(here.model.resolve(read_point(NOW)), here.chain().answer)
    assert resolved == here.peer
    assert resolved.is_resolved
    assert TypeAdapter(PeerModelUnion).validate_python(resolved.describe()) == resolved


def test_resolve__native_coin__has_18_decimals() -> None:
    assets = [{"asset": "USDC", "token": USDC}, {"asset": "ETH", "token": NATIVE}]
    here = FakeMellow(supported=(NATIVE, USDC), settings={"assets": assets})
    resolved = drive(here.model.resolve(read_point(NOW)), here.chain().answer)
    assert [one.decimals for one in resolved.assets] == [6, 18]


@pytest.mark.parametrize("supported", [(USDC,), (USDC, WBTC, ORACLE), ()])
def test_resolve__asset_left_out_or_unknown__is_refused(supported: Any) -> None:
    here = FakeMellow(supported=supported)
    with pytest.raises(SourceRefused, match="supports"):
        drive(here.model.resolve(read_point(NOW)), here.chain().answer)


def test_resolve__base_of_the_fees_not_first__is_refused() -> None:
    # The vault would take its fee once for each asset.
    here = FakeMellow(base_at_vault=WBTC)
    with pytest.raises(SourceRefused, match="base asset"):
        drive(here.model.resolve(read_point(NOW)), here.chain().answer)
    nobody = FakeMellow(base_at_vault="0x" + "0" * 40)  # type: ignore[arg-type]
    assert drive(nobody.model.resolve(read_point(NOW)), nobody.chain().answer).is_resolved


@BOTH
async def test_confirmed__trusted_report__is_the_share_price_in_the_base(submitter: bool) -> None:
    found = await FakeMellow(last=held(105 * WAD // 100, 50), submitter=submitter).confirmed()
    assert found is not None
    assert (found.nav, found.price_per_share, found.valuation_time) == (None, 105 * WAD // 100, NOW - 50)
    assert not found.held


async def test_confirmed__suspicious_report__is_held() -> None:
    found = await FakeMellow(last=held(2 * WAD, 50, suspicious=True)).confirmed()
    assert found is not None
    assert found.held


async def test_confirmed__no_report_yet__is_none() -> None:
    assert await FakeMellow(last={USDC: (0, 0, False), WBTC: (0, 0, False)}).confirmed() is None


@BOTH
async def test_preview__within_the_narrow_band__is_sent_with_every_guard_of_every_asset(submitter: bool) -> None:
    found = await FakeMellow(submitter=submitter).preview(101 * WAD // 100)
    assert (found.reason, found.send, found.role) == (None, True, None)
    names = ["timeout", "max_absolute_deviation", "max_relative_deviation"]
    names += ["suspicious_absolute_deviation", "suspicious_relative_deviation"]
    assert [guard.name for guard in found.guards] == [f"{asset}.{name}" for asset in ("USDC", "WBTC") for name in names]
    assert all(guard.passes for guard in found.guards)


@pytest.mark.parametrize(
    ("deviation", "reason"),
    [(WAD // 50, None), (WAD // 50 + 1, "suspicious"), (WAD // 5, "suspicious"), (WAD // 5 + 1, "invalid_price")],
)
async def test_preview__at_each_band_and_one_unit_beyond__is_what_the_oracle_would_do(
    deviation: int, reason: str | None
) -> None:
    # A base of 18 decimals, whose price of 1e18 has as many units as the relative limits.
    here = FakeMellow(last={USDC: (WAD, NOW - 2 * HOUR, False)}, supported=(USDC,), decimals={USDC: 18})
    here.settings = {"base": None, "assets": [{"asset": "BASE", "token": USDC}]}
    here.limits = (10**30, 10**30, WAD // 5, WAD // 50, HOUR, 1, 1)
    exact = next(batch for batch in batches_near(here, 10**36 // (WAD + deviation)) if base(batch) == WAD + deviation)
    found = await here.judged(exact)
    assert found.reason == reason
    assert [guard.value for guard in found.guards if guard.name.endswith("relative_deviation")] == [deviation] * 2


def batches_near(here: FakeMellow, pps: int) -> list[Batch]:
    return [here.batch(near) for near in range(pps - 2, pps + 3)]


def base(batch: Batch) -> int:
    """The base asset's price in a batch."""
    return decode_reports(batch.data)[0][1]


async def test_preview__beyond_the_wide_band__is_never_sent_for_the_whole_batch_reverts() -> None:
    found = await FakeMellow(settings={"send_suspicious": True}).preview(2 * WAD)
    assert (found.reason, found.send, found.role) == ("invalid_price", False, "SET_SECURITY_PARAMS_ROLE")
    assert "USDC, WBTC" in found.advice


async def test_preview__one_bad_asset__keeps_the_whole_batch_back_and_is_named() -> None:
    crash = {"USDC": Wad(WAD), "WBTC": Wad(20_000 * WAD)}
    found = await FakeMellow(settings={"send_suspicious": True}).preview(101 * WAD // 100, prices=crash)
    assert (found.reason, found.send) == ("invalid_price", False)
    assert "of WBTC is" in found.advice


@pytest.mark.parametrize("told", [False, True])
async def test_preview__suspicious__is_sent_only_when_told_and_names_the_role(told: bool) -> None:
    found = await FakeMellow(settings={"send_suspicious": told}).preview(110 * WAD // 100)
    assert (found.reason, found.send, found.role) == ("suspicious", told, "ACCEPT_REPORT_ROLE")
    assert "acceptReport(" in found.advice


@pytest.mark.parametrize("told", [False, True])
async def test_preview__first_report_of_an_asset__is_always_suspicious(told: bool) -> None:
    last = FakeMellow().last | {WBTC: (0, 0, False)}
    found = await FakeMellow(last=last, settings={"send_suspicious": told}).preview(101 * WAD // 100)
    assert (found.reason, found.send, found.role) == ("suspicious", told, "ACCEPT_REPORT_ROLE")
    assert "of WBTC would" in found.advice


@pytest.mark.parametrize("told", [False, True])
async def test_preview__unaccepted_suspicious_report__is_what_deviations_are_measured_against(told: bool) -> None:
    here = FakeMellow(last=held(110 * WAD // 100, 5, suspicious=True), settings={"send_suspicious": told})
    # Half an hour has not passed, and a suspicious report may be overwritten all the same.
    found = await here.preview(111 * WAD // 100)
    assert (found.reason, found.send, found.role) == ("suspicious_pending", told, "ACCEPT_REPORT_ROLE")
    price, time, _ = here.last[USDC]
    assert f"({USDC}, {price}, {time})" in found.advice
    # The right price is beyond the wide band of the wrong one.
    wrong = FakeMellow(last=held(2 * WAD, 5, suspicious=True), settings={"send_suspicious": told})
    assert (await wrong.preview(WAD)).reason == "invalid_price"


async def test_preview__same_suspicious_report_again__is_not_sent_for_its_acceptance_would_fail() -> None:
    # acceptReport names the report's time, which another report would move.
    here = FakeMellow(last=held(110 * WAD // 100, 5, suspicious=True), settings={"send_suspicious": True})
    found = await here.preview(110 * WAD // 100)
    assert (found.reason, found.send) == ("suspicious_pending", False)


@pytest.mark.parametrize(("age", "ready"), [(HOUR + 29, NOW + 1), (HOUR - 1, NOW + 31), (0, NOW + HOUR + 30)])
async def test_preview__timeout_of_one_asset__waits_with_the_margin(age: int, ready: int) -> None:
    last = FakeMellow().last | {WBTC: (BTC, NOW - age, False)}
    found = await FakeMellow(last=last).preview(101 * WAD // 100)
    assert (found.reason, found.send, found.ready_at) == ("too_early", False, ready)


@pytest.mark.parametrize(("age", "send"), [(86_399, False), (86_400, True)])
async def test_preview__prices_unchanged__wait_for_the_heartbeat(age: int, send: bool) -> None:
    found = await FakeMellow(last=held(WAD, age)).preview(WAD)
    assert (found.reason, found.send) == (None if send else "unchanged", send)


async def test_preview__heartbeat_of_one_asset_due__is_sent_for_all() -> None:
    last = held(WAD, 2 * HOUR) | {WBTC: (BTC, NOW - 86_400, False)}
    assert (await FakeMellow(last=last).preview(WAD)).send


async def test_preview__assets_of_the_oracle_changed__is_not_sent() -> None:
    assert (await FakeMellow(supported=(USDC, WBTC, ORACLE)).preview()).reason == "assets_changed"
    here = FakeMellow()
    batch, chain = here.batch(), here.chain()
    chain.revert(ORACLE, "getReport(address)", WBTC, data=encode_call("UnsupportedAsset(address)", WBTC))
    assert (await here.judged(batch, chain)).reason == "assets_changed"


@pytest.mark.parametrize("view", [(False, False), (True, True)])
async def test_preview__the_oracle_s_own_view_says_more__is_believed(view: tuple[bool, bool]) -> None:
    found = await FakeMellow(views={WBTC: view}).preview(101 * WAD // 100)
    assert (found.reason, found.send) == ("peer_refuses", False)
    assert "WBTC" in found.advice


async def test_preview__refused_by_the_setter__names_the_error_and_the_role() -> None:
    here = FakeMellow(settings={"sender": SENDER})
    here.reverts = {here.batch(101 * WAD // 100).data: encode_call("Forbidden()")}
    found = await here.preview(101 * WAD // 100)
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "DEFAULT_ADMIN_ROLE")
    assert "Forbidden" in found.advice
    assert "SUBMIT_REPORTS_ROLE" in found.advice


async def test_preview__newest_block_of_before_the_timeout__is_not_what_the_setter_is_asked_at() -> None:
    here = FakeMellow(settings={"sender": SENDER}, block_time=NOW - 60)
    here.reverts = {here.batch(101 * WAD // 100).data: encode_call("TooEarly(uint256,uint256)", 1, 2)}
    assert (await here.preview(101 * WAD // 100)).send


async def test_preview__post_of_another_configuration__is_refused() -> None:
    here = FakeMellow()
    swapped = encode_call("submitReports((address,uint224)[])", [(WBTC, BTC), (USDC, ONE_DOLLAR)])
    with pytest.raises(ConfigurationError):
        await here.judged(replace(here.batch(), data=swapped), here.chain())


async def test_read_back__all_reports_trusted__is_accepted() -> None:
    found = await FakeMellow(last=held(WAD, 0)).read_back(WAD)
    assert (found.accepted, found.reason) == (True, None)
    assert found.confirmed.price_per_share == WAD


async def test_read_back__suspicious__is_mined_and_not_accepted() -> None:
    last = held(WAD, 0)
    last[WBTC] = (last[WBTC][0], NOW, True)
    found = await FakeMellow(last=last).read_back(WAD)
    assert (found.accepted, found.reason, found.role) == (False, "suspicious", "ACCEPT_REPORT_ROLE")
    assert f"({WBTC}, {last[WBTC][0]}, {NOW})" in found.advice
    assert USDC not in found.advice


@pytest.mark.parametrize(
    ("pps", "age", "success", "reason"),
    [
        (WAD, 10, False, "reverted"),
        (WAD, 10, True, "missing"),
        (2 * WAD, 10, True, "missing"),
        (2 * WAD, 0, True, "superseded"),
    ],
)
async def test_read_back__not_in_the_state__is_not_accepted(pps: int, age: int, success: bool, reason: str) -> None:
    found = await FakeMellow(last=held(pps, age)).read_back(WAD, success=success)
    assert (found.accepted, found.reason) == (False, reason)


def test_acceptance__through_the_submitter__names_its_own_call() -> None:
    # Accepted at the oracle alone, the submitter's rate would stay behind.
    assert "acceptReports" in FakeMellow(submitter=True).peer.acceptance
    assert "submitter" not in FakeMellow().peer.acceptance


async def test_read_back__one_report_of_the_batch_not_there__is_missing() -> None:
    last = held(WAD, 0) | {WBTC: (BTC + 1, NOW - 10, False)}
    found = await FakeMellow(last=last).read_back(WAD)
    assert (found.accepted, found.reason) == (False, "missing")
