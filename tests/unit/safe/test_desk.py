"""The desk: what is read before anything is signed, and what is not signed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from navoracle.chain.signers import EphemeralSigner
from navoracle.domain.errors import ConfigurationError, DomainError, GuardRefused, VerificationFailed
from navoracle.domain.units import Timestamp
from navoracle.ports import Answer, Call
from navoracle.safe import Placement, Standing, check_signatures, parse_proposal
from tests.unit.safe.office import (
    KEEPER,
    NOW,
    OTHER,
    SAFE,
    TARGET,
    FakeSafe,
    desk,
    post,
    purpose,
    revert_string,
)


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_propose__a_new_call__writes_one_signed_file(tmp_path: Path) -> None:
    outcome = await desk(FakeSafe(), tmp_path).propose([post()], purpose())
    assert (outcome.standing, outcome.transaction.nonce, outcome.expired) == (Standing.PROPOSED, 3, ())
    (file,) = files(tmp_path)
    assert str(file) == outcome.place
    found = parse_proposal(file.read_bytes(), file.name)
    check_signatures(found, file.name)
    assert found.transaction == outcome.transaction
    assert found.proposal.purpose == purpose()
    assert found.proposal.proposer == KEEPER.address


async def test_propose__the_same_again__names_the_one_that_waits(tmp_path: Path) -> None:
    safe = FakeSafe()
    first = await desk(safe, tmp_path).propose([post()], purpose())
    for value, slot in ((5, NOW + 900), (6, NOW)):  # the same data for another slot; another value for the same slot
        again = await desk(safe, tmp_path).propose([post(value)], purpose(slot))
        assert (again.standing, again.transaction, again.place) == (Standing.PENDING, first.transaction, first.place)
        assert again.purpose == purpose()
    assert len(files(tmp_path)) == 1


async def test_propose__twice_at_once__makes_one_proposal(tmp_path: Path) -> None:
    one = desk(FakeSafe(), tmp_path)
    found = await asyncio.gather(*(one.propose([post()], purpose()) for _ in range(4)))
    assert sorted(each.standing.value for each in found) == ["pending", "pending", "pending", "proposed"]


async def test_propose__something_else_for_the_next_slot__waits_behind_or_replaces_when_asked(tmp_path: Path) -> None:
    safe = FakeSafe()
    await desk(safe, tmp_path).propose([post()], purpose())
    second = await desk(safe, tmp_path).propose([post(6)], purpose(NOW + 60))
    assert (second.transaction.nonce, second.waits_behind) == (4, 1)
    third = await desk(safe, tmp_path).propose([post(7)], purpose(NOW + 120), place=3)
    assert (third.standing, third.transaction.nonce, third.waits_behind) == (Standing.PROPOSED, 3, 0)
    assert len(files(tmp_path)) == 3


@pytest.mark.parametrize(("clock", "good"), [(NOW + 899, True), (NOW + 900, False)])
async def test_propose__at_the_end_of_the_valuations_time__is_refused(tmp_path: Path, clock: int, good: bool) -> None:
    if good:
        await desk(FakeSafe(), tmp_path, clock).propose([post()], purpose())
        return
    with pytest.raises(GuardRefused, match="is not proposed"):
        await desk(FakeSafe(), tmp_path, clock).propose([post()], purpose())
    assert files(tmp_path) == []


async def test_propose__clock_behind_the_chain__goes_by_the_chain(tmp_path: Path) -> None:
    late = purpose(valuation_time=Timestamp(NOW - 900), valid_until=Timestamp(NOW - 12))
    with pytest.raises(GuardRefused):
        await desk(FakeSafe(), tmp_path, NOW - 100).propose([post()], late)


async def test_propose__after_one_expired__names_it_and_does_not_take_it_for_a_duplicate(tmp_path: Path) -> None:
    safe = FakeSafe()
    first = await desk(safe, tmp_path).propose([post()], purpose())
    later = NOW + 900
    fresh = purpose(NOW + 900, valuation_time=Timestamp(later), valid_until=Timestamp(later + 900))
    second = await desk(safe, tmp_path, later).propose([post(6)], fresh)
    assert (second.standing, second.transaction.nonce) == (Standing.PROPOSED, 4)
    assert [each.transaction for each in second.expired] == [first.transaction]

    replacing = desk(safe, tmp_path, later, placement=Placement.REPLACE_EXPIRED)
    third = await replacing.propose([post(7)], purpose(NOW + 960, valid_until=Timestamp(later + 960)))
    assert third.transaction.nonce == 3


async def test_propose__same_value_again_in_place_of_the_expired_one__renews_the_file(tmp_path: Path) -> None:
    safe = FakeSafe()
    first = await desk(safe, tmp_path).propose([post()], purpose())
    later = NOW + 900
    fresh = purpose(later, valuation_time=Timestamp(later), valid_until=Timestamp(later + 900))
    again = await desk(safe, tmp_path, later, placement=Placement.REPLACE_EXPIRED).propose([post()], fresh)
    assert (again.standing, again.transaction) == (Standing.PROPOSED, first.transaction)
    (file,) = files(tmp_path)
    assert parse_proposal(file.read_bytes(), "it").proposal.purpose == fresh


async def test_propose__slot_whose_proposal_was_executed__is_past(tmp_path: Path) -> None:
    safe = FakeSafe()
    await desk(safe, tmp_path).propose([post()], purpose())
    safe.at(4)
    again = await desk(safe, tmp_path).propose([post(6)], purpose())
    assert (again.standing, again.transaction.nonce) == (Standing.PAST, 3)
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("version", ["1.2.0", "1.1.1", "0.0.1", "", "2", "1.3.0.1"])
async def test_propose__to_an_older_safe__is_refused(tmp_path: Path, version: str) -> None:
    safe = FakeSafe()
    safe.put(SAFE, "VERSION()", (), ("string",), version)
    with pytest.raises(ConfigurationError, match=r"need 1\.3\.0 or later"):
        await desk(safe, tmp_path).propose([post()], purpose())


@pytest.mark.parametrize("version", ["1.3.0", "1.3.0+L2", "1.5.0", "2.0.0"])
async def test_propose__to_a_newer_safe__is_made(tmp_path: Path, version: str) -> None:
    safe = FakeSafe()
    safe.put(SAFE, "VERSION()", (), ("string",), version)
    assert (await desk(safe, tmp_path).propose([post()], purpose())).standing is Standing.PROPOSED


async def test_propose__safe_that_hashes_otherwise__signs_nothing(tmp_path: Path) -> None:
    safe = FakeSafe()
    safe.says_hash = bytes(31) + b"\1"
    with pytest.raises(VerificationFailed, match="hashes its transaction to"):
        await desk(safe, tmp_path).propose([post()], purpose())
    safe = FakeSafe()
    safe.put(SAFE, "domainSeparator()", (), ("bytes32",), bytes(32))
    with pytest.raises(ConfigurationError, match="another domain"):
        await desk(safe, tmp_path).propose([post()], purpose())
    assert files(tmp_path) == []


async def test_propose__call_that_reverts__is_refused_when_it_is_next(tmp_path: Path) -> None:
    safe = FakeSafe()
    safe.answers[TARGET, post().data] = Answer(revert_string("not the manager"), "call_reverted")
    with pytest.raises(GuardRefused, match="not the manager"):
        await desk(safe, tmp_path).propose([post()], purpose())
    asked = [call for call in safe.rounds[-1] if isinstance(call, Call)]
    assert asked == [Call(TARGET, post().data, direct=True, sender=SAFE)]
    await desk(safe, tmp_path).propose([post(6)], purpose())
    waits = await desk(safe, tmp_path).propose([post()], purpose(NOW + 60))
    assert waits.would_fail == "'not the manager'"


@pytest.mark.parametrize(
    ("owners", "threshold", "counts", "suffices"),
    [((KEEPER, OTHER), 2, True, False), ((KEEPER,), 1, True, True), ((OTHER,), 1, False, False)],
)
async def test_propose__by_its_place_among_the_owners__says_what_its_signature_is_worth(
    tmp_path: Path, owners: tuple[EphemeralSigner, ...], threshold: int, counts: bool, suffices: bool
) -> None:
    safe = FakeSafe(owners=tuple(owner.address for owner in owners))
    safe.put(SAFE, "getThreshold()", (), ("uint256",), threshold)
    outcome = await desk(safe, tmp_path).propose([post()], purpose())
    assert (outcome.counts, outcome.suffices) == (counts, suffices)


async def test_propose__nothing__is_refused(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="without a call"):
        await desk(FakeSafe(), tmp_path).propose([], purpose())


@pytest.mark.parametrize(
    "changes",
    [
        {"funds": ()},
        {"funds": ("a b",)},
        {"action": ""},
        {"slot": -1},
        {"slot": True},
        {"valid_until": 2**32},
        {"valid_until": NOW},
        {"sentences": ()},
        {"sentences": ("two\nlines",)},
        {"sentences": ("x" * 501,)},
    ],
)
def test_purpose__that_says_nothing_clear__is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DomainError):
        purpose(**changes)
