"""Verification: a real document is accepted, and no changed one ever is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.domain.breaker import Breaker, BreakerState, Role
from navoracle.domain.errors import ChainError, VerificationFailed
from navoracle.domain.fees import FeeState
from navoracle.domain.frame import EVIDENCE_FORMAT, NavFrame, NavStatus, ReadRecord
from navoracle.domain.prices import LastValid
from navoracle.domain.prior import (
    ConfirmedNav,
    FirstLook,
    FundPrior,
    PostBounds,
    Prior,
    PriorFrame,
    PriorPosition,
    PriorPrice,
    PriorRound,
    Sample,
)
from navoracle.domain.units import Bps, Timestamp, to_wad
from navoracle.keeper.collect import collect
from navoracle.keeper.evidence import canonical, evidence_hash, fund_document
from navoracle.keeper.frame import value_and_guard
from navoracle.keeper.merkle import leaf, root_and_proofs
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.pricing import price
from navoracle.keeper.verify import VerifiedFund, request_of, verify_document, verify_proof, verify_reads
from tests.unit.keeper.world import CHAIN, FEED, HOLDER, NOW, TOKEN, World, declared, frame_plan, fund, world

NUMBERS = {"cash": 1, "levered": 2, "mixed": 3}


def prior() -> Prior:
    """A prior of every kind of state."""
    return Prior(
        prices=(
            PriorPrice("USDC", "asset", LastValid(to_wad("0.99"), Bps(9_000), Timestamp(NOW - 600)), "p1"),
            PriorPrice("ETH", "asset", LastValid(to_wad("1990"), Bps(9_000), Timestamp(NOW - 600)), "p1"),
        ),
        samples=tuple(Sample("USDC", Timestamp(NOW - age), to_wad("1"), "s") for age in (1_700, 900, 60)),
        funds={
            "cash": FundPrior(
                confirmed=ConfirmedNav(
                    to_wad("500"), to_wad("0.5"), Timestamp(NOW - 3_600), held=False, block_number=9, frame="p1"
                ),
                fees=FeeState(to_wad("0.9"), Timestamp(NOW - 86_400)),
                positions=(PriorPosition("cash.usdc", to_wad("900"), "p1"),),
                distributions_per_share=to_wad("0.01"),
                first_look=FirstLook("p2", to_wad("1"), 99),
                last_frame=PriorFrame("p2", Timestamp(NOW - 12), to_wad("1"), {CHAIN: 99}),
                rebase="0xabc",
            )
        },
        rounds=(PriorRound("USDC.chainlink", Timestamp(NOW - 60), "p2"),),
    )


STOPPED = Breaker().open("second_frame_disagrees", Timestamp(NOW - 100))


def stopped_prior() -> Prior:
    """The cash fund's own breaker is half open, that of the mixed fund's ETH was opened by a guardian."""
    half_open = replace(STOPPED, state=BreakerState.HALF_OPEN, agreed=1)
    bounds = PostBounds(1_000, 1_000, 2_500)
    served = ConfirmedNav(
        to_wad("1000"), to_wad("0.95"), Timestamp(NOW - 3_600), held=False, block_number=9, frame="p1", bounds=bounds,
        day_drift=-300,
    )  # fmt: skip
    last = PriorFrame("p1", Timestamp(NOW - 3_600), to_wad("0.999"), {CHAIN: 90})
    return Prior(
        funds={"cash": FundPrior(confirmed=served, last_frame=last, breaker=half_open)},
        asset_breakers={"ETH": Breaker().open("odd", Timestamp(NOW - 5), Role.GUARDIAN)},
    )


def troubled() -> World:
    """A world with an outage of ETH, an outlier of USDC and a call that reverts."""
    found = world()
    del found.markets.rows["ETH.one"]
    found.quote("USDC.two", "1.2")
    found.chain.revert(TOKEN, "balanceOf(address)", HOLDER, data=b"\x01\x02\x03\x04")
    return found


def run(in_world: World, plan: FramePlan) -> NavFrame:
    return asyncio.run(in_world.frame(plan))


@cache
def frames() -> tuple[NavFrame, ...]:
    return (
        run(world(), frame_plan()),
        run(world(), frame_plan(prior=prior(), verifies="p2")),
        run(troubled(), frame_plan(prior=prior())),
        run(world(), frame_plan(prior=stopped_prior())),
    )


def documents() -> list[tuple[str, bytes]]:
    return [(name, document) for frame in frames() for name, document in frame.evidence.items()]


@cache
def small() -> bytes:
    """The shortest document there is: a fund of the unit of account."""
    plan = replace(frame_plan(), funds=(fund("f", 1, declared("f.usd", "USD", "cash", "7"), shares="7"),))
    return run(world(), plan).evidence["f"]


def proof_of(name: str, document: bytes) -> tuple[str, tuple[str, ...]]:
    """The root and proof under which the document would have been posted beside two others."""
    leaves = [leaf(NUMBERS.get(name, 1), evidence_hash(document)), leaf(8, bytes(32)), leaf(9, bytes(32))]
    root, proofs = root_and_proofs(leaves)
    return "0x" + root.hex(), tuple("0x" + node.hex() for node in proofs[0])


def accept(document: bytes, root: str, proof: tuple[str, ...]) -> VerifiedFund:
    """Verify as `navoracle verify` does: the document itself, then its place under the posted root."""
    verified = verify_document(document, plan_from_evidence)
    verify_proof(verified, root, proof)
    return verified


def refused(document: bytes, root: str, proof: tuple[str, ...]) -> VerificationFailed:
    with pytest.raises(VerificationFailed) as caught:
        accept(document, root, proof)
    return caught.value


def test_verify__every_real_document__is_accepted_and_says_what_the_frame_said() -> None:
    for frame in frames():
        for part in frame.funds:
            document = frame.evidence[part.fund]
            verified = accept(document, *proof_of(part.fund, document))
            valuation = part.valuation
            assert (verified.frame, verified.fund, verified.fund_id) == (frame.id, part.fund, NUMBERS[part.fund])
            assert (verified.status, verified.reason, verified.now) == (part.status, part.reason, frame.now)
            assert verified.nav == (None if valuation is None else valuation.after.nav)
            assert verified.price_per_share == (None if valuation is None else valuation.price_per_share)
            assert verified.evidence_hash == "0x" + evidence_hash(document).hex()
            assert canonical(verified.found) == canonical(part)


def test_verify__real_documents__cover_live_halted_and_verified_funds() -> None:
    found = {part.status for frame in frames() for part in frame.funds}
    assert {NavStatus.LIVE, NavStatus.VERIFIED, NavStatus.HALTED} <= found


@pytest.mark.parametrize("bit", [0, 7])
def test_verify__every_byte_of_a_document_flipped__is_refused(bit: int) -> None:
    document = small()
    root, proof = proof_of("f", document)
    accept(document, root, proof)
    for index in range(len(document)):
        changed = bytearray(document)
        changed[index] ^= 1 << bit
        refused(bytes(changed), root, proof)


@given(st.data())
def test_verify__any_bit_of_any_document_flipped__is_refused(data: st.DataObject) -> None:
    name, document = data.draw(st.sampled_from(documents()))
    root, proof = proof_of(name, document)
    changed = bytearray(document)
    changed[data.draw(st.integers(0, len(document) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    refused(bytes(changed), root, proof)


@given(st.data())
def test_verify__bytes_cut_out_or_put_in__are_refused(data: st.DataObject) -> None:
    name, document = data.draw(st.sampled_from(documents()))
    root, proof = proof_of(name, document)
    at, end = data.draw(st.tuples(st.integers(0, len(document)), st.integers(0, len(document))).map(sorted))
    changed = document[:at] + data.draw(st.binary(max_size=5)) + document[end:]
    if changed != document:
        refused(changed, root, proof)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a parsed document."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += paths(item, (*path, key))
    return found


stand_ins: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 1.5, "", "0", "-1", "1", "x", "0x", "0x1", "9" * 5_000, [], {}, [[]], ["1"], {"a": "1"}]
)


@settings(max_examples=300)
@given(st.data())
def test_verify__any_value_replaced_by_another_of_any_kind__is_refused(data: st.DataObject) -> None:
    name, document = data.draw(st.sampled_from(documents()))
    root, proof = proof_of(name, document)
    parsed = json.loads(document)
    path = data.draw(st.sampled_from(paths(parsed)))
    place = parsed
    for step in path[:-1]:
        place = place[step]
    if data.draw(st.booleans()):
        del place[path[-1]]
    else:
        place[path[-1]] = data.draw(stand_ins)
    changed = json.dumps(parsed, sort_keys=True, separators=(",", ":")).encode()
    if changed != document:
        assert refused(changed, root, proof).advice


@pytest.mark.parametrize("stand_in", [None, "x", "1", [], ["1"], {}, {"a": "1"}], ids=repr)
def test_verify__any_part_of_the_inputs_of_another_shape__is_refused(stand_in: object) -> None:
    document = small()
    root, proof = proof_of("f", document)
    for path in paths(json.loads(document)):
        if path[0] != "result" and len(path) <= 3:
            changed = json.loads(document)
            place = changed
            for step in path[:-1]:
                place = place[step]
            if place[path[-1]] != stand_in:
                place[path[-1]] = stand_in
                refused(canonical_json(changed), root, proof)


def test_verify__any_figure_of_the_result_changed__is_refused_by_the_document_alone() -> None:
    for document in (frames()[0].evidence["levered"], frames()[2].evidence["cash"]):
        parsed = json.loads(document)
        for path in paths(parsed["result"]):
            changed = json.loads(document)
            place = changed["result"]
            for step in path[:-1]:
                place = place[step]
            if isinstance(place[path[-1]], str):
                place[path[-1]] += "0"
                with pytest.raises(VerificationFailed):
                    verify_document(canonical_json(changed), plan_from_evidence)


def canonical_json(parsed: Any) -> bytes:
    return json.dumps(parsed, sort_keys=True, separators=(",", ":")).encode()


def changed_document(document: bytes, **changes: Any) -> bytes:
    return canonical_json({**json.loads(document), **changes})


def test_verify__an_answer_that_no_reader_asked_for__is_refused() -> None:
    document = frames()[0].evidence["cash"]
    reads = json.loads(document)["reads"]
    stray = {"chain": None, "kind": "recorded_row", "request": {"series": "zzz"}, "ok": True, "data": "0x"}
    changed = changed_document(document, reads=[*reads, stray])
    with pytest.raises(VerificationFailed, match="reads"):
        verify_document(changed, plan_from_evidence)


def test_verify__any_answer_missing__is_refused_and_named() -> None:
    document = frames()[0].evidence["mixed"]
    reads = json.loads(document)["reads"]
    for index in range(len(reads)):
        with pytest.raises(VerificationFailed, match="lacks the answer"):
            verify_document(changed_document(document, reads=reads[:index] + reads[index + 1 :]), plan_from_evidence)


def test_verify__answers_in_another_order_or_twice__are_refused() -> None:
    document = frames()[0].evidence["mixed"]
    reads = json.loads(document)["reads"]
    for other in (list(reversed(reads)), [*reads, reads[-1]]):
        with pytest.raises(VerificationFailed):
            verify_document(changed_document(document, reads=other), plan_from_evidence)


def test_verify__raw_balance_changed__says_what_no_longer_follows() -> None:
    document = frames()[0].evidence["cash"]
    balance = f"{1_000 * 10**6:064x}"
    assert balance.encode() in document
    changed = document.replace(balance.encode(), f"{2_000 * 10**6:064x}".encode())
    with pytest.raises(VerificationFailed, match=r"result\.fund\..* recorded as .* computed as"):
        verify_document(changed, plan_from_evidence)


def test_verify__guard_loosened_after_the_fact__is_refused() -> None:
    frame = frames()[2]
    document = frame.evidence["cash"]
    parsed = json.loads(document)
    parsed["result"]["fund"]["status"], parsed["result"]["fund"]["reason"] = "live", None
    with pytest.raises(VerificationFailed, match=r"result\.fund"):
        verify_document(canonical_json(parsed), plan_from_evidence)


def changed_prior(document: bytes, part: str, **changes: Any) -> bytes:
    """The document with other values in a part of its prior."""
    parsed = json.loads(document)
    place = parsed["prior"]
    for step in part.split("."):
        place = place[step]
    place.update(changes)
    return canonical_json(parsed)


def test_verify__stopped_funds__are_verified_as_halted_by_their_breakers() -> None:
    frame = frames()[3]
    found = {name: verify_document(document, plan_from_evidence).reason for name, document in frame.evidence.items()}
    assert found == {"cash": "breaker", "levered": None, "mixed": "asset_breaker:ETH"}
    cash = frame.fund("cash")
    assert cash.agrees is True
    assert cash.distance is not None
    assert (cash.distance.step, cash.distance.day) == (5_264, 4_964)


CLOSED: dict[str, Any] = {"state": "closed", "reasons": [], "since": None, "agreed": "0"}


@pytest.mark.parametrize(
    "changes",
    [
        CLOSED,
        {"state": "open", "agreed": "0"},
        {"agreed": "0"},
        {"agreed": "2"},
        {"reasons": ["native_halt"]},
        {"since": str(NOW)},
        {"needs_reset": True},
    ],
)
def test_verify__breaker_changed_after_the_fact__no_longer_gives_the_verdicts(changes: dict[str, Any]) -> None:
    changed = changed_prior(frames()[3].evidence["cash"], "fund.breaker", **changes)
    with pytest.raises(VerificationFailed, match=r"result\.fund"):
        verify_document(changed, plan_from_evidence)


def test_verify__asset_breaker_taken_out_or_loosened__no_longer_gives_the_verdicts() -> None:
    document = frames()[3].evidence["mixed"]
    without = json.loads(document)
    without["prior"]["asset_breakers"] = {}
    loosened = changed_prior(document, "asset_breakers.ETH", needs_reset=False)
    for changed in (canonical_json(without), loosened):
        with pytest.raises(VerificationFailed, match=r"result\.fund"):
            verify_document(changed, plan_from_evidence)


def test_verify__asset_breaker_of_an_asset_that_the_fund_does_not_need__is_refused() -> None:
    parsed = json.loads(frames()[3].evidence["levered"])
    parsed["prior"]["asset_breakers"] = json.loads(frames()[3].evidence["mixed"])["prior"]["asset_breakers"]
    with pytest.raises(VerificationFailed):
        verify_document(canonical_json(parsed), plan_from_evidence)


def test_verify__breaker_that_contradicts_itself__is_refused_as_unreadable() -> None:
    changed = changed_prior(frames()[3].evidence["cash"], "fund.breaker", reasons=[])
    with pytest.raises(VerificationFailed, match="cannot be computed again"):
        verify_document(changed, plan_from_evidence)


@pytest.mark.parametrize("rebase", [None, "0xdef"])
def test_verify__rebase_grant_changed_or_taken_out__is_refused(rebase: str | None) -> None:
    document = frames()[1].evidence["cash"]
    assert b"re-base granted by request 0xabc" in document
    with pytest.raises(VerificationFailed, match=r"result\.fund"):
        verify_document(changed_prior(document, "fund", rebase=rebase), plan_from_evidence)


def test_verify__rebase_granted_after_the_fact__is_refused() -> None:
    document = frames()[3].evidence["cash"]
    with pytest.raises(VerificationFailed, match=r"result\.fund"):
        verify_document(changed_prior(document, "fund", rebase="0xabc"), plan_from_evidence)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("fund.confirmed", {"day_drift": "-301"}),
        ("fund.confirmed", {"live": False}),
        ("fund.confirmed.bounds", {"up_bps": "999"}),
        ("fund.last_frame", {"price_per_share": "1"}),
        ("fund.last_frame.blocks", {CHAIN: "101"}),
    ],
)
def test_verify__what_the_forecast_and_agreement_rest_on_changed__is_refused(
    part: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(VerificationFailed, match=r"result\.fund"):
        verify_document(changed_prior(frames()[3].evidence["cash"], part, **changes), plan_from_evidence)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document + b"\n",
        lambda document: b" " + document,
        lambda document: document.replace(b'":', b'": ', 1),
        lambda document: json.dumps(json.loads(document)).encode(),
        lambda document: document.decode().encode("utf-16"),
    ],
)
def test_verify__same_content_in_another_form__is_refused(spoil: Any) -> None:
    with pytest.raises(VerificationFailed):
        verify_document(spoil(small()), plan_from_evidence)


def test_verify__key_given_twice__is_refused() -> None:
    document = small()
    assert document.startswith(b'{"clock":')
    with pytest.raises(VerificationFailed, match="canonical form"):
        verify_document(b'{"clock":"0",' + document[1:], plan_from_evidence)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b'{"format":"3"}', f"of format 3, and this navoracle verifies format {EVIDENCE_FORMAT} alone"),
        (b'{"format":"99"}', f"of format 99, and this navoracle verifies format {EVIDENCE_FORMAT} alone"),
        (b"{}", "names no format"),
        (b"[]", "names no format"),
    ],
)
def test_verify__document_of_another_format__says_which_and_which_is_read(document: bytes, told: str) -> None:
    with pytest.raises(VerificationFailed, match=told):
        verify_document(document, plan_from_evidence)


@pytest.mark.parametrize(
    "document", [b"", b"null", b"[]", b"{}", b"\xff", b"{", b'{"format":"3"}', b"[" * 100_000, b'{"format":"2"}']
)
def test_verify__not_a_document__is_refused(document: bytes) -> None:
    with pytest.raises(VerificationFailed):
        verify_document(document, plan_from_evidence)


async def test_verify__document_of_another_code_version__is_still_verified() -> None:
    here, plan = world(), frame_plan("cash")
    collected = await collect(plan, {CHAIN: here.chain}, here.markets, here.clock)
    prices = price(plan, collected.readings, collected.now)
    (found,) = value_and_guard(plan, collected, prices)
    document = fund_document("0011", plan, collected, prices, found, code_version="0.0.1")
    verified = verify_document(document, plan_from_evidence)
    assert (verified.code_version, verified.frame, verified.status) == ("0.0.1", "0011", NavStatus.LIVE)


def test_verify_proof__of_another_fund_or_root__is_refused() -> None:
    name, document = documents()[0]
    root, proof = proof_of(name, document)
    verified = verify_document(document, plan_from_evidence)
    verify_proof(verified, root, proof)
    for wrong_root, wrong_proof in ((proof_of(*documents()[1])[0], proof), (root, proof[1:]), (root, (root, *proof))):
        with pytest.raises(VerificationFailed, match="does not cover"):
            verify_proof(verified, wrong_root, wrong_proof)
    with pytest.raises(VerificationFailed, match="does not cover"):
        verify_proof(replace(verified, fund_id=verified.fund_id + 1), root, proof)


async def test_verify_reads__same_chain__agrees_on_every_answer() -> None:
    here = world()
    frame = await here.frame(frame_plan())
    verified = verify_document(frame.evidence["cash"], plan_from_evidence)
    assert await verify_reads(verified, here.chain, CHAIN) == len([r for r in verified.reads if r.chain == CHAIN]) == 4


async def test_verify_reads__chain_that_answers_otherwise__is_refused() -> None:
    here = world()
    frame = await here.frame(frame_plan())
    verified = verify_document(frame.evidence["cash"], plan_from_evidence)
    here.chain.put(TOKEN, "balanceOf(address)", (HOLDER,), ("uint256",), 1)
    with pytest.raises(VerificationFailed, match="answered 0x"):
        await verify_reads(verified, here.chain, CHAIN)


async def test_verify_reads__recorded_revert__must_revert_again() -> None:
    here = troubled()
    frame = await here.frame(frame_plan())
    verified = verify_document(frame.evidence["cash"], plan_from_evidence)
    assert await verify_reads(verified, here.chain, CHAIN) == 4
    with pytest.raises(VerificationFailed, match="recorded is 0x01020304"):
        await verify_reads(verified, world().chain, CHAIN)


async def test_verify_reads__what_the_node_did_not_answer_then__is_no_evidence_of_the_chain() -> None:
    here = world()
    frame = await here.frame(frame_plan())
    verified = verify_document(frame.evidence["cash"], plan_from_evidence)
    silent = tuple(
        replace(record, ok=False, data="0x", request={**record.request, "failure": "unavailable: node down"})
        if record.chain == CHAIN and record.request["target"] == FEED
        else record
        for record in verified.reads
    )
    assert await verify_reads(replace(verified, reads=silent), here.chain, CHAIN) == 2


async def test_verify_reads__block_that_left_the_chain__is_refused() -> None:
    frame = await world().frame(frame_plan())
    verified = verify_document(frame.evidence["cash"], plan_from_evidence)
    other = world().chain
    other.block = replace(other.block, hash="0x" + "11" * 32)
    with pytest.raises(VerificationFailed, match="not part of the chain"):
        await verify_reads(verified, other, CHAIN)


async def test_verify_reads__chain_that_the_frame_did_not_read__is_a_chain_error() -> None:
    frame = await world().frame(frame_plan())
    verified = verify_document(frame.evidence["cash"], plan_from_evidence)
    with pytest.raises(ChainError, match="read no chain named other"):
        await verify_reads(verified, world().chain, "other")


def test_request_of__unknown_kind__is_refused() -> None:
    with pytest.raises(VerificationFailed, match="unknown kind of read 'oracle'"):
        request_of(ReadRecord(None, "oracle", {}, ok=True, data="0x"))
