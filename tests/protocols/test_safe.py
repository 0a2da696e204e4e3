"""Proposals against the Safe's own contracts: what the keeper signs is what the Safe hashes, takes and executes."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navoracle.abi import encode_call
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.reverts import describe_revert
from navoracle.cli.main import run
from navoracle.composition.safe import safe_proposer
from navoracle.config.safe import SafeSection
from navoracle.domain.errors import ConfigurationError, GuardRefused
from navoracle.lane_port import ProposedCall
from navoracle.safe import (
    Placement,
    ProposalFolder,
    SafeCall,
    SafeTransaction,
    Standing,
    examine,
    parse_proposal,
    read_safe,
)
from navoracle.safe.transaction import transaction_of
from navoracle.testing import FixedClock
from tests.protocols.chain import CHAIN_ID, Chain, NodeError
from tests.protocols.safe_world import (
    KEEPER,
    KEYS,
    RELEASES,
    STRANGER,
    WAD,
    SafeWorld,
    address_of,
    owner_signature,
    reader_of,
)
from tests.requirements import needs_node

pytestmark = needs_node

_HASH = "getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)"
_WORD = st.integers(0, 2**256 - 1)
_ADDRESS = st.binary(min_size=20, max_size=20).map(lambda raw: address_of(raw.rjust(32, b"\1")))


@pytest.fixture(scope="module", params=RELEASES)
def world(chain: Chain, request: pytest.FixtureRequest) -> Iterator[SafeWorld]:
    before = chain.rpc("evm_snapshot")
    yield SafeWorld(chain, request.param)
    chain.rpc("evm_revert", before)


@pytest.fixture
async def reader(chain: Chain) -> AsyncIterator[Web3ChainReader]:
    reader = reader_of(chain)
    yield reader
    await reader.close()


def the_file(folder: Path) -> Path:
    (found,) = (path for path in folder.iterdir() if path.suffix == ".json")
    return found


@given(
    to=_ADDRESS,
    numbers=st.tuples(_WORD, _WORD, _WORD, _WORD, _WORD),
    data=st.binary(max_size=200),
    operation=st.sampled_from([0, 1]),
    others=st.tuples(_ADDRESS, _ADDRESS),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hash__of_any_transaction__is_the_safes_own(
    world: SafeWorld, to: Any, numbers: Any, data: bytes, operation: int, others: Any
) -> None:
    nonce, value, gas, base, price = numbers
    made = SafeTransaction(CHAIN_ID, world.safe, nonce, to, value, data, operation, gas, base, price, *others)
    assert world.chain.view(world.safe, _HASH, ("bytes32",), *made.fields().values()) == made.digest


async def test_read_safe__of_each_release__says_version_owners_and_nonce(
    world: SafeWorld, reader: Web3ChainReader
) -> None:
    state = await read_safe(reader, world.safe, await reader.newest())
    assert (state.version, state.nonce, state.threshold) == (world.version, 0, 2)
    assert set(state.owners) == {address_of(key) for key in KEYS}


async def test_read_safe__of_a_contract_that_is_none__is_refused(world: SafeWorld, reader: Web3ChainReader) -> None:
    for address in (world.registry, world.multisend, world.chain.accounts[1]):
        with pytest.raises(ConfigurationError, match="no Safe"):
            await read_safe(reader, address, await reader.newest())


async def test_propose__then_an_owner_signs__is_executed_and_posted(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    valued = world.chain.time
    outcome = await world.desk(reader, tmp_path).propose([world.post()], world.purpose())
    assert (outcome.standing, outcome.waits_behind, outcome.counts) == (Standing.PROPOSED, 0, True)
    assert not outcome.suffices
    file = the_file(tmp_path)
    assert file.name == f"{CHAIN_ID}-{world.safe}-0-{outcome.transaction.id}.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    signed = parse_proposal(file.read_bytes(), file.name)
    signatures = {KEEPER.address: signed.signature.to_bytes()}
    with pytest.raises(NodeError, match="GS020"):  # one of two signatures
        world.execute(signed.transaction, signatures)
    signatures[address_of(KEYS[1])] = owner_signature(KEYS[1], signed.transaction)
    world.execute(signed.transaction, signatures)
    assert (world.posted(), world.nonce()) == (valued, 1)

    again = await world.desk(reader, tmp_path).propose([world.post(WAD + 1)], world.purpose())
    assert (again.standing, again.transaction.id) == (Standing.PAST, outcome.transaction.id)


async def test_propose__by_a_key_that_is_no_owner__has_a_signature_that_does_not_count(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    outcome = await world.desk(reader, tmp_path, STRANGER).propose([world.post()], world.purpose())
    assert not outcome.counts
    owners = {address_of(key): owner_signature(key, outcome.transaction) for key in KEYS[1:]}
    world.execute(outcome.transaction, owners)
    assert world.nonce() == 1


async def test_propose__two_calls__are_made_together_or_not_at_all(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    valued = world.chain.time
    hold = SafeCall(world.registry, encode_call("hold(uint256[])", [7]))  # which the Safe has no role for
    desk = world.desk(reader, tmp_path)
    with pytest.raises(GuardRefused):
        await desk.propose([world.post(), hold], world.purpose())
    assert list(tmp_path.iterdir()) == []

    token = world.post(valued=valued - 1)
    both = await desk.propose([token, world.post(valued=valued)], world.purpose())
    assert (both.transaction.operation, both.transaction.to) == (1, world.multisend)
    owners = {address_of(key): owner_signature(key, both.transaction) for key in KEYS[:2]}
    world.execute(both.transaction, owners)
    # The registry takes one post a minute: the second call rejects its record, and both were made.
    assert (world.posted(), world.nonce()) == (valued - 1, 1)


async def test_propose__delegate_call_of_another_contract__is_refused(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    desk = world.desk(reader, tmp_path, multisend=world.registry)
    with pytest.raises(ConfigurationError, match="no MultiSendCallOnly"):
        await desk.propose([world.post(), world.post()], world.purpose())
    with pytest.raises(ConfigurationError, match="no contract"):
        await desk.propose([SafeCall(world.chain.accounts[3], world.post().data)], world.purpose())
    with pytest.raises(ConfigurationError, match="no MultiSendCallOnly is configured"):
        await world.desk(reader, tmp_path, multisend=None).propose([world.post(), world.post()], world.purpose())
    assert list(tmp_path.iterdir()) == []


async def test_propose__what_would_revert__is_refused_when_next_and_told_when_it_waits(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    desk = world.desk(reader, tmp_path)
    stale = world.post(valued=world.chain.time - 1_000)
    with pytest.raises(GuardRefused, match="StaleHeader"):
        await desk.propose([stale], world.purpose())
    await desk.propose([world.post()], world.purpose())
    waits = await desk.propose([stale], world.purpose(2))
    assert (waits.transaction.nonce, waits.waits_behind) == (1, 1)
    assert waits.would_fail is not None
    assert waits.would_fail.startswith("StaleHeader(")


async def test_propose__after_the_first_expired__takes_its_place_when_asked_to(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    first = await world.desk(reader, tmp_path).propose([world.post()], world.purpose())
    world.chain.travel(901)
    desk = world.desk(reader, tmp_path, placement=Placement.REPLACE_EXPIRED)
    second = await desk.propose([world.post()], world.purpose(2))
    assert (second.standing, second.transaction.nonce) == (Standing.PROPOSED, 0)
    assert [found.transaction.id for found in second.expired] == [first.transaction.id]
    with pytest.raises(NodeError):  # the Safe executes it, and the registry refuses the old value
        world.execute(first.transaction, {address_of(key): owner_signature(key, first.transaction) for key in KEYS[:2]})
    world.execute(second.transaction, {address_of(key): owner_signature(key, second.transaction) for key in KEYS[:2]})
    assert world.nonce() == 1


async def test_examine__through_the_life_of_a_proposal__says_what_speaks_against_it(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    calls = [world.post(valued=world.chain.time - 1), world.post()]
    outcome = await world.desk(reader, tmp_path).propose(calls, world.purpose())
    signed = parse_proposal(the_file(tmp_path).read_bytes(), "it")

    async def wrong() -> set[str]:
        found = await examine(signed, "it", world.chain.time, reader, describe_revert)  # type: ignore[arg-type]
        return {check.name for check in found.checks if not check.good}

    assert await wrong() == set()
    world.chain.travel(950)
    assert await wrong() == {"expiry", "simulation"}
    other = transaction_of([world.post()], chain_id=CHAIN_ID, safe=world.safe, nonce=0, multisend=None)
    world.execute(other, {address_of(key): owner_signature(key, other) for key in KEYS[:2]})
    assert "nonce" in await wrong()
    assert outcome.transaction.nonce < world.nonce()


async def test_show__on_the_command_line__is_good_until_it_is_executed(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.desk(reader, tmp_path).propose([world.post()], world.purpose())
    file = str(the_file(tmp_path))
    signed = parse_proposal(Path(file).read_bytes(), file)
    capsys.readouterr()
    assert await asyncio.to_thread(run, ["safe", "show", file, "--rpc", world.chain.url, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["good"]
    assert {check["check"] for check in found["checks"]} == {
        "signatures", "expiry", "safe", "nonce", "proposer", "hash", "target", "simulation",
    }  # fmt: skip
    assert found["safe_now"]["owners"]
    owners = {address_of(key): owner_signature(key, signed.transaction) for key in KEYS[:2]}
    world.execute(signed.transaction, owners)
    assert await asyncio.to_thread(run, ["safe", "show", file, "--rpc", world.chain.url, "--json"]) == 3
    assert "used up" in json.loads(capsys.readouterr().out)["error"]["message"]


async def test_proposer__of_a_configured_safe__proposes_a_post_once_and_the_safe_executes_it(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    section = SafeSection.model_validate({"address": world.safe, "folder": tmp_path, "multisend": world.multisend})
    proposer = safe_proposer(section, reader, KEEPER, FixedClock(world.chain.time))
    assert proposer is not None
    assert safe_proposer(None, reader, KEEPER, FixedClock(world.chain.time)) is None
    valued, post, purpose = world.chain.time, world.post(), world.purpose()
    call = ProposedCall(
        "post",
        post.to,
        post.data,
        purpose.funds,
        purpose.sentences,
        purpose.slot,
        purpose.valuation_time,
        purpose.valid_until,
    )
    place = await proposer.propose(call)
    signed = parse_proposal(the_file(tmp_path).read_bytes(), "it")
    assert place == f"proposed at nonce 0 of {world.safe}: {signed.transaction.id}"
    assert (await proposer.propose(call)).startswith("pending at nonce 0 of ")
    second = owner_signature(KEYS[2], signed.transaction)
    world.execute(signed.transaction, {KEEPER.address: signed.signature.to_bytes(), address_of(KEYS[2]): second})
    assert (world.posted(), world.nonce(), proposer.address) == (valued, 1, world.safe)
    assert (await proposer.propose(call)).startswith("past at nonce 0 of ")


async def test_folder__with_a_file_of_another_name__is_refused(
    world: SafeWorld, reader: Web3ChainReader, tmp_path: Path
) -> None:
    outcome = await world.desk(reader, tmp_path).propose([world.post()], world.purpose())
    file = the_file(tmp_path)
    shutil.copy(file, file.with_name(file.name.replace("-0-", "-1-")))
    state = await read_safe(reader, world.safe, await reader.newest())
    with pytest.raises(ConfigurationError, match=outcome.transaction.id):
        await ProposalFolder(tmp_path).known(state)
