"""JSON-RPC on an in-process py-evm chain, as far as navoracle asks for it.

eth-tester sets the chain up; requests go straight to py-evm, without the validation and formatting of the layers
between. Time is the caller's: a block's timestamp never comes from the machine's clock, and the same transactions give
the same block hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI, VirtualMachineAPI
from eth.chains.base import MiningChain
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.exceptions import HeaderNotFound, TransactionNotFound
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address as RawAddress
from eth_typing import BlockNumber, Hash32
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

from navoracle.chain.rpc import NodeRefused
from navoracle.domain.gas_fees import intrinsic_gas

TIP: Final = 1_000_000_000
"""What the embedded chain suggests as a priority fee (wei)."""

_ZERO_ADDRESS: Final = RawAddress(bytes(20))
_INVALID_PARAMS: Final = -32602
_METHOD_NOT_FOUND: Final = -32601
_SERVER_ERROR: Final = -32000
_EXECUTION_ERROR: Final = 3


class EmbeddedEndpoint:
    """The embedded chain as an endpoint. A sent transaction is mined at once, one second after the newest block."""

    name: Final = "embedded chain"

    def __init__(self, chain: MiningChain) -> None:
        self._chain = chain
        self._next_block_at(chain.get_canonical_head().timestamp + 1)
        self._methods: dict[str, Callable[..., object]] = {
            "eth_blockNumber": lambda: hex(self._head().block_number),
            "eth_call": self._call,
            "eth_chainId": lambda: hex(chain.chain_id),
            "eth_estimateGas": self._estimate_gas,
            "eth_feeHistory": self._fee_history,
            "eth_getBalance": lambda account, block: hex(
                self._vm(block).state.get_balance(to_canonical_address(account))
            ),
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getCode": lambda account, block: _hex(self._vm(block).state.get_code(to_canonical_address(account))),
            "eth_getStorageAt": lambda account, slot, block: _hex(
                self._vm(block).state.get_storage(to_canonical_address(account), int(slot, 16)).to_bytes(32, "big")
            ),
            "eth_getTransactionCount": lambda account, block: hex(
                self._vm(block).state.get_nonce(to_canonical_address(account))
            ),
            "eth_getTransactionReceipt": self._receipt,
            "eth_maxPriorityFeePerGas": lambda: hex(TIP),
            "eth_sendRawTransaction": self._send,
        }

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Answer a request. Raises NodeRefused."""
        handler = self._methods.get(method)
        if handler is None:
            raise NodeRefused(self.name, method, _METHOD_NOT_FOUND, "not offered by the embedded chain")
        return handler(*params)

    async def close(self) -> None:
        """Nothing to close."""

    def newest_timestamp(self) -> int:
        """The newest block's timestamp."""
        return self._head().timestamp

    def mine(self, at: int) -> None:
        """Mine one block with the timestamp `at`, which lies after the newest block's."""
        self._next_block_at(at)
        self._mine()

    # ---- blocks

    def _head(self) -> BlockHeaderAPI:
        return self._chain.get_canonical_head()

    def _next_block_at(self, timestamp: int) -> None:
        self._chain.header = self._chain.header.copy(timestamp=timestamp)

    def _mine(self) -> None:
        number = self._chain.header.block_number
        # A fixed `prevrandao`, so that runs repeat; no blobs are ever sent.
        self._chain.mine_block(coinbase=_ZERO_ADDRESS, mix_hash=keccak(number.to_bytes(8, "big")), blob_gas_used=0)
        self._next_block_at(self._head().timestamp + 1)

    def _header(self, block: object) -> BlockHeaderAPI:
        if isinstance(block, Mapping):
            # Every block is canonical: there is one chain, and no block is ever taken back.
            return self._chain.get_block_header_by_hash(Hash32(bytes.fromhex(str(block["blockHash"])[2:])))
        if block == "earliest":
            return self._chain.get_canonical_block_header_by_number(BlockNumber(0))
        # Nothing is ever pending.
        if block in ("latest", "pending", "safe", "finalized"):
            return self._head()
        return self._chain.get_canonical_block_header_by_number(BlockNumber(int(str(block), 16)))

    def _vm(self, block: object) -> VirtualMachineAPI:
        try:
            return self._chain.get_vm(self._header(block))
        except HeaderNotFound as error:
            raise NodeRefused(self.name, "block", _SERVER_ERROR, "header not found") from error

    def _block_by_number(self, block: object, _full: object) -> object:
        try:
            return self._describe(self._header(block))
        except HeaderNotFound:
            return None

    def _block_by_hash(self, block_hash: str, _full: object) -> object:
        return self._block_by_number({"blockHash": block_hash}, _full)

    def _describe(self, header: BlockHeaderAPI) -> dict[str, object]:
        return {
            "number": hex(header.block_number),
            "hash": _hex(header.hash),
            "parentHash": _hex(header.parent_hash),
            "timestamp": hex(header.timestamp),
            "gasLimit": hex(header.gas_limit),
            "baseFeePerGas": hex(header.base_fee_per_gas or 0),
        }

    # ---- execution

    def _call(self, transaction: Mapping[str, str], block: object) -> str:
        vm = self._vm(block)
        sender = _account(transaction.get("from"))
        to = _account(transaction.get("to"))
        computation = vm.execute_bytecode(
            origin=sender,
            gas_price=0,
            gas=self._call_gas(transaction, vm.get_header().gas_limit),
            to=to,
            sender=sender,
            value=int(transaction.get("value", "0x0"), 16),
            data=_data(transaction),
            code=vm.state.get_code(to),
        )
        self._require_success("eth_call", computation)
        return _hex(computation.output)

    def _call_gas(self, transaction: Mapping[str, str], limit: int) -> int:
        """The gas that a call runs with: what it states, less what it uses before its first instruction."""
        if "gas" not in transaction:
            return limit
        left = int(transaction["gas"], 16) - intrinsic_gas(_data(transaction))
        if left < 0:
            raise NodeRefused(self.name, "eth_call", _SERVER_ERROR, "intrinsic gas too low")
        return left

    def _estimate_gas(self, transaction: Mapping[str, str]) -> str:
        vm = self._vm("latest")
        sender = _account(transaction.get("from"))
        header = vm.get_header()
        limit = header.gas_limit
        unsigned = PragueTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=self._chain.chain_id,
            nonce=vm.state.get_nonce(sender),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=header.base_fee_per_gas or 0,
            gas=limit,
            to=_account(transaction["to"]) if "to" in transaction else CREATE_CONTRACT_ADDRESS,
            value=int(transaction.get("value", "0x0"), 16),
            data=_data(transaction),
            access_list=(),
        )
        # Not py-evm's costless state: that one's time is the machine's.
        spoofed = cast(SignedTransactionAPI, SpoofTransaction(unsigned, from_=sender))
        try:
            computation = vm.state.apply_transaction(spoofed)
        except ValidationError as error:
            raise NodeRefused(self.name, "eth_estimateGas", _SERVER_ERROR, str(error)) from error
        self._require_success("eth_estimateGas", computation)
        # Before refunds, and with what EIP-150 keeps back from inner calls: one run instead of a search.
        used = limit - computation.get_gas_remaining()
        return hex(used * 64 // 63)

    def _require_success(self, method: str, computation: ComputationAPI) -> None:
        if computation.is_error:
            # py-evm's class names say what happened: Revert, OutOfGas, InvalidInstruction, ...
            what = f"execution ended by {type(computation.error).__name__}"
            raise NodeRefused(self.name, method, _EXECUTION_ERROR, what, computation.output)

    # ---- transactions

    def _send(self, raw: str) -> str:
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(bytes.fromhex(raw[2:]))
            self._chain.apply_transaction(transaction)
        except (ValidationError, RLPException) as error:
            raise NodeRefused(self.name, "eth_sendRawTransaction", _SERVER_ERROR, str(error)) from error
        self._mine()
        return _hex(transaction.hash)

    def _receipt(self, transaction_hash: str) -> object:
        wanted = Hash32(bytes.fromhex(transaction_hash[2:]))
        try:
            number, index = self._chain.get_canonical_transaction_index(wanted)
        except TransactionNotFound:
            return None
        receipt = self._chain.get_transaction_receipt_by_index(number, index)
        return {
            "transactionHash": transaction_hash,
            "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
            "blockNumber": hex(number),
            "blockHash": _hex(self._chain.get_canonical_block_header_by_number(number).hash),
            "gasUsed": hex(receipt.gas_used),  # of the block, which has no other transaction
            "effectiveGasPrice": hex(self._price_paid(number, index)),
        }

    def _price_paid(self, number: BlockNumber, index: int) -> int:
        block = self._chain.get_canonical_block_by_number(number)
        base_fee = block.header.base_fee_per_gas or 0
        transaction = block.transactions[index]
        return min(transaction.max_fee_per_gas, base_fee + transaction.max_priority_fee_per_gas)

    def _fee_history(self, count: str, newest: object, percentiles: Sequence[float] = ()) -> object:
        """What recent blocks asked; the tip is the same in all of them."""
        last = self._header(newest)
        first = max(0, last.block_number - int(count, 16) + 1)
        headers = [
            self._chain.get_canonical_block_header_by_number(BlockNumber(number))
            for number in range(first, last.block_number + 1)
        ]
        fees = [header.base_fee_per_gas or 0 for header in headers]
        return {
            "oldestBlock": hex(first),
            "baseFeePerGas": [hex(fee) for fee in (*fees, fees[-1])],
            "gasUsedRatio": [str(header.gas_used / header.gas_limit) for header in headers],
            "reward": [[hex(TIP) for _ in percentiles] for _ in headers],
        }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _account(account: Any) -> RawAddress:
    return _ZERO_ADDRESS if account is None else RawAddress(to_canonical_address(account))


def _data(transaction: Mapping[str, str]) -> bytes:
    return bytes.fromhex(transaction.get("data", "0x")[2:])
