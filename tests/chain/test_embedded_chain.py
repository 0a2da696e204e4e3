"""The embedded chain: a node for reader and transactor, with a time that only its caller moves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from navoracle.abi import decode_result, encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.deploy import contract_address
from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.node import Pin
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import MULTICALL3
from navoracle.chain.rpc import NodeRefused
from navoracle.chain.transactions import LanePolicy, TransactionLane
from navoracle.clock import SystemClock
from navoracle.domain.errors import CallReverted, ChainError
from navoracle.domain.units import WAD, Timestamp
from navoracle.ports import Address, Answer, Call, ChainRequest, NativeBalance
from navoracle.storage import SqlStore
from navoracle.store_port import NewTransaction, TransactionKind, TransactionState

SET = "set(int256,uint256)"
LATEST = encode_call("latestAnswer()")


async def chain_with_feed(answer: int = 42) -> tuple[EmbeddedChain, Address]:
    chain = EmbeddedChain()
    feed = await chain.deploy("Feed", 8, "BTC/USD")
    await chain.transact(feed, encode_call(SET, answer, chain.now))
    return chain, feed


def number(answer: Answer) -> int:
    assert answer.failure is None
    return int(decode_result(("int256",), answer.data)[0])


async def ask(chain: EmbeddedChain, method: str, *params: object) -> Any:
    return await chain.endpoint.request(method, params)


@pytest.mark.parametrize("pin", ["hash", "number"])
async def test_reader__contracts_balances_and_failures__are_read_at_one_block(pin: Pin) -> None:
    chain, feed = await chain_with_feed()
    reader = chain.reader(pin=pin)
    at = await reader.stamp()
    requests: list[ChainRequest] = [
        Call(feed, LATEST),
        NativeBalance(chain.accounts[9]),
        Call(feed, b"\x01\x02\x03\x04"),
        Call(chain.accounts[5], LATEST),
        Call(feed, LATEST, direct=True),
        Call(feed, b"\x01\x02\x03\x04", direct=True),
    ]
    answers = await reader.read(requests, at)
    assert (number(answers[0]), number(answers[4])) == (42, 42)
    assert int.from_bytes(answers[1].data, "big") == 10**9 * WAD
    assert [answer.failure for answer in answers] == [
        None,
        None,
        "call_reverted",
        "empty_result",
        None,
        "call_reverted",
    ]


@pytest.mark.parametrize("pin", ["hash", "number"])
async def test_reader__chain_moved_on__still_reads_the_stamped_block(pin: Pin) -> None:
    chain, feed = await chain_with_feed()
    reader = chain.reader(pin=pin)
    at = await reader.stamp()
    await chain.transact(feed, encode_call(SET, 43, chain.now))
    assert number((await reader.read([Call(feed, LATEST)], at))[0]) == 42
    assert number((await reader.read([Call(feed, LATEST)], await reader.stamp()))[0]) == 43
    assert await reader.is_canonical(at)
    assert decode_result(("int256",), await reader.call(feed, LATEST)) == (43,)


async def test_reader__gated_feed__answers_a_direct_call_alone() -> None:
    chain, feed = await chain_with_feed()
    await chain.transact(feed, encode_call("setGated(bool)", True))
    reader = chain.reader()
    round_data = encode_call("latestRoundData()")
    answers = await reader.read([Call(feed, round_data), Call(feed, round_data, direct=True)], await reader.stamp())
    assert [answer.failure for answer in answers] == ["call_reverted", None]


async def test_reader__confirmations__stamp_an_older_block() -> None:
    chain, _ = await chain_with_feed()
    newest = await chain.reader().stamp()
    older = await chain.reader(finality=1).stamp()
    assert (older.number, older.hash) == (newest.number - 1, newest.parent_hash)


async def test_reader__a_thousand_calls__come_back_in_order() -> None:
    chain = EmbeddedChain()
    reader = chain.reader()
    at = await reader.stamp()
    accounts = [Address(f"0x{index:040x}") for index in range(1, 1_002)]
    answers = await reader.read([NativeBalance(account) for account in accounts], at)
    assert all(answer == Answer(bytes(32)) for answer in answers)
    assert len(answers) == 1_001


async def test_reader__stamp_of_an_unknown_block__raises() -> None:
    chain, feed = await chain_with_feed()
    reader = chain.reader()
    at = await reader.stamp()
    stranger = await EmbeddedChain(genesis_time=Timestamp(5)).reader().stamp()
    assert not await reader.is_canonical(stranger)
    with pytest.raises(ChainError, match="header not found"):
        await reader.read([Call(feed, LATEST)], stranger)
    assert at != stranger


async def test_reader__call_that_reverts__raises_its_message() -> None:
    chain, feed = await chain_with_feed()
    await chain.transact(feed, encode_call("setFailing(bool)", True))
    with pytest.raises(CallReverted, match="'No data present'"):
        await chain.reader().call(feed, encode_call("latestRoundData()"))


async def test_transactor__call_that_would_revert__is_refused_before_it_is_sent() -> None:
    chain, feed = await chain_with_feed()
    before = await ask(chain, "eth_blockNumber")
    with pytest.raises(CallReverted, match="no reason given"):
        await chain.transact(feed, b"\x01\x02\x03\x04")
    assert await ask(chain, "eth_blockNumber") == before


async def test_transactor__sent__is_mined_at_once_with_the_gas_that_it_used() -> None:
    chain, feed = await chain_with_feed()
    transactor = chain.transactor(3)
    signed = await transactor.prepare(feed, encode_call(SET, 44, chain.now))
    assert await transactor.receipt(signed.hash) is None
    await transactor.send(signed)
    receipt = await transactor.receipt(signed.hash)
    assert receipt is not None
    assert receipt.success
    newest = await chain.reader().stamp()
    assert (receipt.block_number, receipt.block_hash) == (newest.number, newest.hash)
    assert 40_000 < receipt.gas_used < 200_000


async def test_transactor__same_transaction_again__is_refused_by_the_chain() -> None:
    chain, feed = await chain_with_feed()
    transactor = chain.transactor()
    signed = await transactor.prepare(feed, encode_call(SET, 44, chain.now))
    await transactor.send(signed)
    with pytest.raises(NodeRefused, match="nonce"):
        await transactor.send(signed)


async def test_deploy__contract__stands_at_the_address_of_its_nonce() -> None:
    chain = EmbeddedChain()
    feed = await chain.deploy("Feed", 8, "A", sender=2)
    assert feed == contract_address(chain.accounts[2], 0)
    assert artifact("Feed").is_code(await chain.reader().code(feed))


async def test_mine__time_goes_forward__is_the_block_s_time() -> None:
    chain = EmbeddedChain(genesis_time=Timestamp(1_000))
    assert chain.now == 1_000
    chain.mine(Timestamp(5_000))
    assert (chain.now, (await chain.reader().stamp()).timestamp) == (5_000, 5_000)
    await chain.deploy("Feed", 8, "A")
    seen = await chain.reader().call(MULTICALL3, encode_call("getCurrentBlockTimestamp()"))
    assert (chain.now, int.from_bytes(seen, "big")) == (5_001, 5_001)


@pytest.mark.parametrize("at", [0, 999, 1_000])
async def test_mine__time_stands_still_or_goes_back__raises(at: int) -> None:
    with pytest.raises(ChainError, match="newest is of 1000"):
        EmbeddedChain(genesis_time=Timestamp(1_000)).mine(Timestamp(at))


async def test_chain__same_steps_twice__give_the_same_blocks() -> None:
    stamps = []
    for _ in range(2):
        chain, _ = await chain_with_feed()
        chain.mine(Timestamp(chain.now + 60))
        stamps.append(await chain.reader().stamp())
    assert stamps[0] == stamps[1]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_mine", []),
        ("eth_call", [{"to": "0x" + "11" * 20}, {"blockHash": "0x" + "11" * 32, "requireCanonical": True}]),
        ("eth_getBalance", ["0x" + "11" * 20, "0x1000"]),
        ("eth_sendRawTransaction", ["0x02c0"]),
        ("eth_sendRawTransaction", ["0x"]),
    ],
)
async def test_endpoint__what_it_cannot_answer__is_refused_as_a_node_would(
    method: str, params: Sequence[object]
) -> None:
    with pytest.raises(NodeRefused):
        await ask(EmbeddedChain(), method, *params)


async def test_endpoint__estimate__suffices_and_is_not_wasteful() -> None:
    chain, feed = await chain_with_feed()
    data = encode_call(SET, 45, chain.now)
    call = {"from": chain.accounts[0], "to": feed, "data": "0x" + data.hex()}
    estimate = int(await ask(chain, "eth_estimateGas", call), 16)
    receipt = await chain.transact(feed, data)
    assert receipt.gas_used <= estimate <= receipt.gas_used * 13 // 10


async def test_endpoint__unknown_block_and_transaction__are_null() -> None:
    chain = EmbeddedChain()
    assert await ask(chain, "eth_getBlockByNumber", "0x1000", False) is None
    assert await ask(chain, "eth_getBlockByHash", "0x" + "11" * 32, False) is None
    assert await ask(chain, "eth_getTransactionReceipt", "0x" + "11" * 32) is None


async def test_endpoint__known_block__is_found_by_hash() -> None:
    chain = EmbeddedChain()
    at = await chain.reader().stamp()
    found = await ask(chain, "eth_getBlockByHash", at.hash, False)
    assert (found["number"], found["hash"]) == (hex(at.number), at.hash)


async def test_chain__transactions__take_milliseconds() -> None:
    chain, feed = await chain_with_feed()
    start = time.process_time()
    for answer in range(10):
        await chain.transact(feed, encode_call(SET, answer, chain.now))
    # About 25 ms each on a small machine; ten times that says that something became slow, not that the machine is.
    assert (time.process_time() - start) / 10 < 0.25


async def test_endpoint__call_with_too_little_gas__ends_as_it_would_in_a_block() -> None:
    chain, feed = await chain_with_feed()
    call = {"from": chain.accounts[0], "to": feed, "data": "0x" + encode_call(SET, 44, chain.now).hex()}
    estimate = int(await ask(chain, "eth_estimateGas", call), 16)
    assert await ask(chain, "eth_call", {**call, "gas": hex(estimate)}, "latest") == "0x"
    with pytest.raises(NodeRefused) as short:
        await ask(chain, "eth_call", {**call, "gas": hex(estimate // 2 + 21_000 // 2)}, "latest")
    assert short.value.in_execution
    with pytest.raises(NodeRefused, match="intrinsic gas too low") as nothing:
        await ask(chain, "eth_call", {**call, "gas": hex(21_000)}, "latest")
    assert nothing.value.out_of_gas


async def test_endpoint__fee_history__has_one_base_fee_more_than_blocks() -> None:
    chain, _ = await chain_with_feed()
    history = await ask(chain, "eth_feeHistory", "0x2", "latest", [50])
    assert len(history["baseFeePerGas"]) == 3
    assert history["reward"] == [[hex(10**9)]] * 2
    newest = await ask(chain, "eth_getBlockByNumber", "latest", False)
    assert history["baseFeePerGas"][1] == newest["baseFeePerGas"]
    assert len((await ask(chain, "eth_feeHistory", "0x400", "latest", [50]))["reward"]) == int(newest["number"], 16) + 1


async def test_lane__on_the_embedded_chain__confirms_a_post_and_names_a_revert(tmp_path: Path) -> None:
    chain, feed = await chain_with_feed()
    pool = NodePool.of(chain.endpoint, chain="embedded", chain_id=chain.chain_id, finality=0)
    balance = int(await ask(chain, "eth_getBalance", chain.accounts[1], "latest"), 16)
    with SqlStore.open(f"sqlite:///{tmp_path / 'lane.db'}") as store:
        lane = TransactionLane(
            pool=pool,
            signer=chain.signers[1],
            store=store,
            clock=SystemClock(),
            chain="embedded",
            chain_id=chain.chain_id,
            policy=LanePolicy(post_confirmations=0),
            owner="keeper",
        )
        assert await lane.open()
        good, bad = [
            await lane.add(NewTransaction(name, TransactionKind.POST, feed, data))
            for name, data in (("good", encode_call(SET, 44, chain.now)), ("bad", b"1234"))
        ]
        await lane.submit(good)
        with pytest.raises(CallReverted):
            await lane.submit(bad)
        await lane.tick()
        row = store.find_transaction(good)
        assert row.state is TransactionState.CONFIRMED
        assert store.find_transaction(bad).state is TransactionState.FAILED
        assert balance - int(await ask(chain, "eth_getBalance", chain.accounts[1], "latest"), 16) == row.fee_paid
        assert (await lane.status()).next_nonce == 1
        await lane.close()
    reader = chain.reader()
    assert number((await reader.read([Call(feed, LATEST)], await reader.stamp()))[0]) == 44
