"""The registry's main rules, on the byte code that the package carries. Forge tests every rule at its edges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from web3 import Web3

from navoracle.abi import selector
from navoracle.chain.artifacts import signature_of
from tests.contracts.registry import (
    ADMIN,
    BACKUP,
    DAY,
    GUARDIAN,
    HOUR,
    MAX_POST_AGE,
    MINUTE,
    NAV,
    NOON,
    POSTER,
    RISK,
    VAULT,
    WAD,
    Chain,
    header,
    record,
    word,
)

STEP, DAY_DRIFT, TOO_EARLY, NOT_LIVE, BY_GUARDIAN, ZERO_PPS, NOT_NEWER, HELD, CONFIDENCE = (
    1 << bit for bit in range(9)
)
LIVE, STATUS_HELD, ESTIMATED = 1, 2, 4


@pytest.fixture(scope="module")
def shared() -> Chain:
    return Chain()


@pytest.fixture
def chain(shared: Chain) -> Iterator[Chain]:
    snapshot = shared.tester.take_snapshot()
    yield shared
    shared.tester.revert_to_snapshot(snapshot)


def test_constants__in_the_artifact__are_the_reasons_and_statuses(chain: Chain) -> None:
    reasons = {name: value for name, value in chain.constants.items() if name.startswith("REASON_")}
    assert reasons == {
        "REASON_STEP": STEP,
        "REASON_DAY_DRIFT": DAY_DRIFT,
        "REASON_TOO_EARLY": TOO_EARLY,
        "REASON_NOT_LIVE": NOT_LIVE,
        "REASON_GUARDIAN": BY_GUARDIAN,
        "REASON_ZERO_PPS": ZERO_PPS,
        "REASON_NOT_NEWER": NOT_NEWER,
        "REASON_HELD": HELD,
        "REASON_CONFIDENCE": CONFIDENCE,
    }
    statuses = [chain.constants[f"STATUS_{name}"] for name in ("LIVE", "HELD", "ESTIMATED")]
    assert statuses == [LIVE, STATUS_HELD, ESTIMATED]


def test_artifact__once_deployed__is_the_code_on_the_chain(chain: Chain) -> None:
    assert chain.artifact.is_code(bytes(chain.web3.eth.get_code(chain.registry.address)))


def test_selectors__in_dispatch_order__leave_post_one_within_its_gas_limit(chain: Chain) -> None:
    # The compiler compares a call with the selectors in ascending order, 22 gas each: see INavRegistry's notes.
    signatures = [signature_of(entry) for entry in chain.artifact.abi if entry["type"] == "function"]
    own = selector("postOne(uint256,bytes32)")
    selectors = [selector(signature) for signature in signatures]
    assert own in selectors
    assert sum(other < own for other in selectors) <= 11


@pytest.mark.parametrize("size", [27, 40, 92, 105])
def test_post__each_record_size__serves_the_record_and_logs_the_payload(chain: Chain, size: int) -> None:
    own = record(1, WAD + 1, nav=NAV + 7, confidence=88, estimated=True) + bytes(range(1, size - 26))
    chain.at(NOON + MINUTE)
    receipt = chain.send(POSTER, "post", header(NOON + MINUTE, size), b"\x11" * 32, own)
    assert chain.view("read", 1) == [NAV + 7, WAD + 1, NOON + MINUTE, 88, LIVE | ESTIMATED]
    (batch,) = chain.registry.events.NavBatch().process_receipt(receipt)
    assert batch["args"] == {"header": header(NOON + MINUTE, size), "evidenceRoot": b"\x11" * 32, "records": own}


def test_post_one__within_bounds__serves_what_post_would(chain: Chain) -> None:
    own = record(1, WAD * 21 // 20, confidence=70)
    chain.at(NOON + MINUTE)
    receipt = chain.send(POSTER, "postOne", word(own, NOON + MINUTE), b"\x22" * 32)
    (posted,) = chain.registry.events.NavPosted().process_receipt(receipt)
    assert posted["args"]["word"] == word(own, NOON + MINUTE)
    assert chain.view("read", 1) == [NAV, WAD * 21 // 20, NOON + MINUTE, 70, LIVE]


def test_post__bad_records_among_good_ones__never_stops_the_others(chain: Chain) -> None:
    chain.send(GUARDIAN, "hold", [4])
    refused = chain.post(
        NOON + MINUTE,
        record(1, 2 * WAD),
        record(999, WAD),
        record(2, WAD + 2),
        record(3, 0),
        record(4, WAD),
        record(5, WAD, confidence=101),
        record(5, WAD + 5),
    )
    assert refused == [
        ("NavHeld", 1, STEP | DAY_DRIFT),
        ("NavRejected", 999, NOT_LIVE),
        ("NavHeld", 3, ZERO_PPS),
        ("NavRejected", 4, HELD | BY_GUARDIAN),
        ("NavRejected", 5, CONFIDENCE),
    ]
    assert [chain.view("read", fund)[1] for fund in (1, 2, 3, 4, 5)] == [WAD, WAD + 2, WAD, WAD, WAD + 5]


def test_preview__before_a_post__foretells_it_and_changes_nothing(chain: Chain) -> None:
    now = chain.at(NOON + MINUTE)
    records = record(1, 2 * WAD) + record(2, WAD) + record(2, WAD) + record(77, WAD)
    assert chain.view("preview", header(now), records) == [STEP | DAY_DRIFT, 0, NOT_NEWER, NOT_LIVE]
    assert chain.view("read", 2)[2] == NOON
    receipt = chain.send(POSTER, "post", header(now), bytes(32), records)
    assert [reason for _, _, reason in chain.refusals(receipt)] == [STEP | DAY_DRIFT, NOT_NEWER, NOT_LIVE]


def test_post__repeated_late_or_early__is_ignored_and_the_fund_stays_free(chain: Chain) -> None:
    assert chain.post(NOON + MINUTE, record(1, WAD + 1)) == []
    again = NOON + MINUTE + 30
    chain.at(again)
    repeated = chain.send(POSTER, "post", header(NOON + MINUTE), bytes(32), record(1, 5 * WAD))
    early = chain.send(POSTER, "post", header(again), bytes(32), record(1, WAD))
    assert chain.refusals(repeated) == [("NavRejected", 1, NOT_NEWER)]
    assert chain.refusals(early) == [("NavRejected", 1, TOO_EARLY)]
    assert chain.view("read", 1) == [NAV, WAD + 1, NOON + MINUTE, 95, LIVE]


def test_post__batch_level_faults__revert_with_their_own_error(chain: Chain) -> None:
    now = chain.at(NOON + HOUR)
    good = record(1, WAD)
    faults = {
        "BadLength": (header(now, 28), good),
        "BadHeader": (header(now) | 1 << 8, good),
        "FutureHeader": (header(now + 1_000), good),
        "StaleHeader": (header(now - MAX_POST_AGE - 1_000), good),
    }
    for name, (own, records) in faults.items():
        assert chain.error(POSTER, "post", own, bytes(32), records) == name
    assert chain.error(POSTER, "post", header(now), bytes(32), good + b"\0") == "BadLength"
    assert chain.error(POSTER, "post", header(now), bytes(32), b"") == "BadLength"
    assert chain.error(RISK, "post", header(now), bytes(32), good) == "Unauthorized"
    chain.send(GUARDIAN, "setPaused", True)
    assert chain.error(POSTER, "post", header(now), bytes(32), good) == "Paused"


def test_day_drift__a_walk_of_small_steps__is_held_and_the_next_day_does_not_clear_it(chain: Chain) -> None:
    price = WAD
    for minute in (1, 2):
        price = price * 110 // 100
        assert chain.post(NOON + minute * MINUTE, record(1, price)) == []
    assert chain.post(NOON + 3 * MINUTE, record(1, price * 106 // 100)) == [("NavHeld", 1, DAY_DRIFT)]
    assert chain.post(NOON + DAY, record(1, price)) == [("NavRejected", 1, HELD | DAY_DRIFT)]
    assert chain.view("read", 1) == [NAV, price, NOON + 2 * MINUTE, 95, LIVE | STATUS_HELD]


def test_step_hold__a_post_within_bounds__clears_it(chain: Chain) -> None:
    assert chain.post(NOON + MINUTE, record(1, WAD * 12 // 10)) == [("NavHeld", 1, STEP)]
    assert chain.post(NOON + 2 * MINUTE, record(1, WAD + 3)) == []
    assert chain.view("read", 1) == [NAV, WAD + 3, NOON + 2 * MINUTE, 95, LIVE]
    assert chain.view("heldOf", 1) == [bytes(32), 0, 0, 0]


def test_accept__the_held_record_alone__is_served_with_its_own_time(chain: Chain) -> None:
    own, held_at = record(1, 3 * WAD), NOON + MINUTE
    chain.post(held_at, own)
    digest, first, reasons, since = chain.view("heldOf", 1)
    packed = header(held_at).to_bytes(32) + own + (STEP | DAY_DRIFT).to_bytes(32)
    assert (bytes(digest), first, reasons) == (bytes(Web3.keccak(packed)), STEP | DAY_DRIFT, STEP | DAY_DRIFT)
    assert since >= held_at
    chain.at(held_at + HOUR)
    assert chain.error(POSTER, "accept", 1, header(held_at), own) == "Unauthorized"
    assert chain.error(RISK, "accept", 1, header(held_at), record(1, 3 * WAD + 1)) == "RecordMismatch"
    receipt = chain.send(RISK, "accept", 1, header(held_at), own)
    assert len(chain.registry.events.NavAccepted().process_receipt(receipt)) == 1
    assert chain.view("read", 1) == [NAV, 3 * WAD, held_at, 95, LIVE]
    assert chain.view("readRaw", 1) >> 16 & 0xFFFF == 0


def test_guardian__stops_but_only_risk_resumes(chain: Chain) -> None:
    chain.send(GUARDIAN, "hold", [1, 2])
    assert chain.error(GUARDIAN, "release", [1]) == "Unauthorized"
    chain.send(RISK, "release", [1])
    assert chain.post(NOON + MINUTE, record(1, WAD), record(2, WAD)) == [("NavRejected", 2, HELD | BY_GUARDIAN)]
    chain.send(GUARDIAN, "setPaused", True)
    assert chain.error(GUARDIAN, "setPaused", False) == "Unauthorized"
    assert chain.error(VAULT, "ppsOrRevert", 1) == "Paused"
    chain.send(RISK, "setPaused", False)
    assert chain.view("ppsOrRevert", 1) == WAD


def test_discard__a_held_zero__frees_the_fund_and_accept_never_takes_it(chain: Chain) -> None:
    chain.post(NOON + MINUTE, record(1, 0))
    assert chain.error(RISK, "accept", 1, header(NOON + MINUTE), record(1, 0)) == "ZeroPps"
    chain.send(RISK, "discard", 1)
    assert chain.post(NOON + 2 * MINUTE, record(1, WAD)) == []


def test_roles__poster_with_risk_or_admin__is_refused_whichever_comes_first(chain: Chain) -> None:
    poster, risk, backup = (chain.accounts[account] for account in (POSTER, RISK, BACKUP))
    role = {name: chain.constants[f"ROLE_{name}"] for name in ("POSTER", "RISK", "ADMIN")}
    assert chain.error(ADMIN, "setRole", poster, role["RISK"]) == "BadRoles"
    assert chain.error(ADMIN, "setRole", backup, role["POSTER"] | role["ADMIN"]) == "BadRoles"
    assert chain.error(ADMIN, "replacePoster", risk) == "BadRoles"
    assert chain.error(ADMIN, "setRole", chain.accounts[ADMIN], role["RISK"]) == "BadRoles"
    chain.send(ADMIN, "setRole", backup, role["POSTER"])
    now = chain.at(NOON + MINUTE)
    chain.send(BACKUP, "post", header(now), bytes(32), record(1, WAD + 9))
    assert chain.view("read", 1)[1] == WAD + 9


def test_set_profile__bounds_beyond_the_drift_field__are_refused(chain: Chain) -> None:
    assert chain.error(ADMIN, "setProfile", 1, (1_000, 1_000, 3_277, 60, 3_600)) == "BadBounds"
    assert chain.error(POSTER, "setProfile", 0, (3_276, 3_276, 3_276, 1, 3_600)) == "Unauthorized"
    chain.send(ADMIN, "setProfile", 1, (3_276, 3_276, 3_276, 1, 3_600))
    chain.send(ADMIN, "assignProfile", 1, 1)
    assert chain.view("getProfile", 1) == (3_276, 3_276, 3_276, 1, 3_600)
    assert chain.post(NOON + MINUTE, record(1, WAD * 6_724 // 10_000)) == []
    assert chain.view("readRaw", 1) >> 16 & 0xFFFF == 0x10000 - 32_760


def test_closed_fund__is_ignored_until_reopened_with_a_newer_value(chain: Chain) -> None:
    chain.send(ADMIN, "closeFund", 1)
    assert chain.post(NOON + MINUTE, record(1, WAD)) == [("NavRejected", 1, NOT_LIVE)]
    assert chain.error(VAULT, "ppsOrRevert", 1) == "FundIsClosed"
    assert chain.error(ADMIN, "reopenFund", 1, NAV, WAD, NOON) == "BadOpening"
    chain.send(ADMIN, "reopenFund", 1, NAV, 7 * WAD, NOON + MINUTE)
    assert chain.view("read", 1) == [NAV, 7 * WAD, NOON + MINUTE, 0, LIVE | ESTIMATED]


def test_reads__of_unknown_funds__are_errors_and_raw_words_zero(chain: Chain) -> None:
    assert chain.error(VAULT, "read", 77) == "UnknownFund"
    assert chain.error(VAULT, "ppsOrRevert", 77) == "UnknownFund"
    assert chain.error(VAULT, "readRaw", 1 << 16) == "UnknownFund"
    assert chain.view("readMany", [77, 1]) == [0, chain.view("readRaw", 1)]
    assert chain.error(VAULT, "ppsOrRevert", 1) == "FundIsEstimated"


@settings(max_examples=15, phases=[Phase.generate])
@given(served=st.integers(1, 2**88 - 1), factor=st.integers(0, 20_000), wei=st.integers(-2, 2))
def test_preview__any_step__agrees_with_exact_integers(shared: Chain, served: int, factor: int, wei: int) -> None:
    posted = min(max(served * factor // 10_000 + wei, 0), 2**88 - 1)
    snapshot = shared.tester.take_snapshot()
    try:
        vault = shared.accounts[VAULT]
        shared.send(ADMIN, "registerFund", 9, vault, vault, 0, NAV, served, NOON)
        now = shared.at(NOON + HOUR)
        (reasons,) = shared.view("preview", header(now), record(9, posted))
    finally:
        shared.tester.revert_to_snapshot(snapshot)
    change = abs(posted - served) * 10_000
    expected = (STEP if change > 1_000 * served else 0) | (DAY_DRIFT if change > 2_500 * served else 0)
    assert reasons == (expected if posted else ZERO_PPS)
