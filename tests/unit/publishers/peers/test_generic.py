"""The publisher of declared setters: its guards, bounds, waits and read-back, each as declared and no other way."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.abi import argument_types, decode_result, selector
from navoracle.domain.errors import OutOfRange
from navoracle.domain.prior import PostBounds
from navoracle.domain.units import WAD, Bps, Wad
from navoracle.publishers.peers import GenericPeer
from tests.unit.addresses import address
from tests.unit.publishers.peers.desk import NOW, Desk, message
from tests.unit.publishers.posts import fund_post

ORACLE, TOKEN, SENDER, ADMIN = (address(number) for number in range(1, 5))
PRICE, LAST = WAD, NOW - 1_000 - 30
SET = selector("set(int256)")

DECLARED: dict[str, Any] = {
    "id": "declared",
    "chain": "local",
    "contract": ORACLE,
    "signature": "set(int256)",
    "arguments": [{"value": "price_per_share", "scale": 18}],
    "held_view": {"signature": "get()", "returns": ["int256", "uint256"], "index": 0, "time_index": 1},
    "role": "SETTER",
    "advice": "Ask the setter.",
}


def peer(**changes: Any) -> GenericPeer:
    return GenericPeer.model_validate(DECLARED | changes)


def guard(expect: str = "equals", **changes: Any) -> dict[str, Any]:
    view = {"signature": "paused()", "returns": ["bool"]}
    return {"name": "paused", "view": view, "expect": expect} | changes


def desk(model: GenericPeer | None = None, *, held: int = PRICE, time: int = LAST) -> Desk:
    """A contract that holds 1.0 since a good quarter of an hour."""
    found = Desk(peer() if model is None else model)
    hold(found, held, time)
    return found


def hold(at: Desk, held: int, time: int) -> None:
    at.put(ORACLE, "get()", ["int256", "uint256"], held, time)


def arguments(at: Desk, valuation_time: int = NOW - 60, **changes: Any) -> tuple[Any, ...]:
    data = at.batch(fund_post(1, **changes), valuation_time).data
    assert isinstance(at.peer, GenericPeer)
    assert data[:4] == selector(at.peer.signature)
    return decode_result(argument_types(at.peer.signature), data[4:])


class TestEncoding:
    """What each argument is filled with."""

    def test_encode__every_value__is_what_the_post_says(self) -> None:
        model = peer(
            signature="set(uint128,uint256,uint256,uint64,uint64,uint16,address,bytes16,bool,string)",
            arguments=[
                {"value": "price_per_share", "scale": 6, "rounding": "nearest"},
                {"value": "nav", "scale": 2, "rounding": "up"},
                {"value": "nav_before", "scale": 0},
                {"value": "valuation_time"},
                {"value": "valuation_time", "offset": -5},
                {"value": "confidence"},
                {"value": "literal", "literal": ADMIN},
                {"value": "literal", "literal": "0x" + "ab" * 16},
                {"value": "literal", "literal": True},
                {"value": "literal", "literal": "usd"},
            ],
            held_view=DECLARED["held_view"] | {"argument": 0},
        )
        post: dict[str, Any] = {
            "pps": WAD + 10**12 // 2,
            "nav": Wad(5 * WAD + 1),
            "nav_before": Wad(7 * WAD - 1),
            "confidence": Bps(9_400),
        }
        assert arguments(desk(model), 1_000, **post) == (
            10**6 + 1,
            501,
            6,
            1_000,
            995,
            9_400,
            ADMIN.lower(),
            b"\xab" * 16,
            True,
            "usd",
        )

    @pytest.mark.parametrize(("rounding", "value"), [("down", 1), ("up", 2), ("nearest", 2)])
    def test_encode__half_a_unit__is_rounded_as_declared(self, rounding: str, value: int) -> None:
        model = peer(arguments=[{"value": "price_per_share", "scale": 0, "rounding": rounding}])
        assert arguments(desk(model), pps=3 * WAD // 2) == (value,)
        assert arguments(desk(model), pps=WAD) == (1,)

    def test_encode__just_under_half_a_unit__is_not_rounded_up_to_the_nearest(self) -> None:
        model = peer(arguments=[{"value": "price_per_share", "scale": 0, "rounding": "nearest"}])
        assert arguments(desk(model), pps=3 * WAD // 2 - 1) == (1,)

    def test_encode__zero__is_never_sent(self) -> None:
        with pytest.raises(OutOfRange, match="price_per_share is 0 at 0 decimals"):
            desk(peer(arguments=[{"value": "price_per_share", "scale": 0}])).batch(fund_post(1, WAD - 1))

    def test_encode__value_beyond_its_type__names_the_argument(self) -> None:
        model = peer(signature="set(uint64)")
        assert arguments(desk(model), pps=(1 << 64) - 1) == ((1 << 64) - 1,)
        with pytest.raises(OutOfRange, match="argument 0, price_per_share is 18446744073709551616"):
            desk(model).batch(fund_post(1, 1 << 64))

    def test_encode__base_asset__divides_by_its_price(self) -> None:
        assert arguments(desk(peer(base="ETH")), pps=3 * WAD, prices={"ETH": Wad(2 * WAD)}) == (3 * WAD // 2,)


class TestBounds:
    """Steps from the held value, and the range."""

    @pytest.mark.parametrize(
        ("bounds", "held", "most"),
        [
            ({"up_bps": 100, "rounding": "up"}, 10**6, 10**6 + 10**4),
            ({"up_bps": 100, "rounding": "down"}, 10**6, 10**6 + 10**4 + 99),
            ({"up_bps": 100, "rounding": "nearest"}, 10**6, 10**6 + 10**4 + 49),
            ({"delta": 7}, 10**6, 10**6 + 7),
            ({"maximum": 10**6 + 3}, 10**6, 10**6 + 3),
        ],
    )
    async def test_preview__at_the_upper_bound_and_one_unit_beyond__is_judged_by_the_declared_rounding(
        self, bounds: dict[str, Any], held: int, most: int
    ) -> None:
        at = desk(peer(bounds=bounds), held=held)
        assert (await at.preview(most)).send
        found = await at.preview(most + 1)
        assert (found.reason, found.send, found.role, found.advice) == (
            {"up_bps": "upper_bound", "delta": "upper_delta", "maximum": "maximum"}[next(iter(bounds))],
            False,
            "SETTER",
            "Ask the setter.",
        )

    @pytest.mark.parametrize(
        ("bounds", "least"),
        [
            ({"down_bps": 100, "rounding": "up"}, 10**6 - 10**4),
            ({"down_bps": 100}, 10**6 - 10**4 - 99),
            ({"delta": 7}, 10**6 - 7),
            ({"minimum": 10**6 - 3}, 10**6 - 3),
        ],
    )
    async def test_preview__at_the_lower_bound_and_one_unit_beyond__is_judged_likewise(
        self, bounds: dict[str, Any], least: int
    ) -> None:
        at = desk(peer(bounds=bounds), held=10**6)
        assert (await at.preview(least)).send
        assert (await at.preview(least - 1)).reason in ("lower_bound", "lower_delta", "minimum")

    async def test_preview__delta_that_the_contract_says__is_read_from_it(self) -> None:
        view = {"view": {"signature": "delta()", "returns": ["uint256"]}}
        at = desk(peer(bounds={"delta_view": view}), held=10**6)
        at.put(ORACLE, "delta()", ["uint256"], 11)
        assert (await at.preview(10**6 + 11)).send
        assert (await at.preview(10**6 + 12)).reason == "upper_delta"

    @pytest.mark.parametrize("held", [0, -5])
    async def test_preview__nothing_held_that_a_change_could_be_of__is_not_posted(self, held: int) -> None:
        at = desk(peer(bounds={"up_bps": 100}), held=held)
        found = await at.preview(WAD)
        assert (found.reason, found.send) == ("no_baseline", False)
        assert "by hand" in found.advice

    async def test_confirmed__bounds_in_bps_both_ways__are_told(self) -> None:
        for bounds, told in (
            ({"up_bps": 100, "down_bps": 50}, PostBounds(100, 50, 100)),
            ({"up_bps": 100}, None),
            ({"delta": 1}, None),
        ):
            found = await desk(peer(bounds=bounds)).confirmed()
            assert found is not None
            assert found.bounds == told


class TestGuards:
    """Views that must answer as declared."""

    @pytest.mark.parametrize(("paused", "send"), [(False, True), (True, False)])
    async def test_preview__paused_must_be_false__stops_where_it_is_true(self, paused: bool, send: bool) -> None:
        at = desk(peer(guards=[guard(value=False)]))
        at.put(ORACLE, "paused()", ["bool"], paused)
        found = await at.preview(PRICE + 1)
        assert (found.send, found.reason) == (send, None if send else "paused")
        assert [use.passes for use in found.guards if use.name == "paused"] == [send]

    async def test_preview__guard_with_a_role_of_its_own__names_that_one(self) -> None:
        at = desk(peer(guards=[guard(value=False, role="GUARDIAN", advice="unpause()")]))
        at.put(ORACLE, "paused()", ["bool"], True)
        found = await at.preview(PRICE + 1)
        assert (found.role, found.advice) == ("GUARDIAN", "unpause()")

    @pytest.mark.parametrize(
        ("expect", "value", "answers"),
        [
            ("equals", 7, {7: True, 8: False}),
            ("differs", 7, {7: False, 8: True}),
            ("at_least", 7, {6: False, 7: True}),
            ("at_most", 7, {7: True, 8: False}),
        ],
    )
    async def test_preview__comparison__is_exact(self, expect: str, value: int, answers: dict[int, bool]) -> None:
        view = {"signature": "level()", "returns": ["address", "uint256"]}
        at = desk(peer(guards=[guard(expect, view=view, index=1, value=value)]))
        for answer, passes in answers.items():
            at.put(ORACLE, "level()", ["address", "uint256"], ADMIN, answer)
            assert (await at.preview(PRICE + 1)).send is passes

    async def test_preview__address_that_must_equal__is_compared_whatever_its_case(self) -> None:
        at = desk(peer(guards=[guard(view={"signature": "owner()", "returns": ["address"]}, value=ADMIN)]))
        at.put(ORACLE, "owner()", ["address"], ADMIN)
        assert (await at.preview(PRICE + 1)).send
        at.put(ORACLE, "owner()", ["address"], SENDER)
        assert not (await at.preview(PRICE + 1)).send

    async def test_preview__own_preview_of_the_contract__is_asked_with_what_is_posted(self) -> None:
        view = {"signature": "check(int256)", "returns": ["bool"], "arguments": [{"posted": 0}]}
        at = desk(peer(guards=[guard(view=view, value=True)]))
        at.chain.put(ORACLE, "check(int256)", (PRICE + 1,), ["bool"], True)
        at.chain.put(ORACLE, "check(int256)", (PRICE + 2,), ["bool"], False)
        assert (await at.preview(PRICE + 1)).send
        assert not (await at.preview(PRICE + 2)).send

    async def test_preview__view_that_must_not_revert_or_must__is_judged_so(self) -> None:
        for expect, answered in (("answers", True), ("reverts", False)):
            at = desk(peer(guards=[guard(expect)]))
            at.put(ORACLE, "paused()", ["bool"], True)
            assert (await at.preview(PRICE + 1)).send is answered
            at.chain.revert(ORACLE, "paused()")
            assert (await at.preview(PRICE + 1)).send is not answered

    async def test_preview__comparison_with_a_view_that_reverts__fails(self) -> None:
        at = desk(peer(guards=[guard(value=False)]))
        at.chain.revert(ORACLE, "paused()")
        assert (await at.preview(PRICE + 1)).reason == "paused"

    @pytest.mark.parametrize(("strict", "extra"), [(False, 0), (True, 1)])
    async def test_preview__delay_after_a_time__is_waited_out_with_the_margin(self, strict: bool, extra: int) -> None:
        view = {"signature": "updatedAt()", "returns": ["uint64"]}
        at = desk(peer(guards=[guard("passed", view=view, delay=100, strict=strict)]))
        ready_at = NOW + 1
        at.put(ORACLE, "updatedAt()", ["uint64"], ready_at - 30 - extra - 100)
        found = await at.preview(PRICE + 1)
        assert (found.reason, found.send, found.ready_at) == ("too_early", False, ready_at)
        at.at(ready_at)
        assert (await at.preview(PRICE + 1)).send

    async def test_preview__view_of_another_contract__is_asked_there(self) -> None:
        at = desk(
            peer(guards=[guard(view={"signature": "paused()", "returns": ["bool"], "contract": ADMIN}, value=False)])
        )
        at.put(ADMIN, "paused()", ["bool"], False)
        assert (await at.preview(PRICE + 1)).send


class TestWaiting:
    """The interval, the heartbeat, and times among the arguments."""

    @pytest.mark.parametrize(("strict", "seconds"), [(False, 1_000), (True, 999)])
    async def test_preview__interval__is_waited_out_with_the_margin(self, strict: bool, seconds: int) -> None:
        at = desk(peer(interval={"seconds": seconds, "strict": strict}))
        assert (await at.preview(PRICE + 1)).send
        hold(at, PRICE, LAST + 1)
        found = await at.preview(PRICE + 1)
        assert (found.reason, found.send, found.ready_at) == ("too_early", False, NOW + 1)

    async def test_preview__breach_while_waiting__is_told_before_the_wait(self) -> None:
        at = desk(peer(interval={"seconds": 5_000}, bounds={"up_bps": 100}))
        assert (await at.preview(2 * PRICE)).reason == "upper_bound"

    async def test_preview__unchanged__waits_for_the_heartbeat(self) -> None:
        at = desk(peer(heartbeat=1_031))
        assert (await at.preview(PRICE)).reason == "unchanged"
        hold(at, PRICE, LAST - 1)
        assert (await at.preview(PRICE)).send

    @pytest.mark.parametrize(
        ("must_be", "first", "latest"), [("before_block", NOW + 31, NOW - 11), ("not_after_block", NOW + 30, NOW - 10)]
    )
    async def test_preview__time_of_after_the_newest_block__waits(self, must_be: str, first: int, latest: int) -> None:
        at = desk(timed(must_be), time=NOW - 500)
        at.at(NOW, block=NOW - 10)
        found = await at.preview(PRICE + 1, NOW)
        assert (found.reason, found.send, found.ready_at) == ("too_early", False, first)
        assert (await at.preview(PRICE + 1, latest)).send
        assert (await at.preview(PRICE + 1, latest + 1)).reason == "too_early"
        at.at(first, block=NOW - 10)
        assert (await at.preview(PRICE + 1, NOW)).send

    async def test_preview__time_that_must_lie_ahead__needs_the_margin_until_it_is_mined(self) -> None:
        at = desk(timed("not_before_block", offset=100), time=NOW - 500)
        assert (await at.preview(PRICE + 1, NOW - 70)).send
        found = await at.preview(PRICE + 1, NOW - 71)
        assert (found.reason, found.send) == ("expired", False)
        assert "value again" in found.advice

    async def test_preview__time_that_the_contract_holds_already__is_not_posted_back_in_time(self) -> None:
        at = desk(timed("not_after_block"), time=NOW - 60)
        assert (await at.preview(PRICE + 1, NOW - 60)).reason == "not_newer"
        assert (await at.preview(PRICE + 1, NOW - 59)).send


def timed(must_be: str, offset: int = 0) -> GenericPeer:
    """A setter that takes the time of the value, which the contract keeps."""
    return peer(
        signature="set(int256,uint64)",
        arguments=[*DECLARED["arguments"], {"value": "valuation_time", "must_be": must_be, "offset": offset}],
        held_view=DECLARED["held_view"] | {"time": "argument", "time_argument": 1},
    )


class TestSimulation:
    """The call as its sender."""

    async def test_preview__sender_that_the_contract_refuses__is_told_by_the_declared_error(self) -> None:
        at = desk(peer(sender=SENDER, errors=["NotSetter(address)"]))
        at.chain.refusals[SET] = selector("NotSetter(address)") + bytes(12) + bytes.fromhex(SENDER[2:])
        found = await at.preview(PRICE + 1)
        assert (found.reason, found.send, found.role) == ("peer_refuses", False, "SETTER")
        assert f"NotSetter({SENDER.lower()})" in found.advice

    async def test_preview__block_of_before_the_wait_was_over__is_not_simulated_in(self) -> None:
        at = desk(peer(sender=SENDER, interval={"seconds": 1_000}))
        at.chain.refusals[SET] = message("too soon")
        at.at(NOW, block=LAST + 999)
        assert (await at.preview(PRICE + 1)).send
        assert at.chain.simulated == []
        at.at(NOW, block=LAST + 1_000)
        found = await at.preview(PRICE + 1)
        assert found.reason == "peer_refuses"
        assert "'too soon'" in found.advice

    async def test_preview__held_view_that_reverts__posts_nothing(self) -> None:
        at = desk(peer(errors=["Stale()"]))
        at.chain.revert(ORACLE, "get()", data=selector("Stale()"))
        found = await at.preview(PRICE + 1)
        assert (found.reason, found.send, found.role) == ("unreadable", False, "SETTER")
        assert "Stale()" in found.advice
        assert await at.confirmed() is None


class TestReadBack:
    """What became of a post."""

    @pytest.mark.parametrize(
        ("held", "time", "success", "reason"),
        [
            (PRICE + 1, NOW, True, None),
            (PRICE + 2, NOW, True, "superseded"),
            (PRICE + 1, NOW - 1, True, "missing"),
            (PRICE, LAST, False, "reverted"),
        ],
    )
    async def test_read_back__time_of_the_block__must_be_that_of_the_post(
        self, held: int, time: int, success: bool, reason: str | None
    ) -> None:
        found = await desk(held=held, time=time).read_back(PRICE + 1, success=success)
        assert (found.accepted, found.reason) == (reason is None, reason)
        assert found.confirmed.price_per_share == held

    async def test_read_back__time_of_the_value__must_be_that_of_the_post(self) -> None:
        for time, reason in ((NOW - 60, None), (NOW - 61, "missing"), (NOW - 59, "superseded")):
            found = await desk(timed("not_after_block"), held=PRICE + 1, time=time).read_back(PRICE + 1, NOW - 60)
            assert found.reason == reason

    async def test_read_back__guard_that_fails_after_the_post__is_held_and_names_the_role(self) -> None:
        at = desk(peer(guards=[guard(value=False, after_post=True)]), held=PRICE + 1, time=NOW)
        at.put(ORACLE, "paused()", ["bool"], True)
        found = await at.read_back(PRICE + 1)
        assert (found.accepted, found.reason, found.role) == (False, "paused", "SETTER")
        assert found.confirmed.held
        at.put(ORACLE, "paused()", ["bool"], False)
        found = await at.read_back(PRICE + 1)
        assert (found.accepted, found.confirmed.held, found.role) == (True, False, None)

    async def test_read_back__contract_that_holds_nothing__is_missing(self) -> None:
        at = desk(held=0, time=0)
        found = await at.read_back(PRICE)
        assert (found.reason, found.confirmed.valuation_time, found.confirmed.nav) == ("missing", 0, None)

    async def test_read_back__posts_found_elsewhere__are_looked_for_there(self) -> None:
        place = {"view": {"signature": "latest()", "returns": ["uint256"]}, "plus": 1}
        view = {"signature": "at(uint256)", "returns": ["int256", "uint256"], "arguments": [{"result": place}]}
        at = desk(peer(posted_view=view | {"index": 0, "time_index": 1}))
        at.put(ORACLE, "latest()", ["uint256"], 4)
        at.chain.revert(ORACLE, "at(uint256)", 5)
        assert (await at.read_back(PRICE + 1)).reason == "missing"
        at.chain.put(ORACLE, "at(uint256)", (5,), ["int256", "uint256"], PRICE + 1, NOW)
        found = await at.read_back(PRICE + 1)
        assert (found.accepted, found.confirmed.price_per_share) == (True, PRICE)

    async def test_confirmed__time_of_another_view__is_read_there(self) -> None:
        held = {"signature": "price()", "returns": ["int256"], "index": 0, "time_index": 0}
        at = desk(peer(held_view=held | {"time_view": {"signature": "updatedAt()", "returns": ["uint64"]}}))
        at.put(ORACLE, "price()", ["int256"], PRICE + 5)
        at.put(ORACLE, "updatedAt()", ["uint64"], NOW - 9)
        found = await at.confirmed()
        assert found is not None
        assert (found.price_per_share, found.valuation_time, found.nav) == (PRICE + 5, NOW - 9, None)

    async def test_confirmed__held_nav__is_a_price_by_the_share_tokens_supply(self) -> None:
        model = peer(arguments=[{"value": "nav", "scale": 6}], shares=TOKEN)
        at = desk(model, held=3_000_001)
        at.put(TOKEN, "decimals()", ["uint8"], 6)
        at.put(TOKEN, "totalSupply()", ["uint256"], 2_000_000)
        found = await at.confirmed()
        assert found is not None
        assert (found.nav, found.price_per_share) == (3_000_001 * 10**12, 3_000_001 * 10**12 // 2)
        at.put(TOKEN, "totalSupply()", ["uint256"], 0)
        assert await at.confirmed() is None

    async def test_confirmed__held_price_with_a_share_token__has_a_nav(self) -> None:
        at = desk(peer(shares=TOKEN), held=PRICE + 7)
        at.put(TOKEN, "decimals()", ["uint8"], 18)
        at.put(TOKEN, "totalSupply()", ["uint256"], 10 * WAD)
        found = await at.confirmed()
        assert found is not None
        assert found.nav == 10 * (PRICE + 7)
