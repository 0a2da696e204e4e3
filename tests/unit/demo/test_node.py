"""The demo's chain as a node: what it answers to every method, to what is malformed, and to whom it answers at all."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from navoracle.abi import encode_call
from navoracle.chain.embedded import CHAIN_ID, EmbeddedChain
from navoracle.chain.logs import parse_log
from navoracle.demo.node import LARGEST_BATCH, LARGEST_REQUEST, node_app
from navoracle.domain.errors import CallReverted
from navoracle.domain.units import Timestamp
from navoracle.ports import Address

HOST: Final = "http://127.0.0.1:8545"
SENT: Final = encode_call("transfer(address,uint256)", "0x" + "11" * 20, 7)


class Node:
    """A chain with a token that was minted and moved once, and a client of its node."""

    def __init__(self) -> None:
        self.chain = EmbeddedChain()
        self.token, self.receipt = asyncio.run(self._deploy())
        self.client = TestClient(node_app(self.chain.endpoint), base_url=HOST, raise_server_exceptions=True)

    async def _deploy(self) -> tuple[Address, str]:
        token = await self.chain.deploy("Token", "USDC", "USDC", 6)
        await self.chain.transact(token, encode_call("mint(address,uint256)", self.chain.accounts[0], 100))
        return token, (await self.chain.transact(token, SENT)).hash

    def post(self, body: object, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.post("/", content=content, headers={"content-type": "application/json", **headers})

    def ask(self, method: str, *params: object) -> Any:
        answer = self.post({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}).json()
        assert answer["jsonrpc"] == "2.0"
        assert answer["id"] == 7
        return answer

    def result(self, method: str, *params: object) -> Any:
        return self.ask(method, *params)["result"]

    def error(self, method: str, *params: object) -> Any:
        return self.ask(method, *params)["error"]


@pytest.fixture(scope="module")
def node() -> Node:
    return Node()


# ---- methods


def test_methods__about_the_chain_and_its_head__are_what_the_chain_is(node: Node) -> None:
    assert node.result("eth_chainId") == hex(CHAIN_ID)
    assert node.result("net_version") == str(CHAIN_ID)
    assert node.result("web3_clientVersion").startswith("navoracle/")
    assert node.result("eth_syncing") is False
    assert node.result("eth_accounts") == []
    head = node.result("eth_getBlockByNumber", "latest", False)
    assert head["number"] == node.result("eth_blockNumber")
    assert int(head["timestamp"], 16) == node.chain.now
    assert node.result("eth_getBlockByHash", head["hash"], False) == head
    assert node.result("eth_getBlockByNumber", hex(10**6), False) is None
    assert node.result("eth_getBlockByHash", "0x" + "00" * 32, False) is None


def test_fees__of_recent_blocks__follow_their_base_fee(node: Node) -> None:
    base = int(node.result("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    tip = int(node.result("eth_maxPriorityFeePerGas"), 16)
    assert int(node.result("eth_gasPrice"), 16) == base + tip
    history = node.result("eth_feeHistory", "0x2", "latest", [10, 90])
    assert int(history["baseFeePerGas"][-2], 16) == base
    assert [hex(tip)] * 2 == history["reward"][0]
    assert all(isinstance(ratio, float) and 0 <= ratio <= 1 for ratio in history["gasUsedRatio"])


def test_transaction__mined__is_found_with_receipt_block_and_logs(node: Node) -> None:
    sender, token = node.chain.accounts[0], node.token
    found = node.result("eth_getTransactionByHash", node.receipt)
    receipt = node.result("eth_getTransactionReceipt", node.receipt)
    assert (found["from"], found["to"], found["input"]) == (sender, token, "0x" + SENT.hex())
    assert receipt["status"] == "0x1"
    assert receipt["blockHash"] == found["blockHash"]
    assert receipt["contractAddress"] is None
    block = node.result("eth_getBlockByHash", found["blockHash"], True)
    assert block["transactions"] == [found]
    (log,) = receipt["logs"]
    assert parse_log(log) is not None
    assert log["address"] == token
    assert int(log["data"], 16) == 7
    assert node.result("eth_getTransactionByHash", "0x" + "00" * 32) is None
    assert node.result("eth_getTransactionReceipt", "0x" + "00" * 32) is None


def test_receipt__of_a_creation__names_the_contract(node: Node) -> None:
    first = node.result("eth_getBlockByNumber", "0x1", False)["transactions"][0]
    assert node.result("eth_getTransactionReceipt", first)["contractAddress"] == node.token


def test_logs__by_address_and_topic__are_those_alone(node: Node) -> None:
    (log,) = node.result("eth_getTransactionReceipt", node.receipt)["logs"]
    whole = {"fromBlock": "earliest", "toBlock": "latest"}
    mine = node.result("eth_getLogs", {**whole, "address": node.token})
    assert len(mine) == 2  # minted, moved
    assert node.result("eth_getLogs", {**whole, "address": [node.token], "topics": [None, None, log["topics"][2]]}) == [
        log
    ]
    assert node.result("eth_getLogs", {**whole, "topics": [log["topics"][0]]}) == mine
    assert node.result("eth_getLogs", {"blockHash": log["blockHash"]}) == [log]
    assert node.result("eth_getLogs", {**whole, "address": node.chain.accounts[5]}) == []
    assert node.result("eth_getLogs", {**whole, "topics": [None, None, None, log["topics"][2]]}) == []
    assert node.error("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "blockHash": log["blockHash"]})["code"]
    assert node.error("eth_getLogs", {"blockHash": "0x" + "00" * 32})["code"] == -32000


def test_state__of_an_account__is_read_at_the_block_that_is_named(node: Node) -> None:
    sender = node.chain.accounts[0]
    assert node.result("eth_getCode", sender, "latest") == "0x"
    assert len(node.result("eth_getCode", node.token)) > 1_000
    assert node.result("eth_getCode", node.token, "earliest") == "0x"
    assert int(node.result("eth_getTransactionCount", sender, "latest"), 16) == 3
    assert int(node.result("eth_getTransactionCount", sender, "0x1"), 16) == 1
    assert int(node.result("eth_getBalance", sender, "earliest"), 16) == 10**27
    assert len(node.result("eth_getStorageAt", node.token, "0x0", "latest")) == 66
    assert node.error("eth_getBalance", sender, hex(10**6))["message"] == "header not found"


def test_call__data_or_input__answers_with_the_contracts_bytes(node: Node) -> None:
    asked = encode_call("balanceOf(address)", node.chain.accounts[0])
    for name in ("data", "input"):
        assert int(node.result("eth_call", {"to": node.token, name: "0x" + asked.hex()}, "latest"), 16) == 93
    assert (
        int(node.result("eth_call", {"to": node.token, "data": "0x" + asked.hex()}, {"blockNumber": "0x2"}), 16) == 100
    )


def test_call__that_reverts__is_an_error_with_the_contracts_data(node: Node) -> None:
    call = {"from": node.chain.accounts[5], "to": node.token, "data": "0x" + SENT.hex()}
    for method in ("eth_call", "eth_estimateGas"):
        error = node.error(method, call)
        assert error["code"] == 3
        assert error["message"].startswith("execution reverted")
        assert len(error["data"]) > 10


def test_send__signed_transaction__is_mined_and_its_failures_are_told_as_nodes_tell_them() -> None:
    node = Node()
    transactor = node.chain.transactor(3)
    signed = asyncio.run(
        transactor.prepare(node.token, encode_call("mint(address,uint256)", node.chain.accounts[3], 1))
    )
    raw = signed.raw
    gas = node.result("eth_estimateGas", {"from": node.chain.accounts[3], "to": node.chain.accounts[4], "value": "0x1"})
    assert int(gas, 16) >= 21_000
    sent = node.result("eth_sendRawTransaction", raw)
    assert node.result("eth_getTransactionReceipt", sent)["status"] == "0x1"
    assert node.error("eth_sendRawTransaction", raw)["message"] == "nonce too low: next nonce 1, tx nonce 0"
    for unreadable in ("0x", "0x02", "0xc0", "0x1234", "0x02c0", "0x" + "ff" * 40):
        assert node.error("eth_sendRawTransaction", unreadable)["message"].startswith("it cannot be decoded")
    assert node.error("eth_sendRawTransaction", "zz")["code"] == -32602


def test_send__while_the_chain_follows_a_clock__is_dated_by_it() -> None:
    chain = EmbeddedChain()
    later = Timestamp(chain.now + 5_000)
    chain.endpoint.follow(lambda: later)

    asyncio.run(chain.deploy("Token", "USDC", "USDC", 6))
    assert chain.now == later
    asyncio.run(chain.deploy("Token", "USDC", "USDC", 6))
    assert chain.now == later + 1


def test_reader__through_the_demos_node__sees_the_same_revert(node: Node) -> None:
    with pytest.raises(CallReverted):
        asyncio.run(node.chain.transactor(5).prepare(node.token, SENT))


# ---- what is no request


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBalance", []),
        ("eth_getBalance", ["0x12"]),
        ("eth_getBalance", [None, "latest"]),
        ("eth_getBalance", ["0x" + "11" * 20, "newest"]),
        ("eth_getBalance", ["0x" + "11" * 20, "latest", 1]),
        ("eth_chainId", [1]),
        ("eth_call", [[]]),
        ("eth_call", [{"to": "0x" + "11" * 20, "data": "0x1"}]),
        ("eth_call", [{"to": "0x" + "11" * 20, "gas": "much"}]),
        ("eth_getLogs", [{"topics": ["0x12"]}]),
        ("eth_getLogs", [{"topics": [None] * 5}]),
        ("eth_getBlockByNumber", [-1, False]),
        ("eth_getTransactionReceipt", ["0x12"]),
        ("eth_feeHistory", ["0x0", "latest", []]),
        ("eth_feeHistory", ["0x1", "latest", "10"]),
    ],
)
def test_params__malformed__are_invalid_params(node: Node, method: str, params: list[object]) -> None:
    assert node.error(method, *params)["code"] == -32602


def test_method__unknown__is_not_found(node: Node) -> None:
    assert node.error("eth_sendTransaction", {})["code"] == -32601
    assert node.error("evm_mine")["code"] == -32601


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 5_000, -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"id": 1, "method": "eth_chainId"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "eth_chainId"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "eth_chainId"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": {"a": 1}}', -32602),
    ],
)
def test_body__malformed__is_an_error_of_json_rpc(node: Node, body: bytes, code: int) -> None:
    answer = node.post(body)
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == code


def test_batch__of_several__is_answered_in_order_without_notifications(node: Node) -> None:
    def asked(method: str, **more: object) -> dict[str, object]:
        return {"jsonrpc": "2.0", "method": method, **more}

    answers = node.post([asked("eth_chainId", id=1), asked("eth_syncing"), asked("nothing", id="b"), 7]).json()
    assert [each["id"] for each in answers] == [1, "b", None]
    assert answers[0]["result"] == hex(CHAIN_ID)
    assert [each["error"]["code"] for each in answers[1:]] == [-32601, -32600]
    assert node.post([asked("eth_syncing")]).status_code == 204
    assert node.post(asked("eth_syncing")).status_code == 204
    assert node.post([asked("eth_chainId", id=1)] * (LARGEST_BATCH + 1)).json()["error"]["code"] == -32600


# ---- who is answered


@pytest.mark.parametrize("host", ["keeper.example", "127.0.0.1.example:8545", ""])
def test_host__foreign__is_refused(node: Node, host: str) -> None:
    assert node.post({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}, host=host).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9188", "https://127.0.0.1:8545"])
def test_origin__of_another_page__is_refused(node: Node, origin: str) -> None:
    assert node.post({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}, origin=origin).status_code == 403


def test_request__as_plain_text_or_too_large_or_by_get__is_refused(node: Node) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
    assert node.post(asked, **{"content-type": "text/plain"}).status_code == 415
    assert node.post(b" " * (LARGEST_REQUEST + 1)).status_code == 413
    assert node.client.get("/").status_code == 405
    assert node.post(asked, host="localhost:8545").status_code == 200
    assert node.post(asked, origin=HOST).status_code == 200
