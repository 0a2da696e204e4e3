"""Simulate, price, sign, check, send once: over a node of canned answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from navoracle.chain.signers import EphemeralSigner
from navoracle.chain.transactor import GWEI, FeePolicy, Web3Transactor
from navoracle.domain.errors import CallReverted, ChainError, ConfigurationError
from navoracle.ports import Address
from navoracle.publisher_port import SignedTransaction
from navoracle.signatures import Signature
from tests.unit.chain.fake_endpoint import STAMP, TARGET, FakeEndpoint, block_json, refused

SIGNER = EphemeralSigner(bytes(31) + b"\x07")
PAUSED = bytes.fromhex("9e87fac8")


def node(**answers: Any) -> FakeEndpoint:
    return FakeEndpoint(
        **{
            "eth_call": "0x",
            "eth_estimateGas": hex(100_001),
            "eth_maxPriorityFeePerGas": hex(GWEI),
            "eth_getTransactionCount": hex(5),
            **answers,
        }
    )


def transactor(endpoint: FakeEndpoint, signer: Any = SIGNER, **fees: int) -> Web3Transactor:
    return Web3Transactor(endpoint, signer, chain_id=1, fees=FeePolicy(**fees))


def fields_of(transaction: SignedTransaction) -> dict[str, Any]:
    return dict(TypedTransaction.from_bytes(HexBytes(transaction.raw)).as_dict())


async def test_prepare__simulated_and_priced__is_signed_as_meant() -> None:
    endpoint = node()
    signed = await transactor(endpoint).prepare(TARGET, b"\x01\x02")
    fields = fields_of(signed)
    assert (signed.nonce, signed.sender, signed.to) == (5, SIGNER.address, TARGET)
    assert (fields["chainId"], fields["nonce"], fields["value"], fields["data"]) == (1, 5, 0, b"\x01\x02")
    assert fields["to"] == bytes.fromhex(TARGET[2:])
    assert fields["gas"] == 120_002  # 100,001 and a fifth, rounded up
    assert (fields["maxFeePerGas"], fields["maxPriorityFeePerGas"]) == (3 * GWEI, GWEI)
    assert Account.recover_transaction(signed.raw) == SIGNER.address
    assert endpoint.asked[0][0] == "eth_call"
    assert "eth_sendRawTransaction" not in [method for method, _ in endpoint.asked]
    assert endpoint.calls("eth_getTransactionCount") == [[SIGNER.address, "pending"]]


async def test_prepare__estimate_near_the_block_limit__is_capped_by_it() -> None:
    assert fields_of(await transactor(node(eth_estimateGas=hex(29_000_000))).prepare(TARGET, b""))["gas"] == 30_000_000


@pytest.mark.parametrize(
    ("fees", "base", "tip", "expected"),
    [
        ({}, 10, 1, (21, 1)),
        ({"max_fee": 15}, 10, 1, (15, 1)),
        ({"max_fee": 11}, 10, 1, (11, 1)),
        ({"max_tip": 3}, 10, 7, (23, 3)),
        ({"min_tip": 2}, 10, 0, (22, 2)),
    ],
)
async def test_prepare__fees__stay_within_the_policy(
    fees: dict[str, int], base: int, tip: int, expected: tuple[int, int]
) -> None:
    policy = {"max_fee": 100, "max_tip": 10, "min_tip": 0, **fees}
    policy["max_tip"] = min(policy["max_tip"], policy["max_fee"])
    block = block_json(STAMP, baseFeePerGas=hex(base))
    endpoint = node(eth_getBlockByNumber=block, eth_maxPriorityFeePerGas=hex(tip))
    fields = fields_of(await transactor(endpoint, **policy).prepare(TARGET, b""))
    assert (fields["maxFeePerGas"], fields["maxPriorityFeePerGas"]) == expected


async def test_prepare__base_fee_above_the_cap__raises_and_signs_nothing() -> None:
    endpoint = node(eth_getBlockByNumber=block_json(STAMP, baseFeePerGas=hex(600 * GWEI)))
    with pytest.raises(ChainError, match="the cap is") as caught:
        await transactor(endpoint).prepare(TARGET, b"")
    assert "max_fee" in caught.value.advice


@pytest.mark.parametrize("fees", [{"min_tip": -1}, {"min_tip": 5, "max_tip": 4}, {"max_tip": 5, "max_fee": 4}])
def test_fee_policy__contradiction__raises(fees: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="contradict"):
        FeePolicy(**fees)


@pytest.mark.parametrize("step", ["eth_call", "eth_estimateGas"])
async def test_prepare__contract_would_revert__raises_the_decoded_error(step: str) -> None:
    with pytest.raises(CallReverted, match=r"Paused\(\)") as caught:
        await transactor(node(**{step: refused(3, "execution reverted", PAUSED)})).prepare(TARGET, b"\1\2\3\4")
    assert caught.value.data == PAUSED
    assert "0x01020304" in caught.value.message


async def test_prepare__node_of_another_chain__raises() -> None:
    with pytest.raises(ChainError, match="serves chain 10, not 1"):
        await transactor(node(eth_chainId="0xa")).prepare(TARGET, b"")


@pytest.mark.parametrize(
    "answers",
    [
        {"eth_getBlockByNumber": {key: value for key, value in block_json(STAMP).items() if key != "baseFeePerGas"}},
        {"eth_getTransactionCount": None},
        {"eth_estimateGas": "many"},
        {"eth_call": refused(-32000, "missing trie node")},
    ],
)
async def test_prepare__node_answers_nonsense__raises(answers: dict[str, Any]) -> None:
    with pytest.raises(ChainError):
        await transactor(node(**answers)).prepare(TARGET, b"")


class Tampering:
    """Signs something else than it is asked."""

    address = SIGNER.address

    def __init__(self, signer: EphemeralSigner = SIGNER, **changes: int | bytes) -> None:
        self.signer = signer
        self.changes = changes

    async def sign(self, transaction: Mapping[str, int | bytes]) -> bytes:
        return await self.signer.sign({**transaction, **self.changes})

    async def sign_payload(self, payload: bytes) -> Signature:
        return await self.signer.sign_payload(payload)


@pytest.mark.parametrize(
    "signer",
    [
        Tampering(nonce=6),
        Tampering(chainId=10),
        Tampering(value=1),
        Tampering(data=b"\x09"),
        Tampering(to=bytes(20)),
        Tampering(gas=1),
        Tampering(maxFeePerGas=4 * GWEI),
        Tampering(EphemeralSigner(bytes(31) + b"\x08")),
    ],
)
async def test_prepare__signer_changes_what_it_signs__raises(signer: Tampering) -> None:
    with pytest.raises(ChainError, match="signer returned a transaction") as caught:
        await transactor(node(), signer).prepare(TARGET, b"\x01")
    assert "Nothing was sent" in caught.value.advice


async def test_prepare_creation__code__goes_to_no_address() -> None:
    endpoint = node()
    signed = await transactor(endpoint).prepare_creation(b"\x60\x01")
    assert fields_of(signed)["to"] in (b"", None)
    assert signed.to == Address("")
    assert "to" not in endpoint.calls("eth_estimateGas")[0][0]


async def test_send__node_takes_it__is_sent_once() -> None:
    endpoint = node()
    sender = transactor(endpoint)
    signed = await sender.prepare(TARGET, b"")
    endpoint.answers["eth_sendRawTransaction"] = signed.hash
    await sender.send(signed)
    assert endpoint.calls("eth_sendRawTransaction") == [[signed.raw]]


@pytest.mark.parametrize("answer", [refused(-32003, "nonce too low"), "0x" + "00" * 32, None])
async def test_send__error_or_another_hash__raises_and_is_not_repeated(answer: object) -> None:
    endpoint = node(eth_sendRawTransaction=answer)
    sender = transactor(endpoint)
    signed = await sender.prepare(TARGET, b"")
    with pytest.raises(ChainError):
        await sender.send(signed)
    assert len(endpoint.calls("eth_sendRawTransaction")) == 1


RECEIPT = {
    "transactionHash": "0x" + "AB" * 32,
    "status": "0x1",
    "blockNumber": "0x7",
    "blockHash": "0x" + "cd" * 32,
    "gasUsed": "0x5208",
}


@pytest.mark.parametrize(("status", "success"), [("0x1", True), ("0x0", False)])
async def test_receipt__mined__says_whether_it_succeeded(status: str, success: bool) -> None:
    receipt = await transactor(node(eth_getTransactionReceipt={**RECEIPT, "status": status})).receipt("0x" + "ab" * 32)
    assert receipt is not None
    assert (receipt.success, receipt.block_number, receipt.gas_used) == (success, 7, 21_000)
    assert (receipt.hash, receipt.block_hash) == ("0x" + "ab" * 32, "0x" + "cd" * 32)


async def test_receipt__of_another_transaction__raises() -> None:
    with pytest.raises(ChainError, match="asked for the receipt of 0x1"):
        await transactor(node(eth_getTransactionReceipt=RECEIPT)).receipt("0x1")


@pytest.mark.parametrize("answer", [None, {**RECEIPT, "blockNumber": None}])
async def test_receipt__not_mined__is_none(answer: object) -> None:
    assert await transactor(node(eth_getTransactionReceipt=answer)).receipt("0x1") is None


@pytest.mark.parametrize("answer", [{}, {**RECEIPT, "status": None}, {**RECEIPT, "gasUsed": "x"}, "0x1"])
async def test_receipt__malformed__raises(answer: object) -> None:
    with pytest.raises(ChainError):
        await transactor(node(eth_getTransactionReceipt=answer)).receipt("0x1")
