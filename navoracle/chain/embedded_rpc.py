"""JSON-RPC on an in-process py-evm chain: what navoracle asks for, and what wallets and explorers ask of any node.

eth-tester sets the chain up; requests go straight to py-evm, without the validation and formatting of the layers
between. Time is the caller's: a block's timestamp never comes from the machine's clock unless the chain was told to
follow one, and the same transactions give the same block hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI, VirtualMachineAPI
from eth.chains.base import MiningChain
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.exceptions import HeaderNotFound, PyEVMError
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address as RawAddress
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

from navoracle import __version__
from navoracle.chain.embedded_params import (
    INVALID_PARAMS,
    CallRequest,
    InvalidParams,
    address_param,
    arity,
    block_param,
    bytes_param,
    call_param,
    fit,
    logs_param,
    quantity_param,
    word_param,
)
from navoracle.chain.embedded_records import EmbeddedRecords, TooManyBlocks, as_hex
from navoracle.chain.reverts import describe_revert
from navoracle.chain.rpc import NodeRefused
from navoracle.domain.gas_fees import intrinsic_gas

TIP: Final = 1_000_000_000
"""What the embedded chain suggests as a priority fee (wei)."""

MOST_FEE_BLOCKS: Final = 1_024
"""Blocks whose fees are told at once, as other nodes have it."""

_ZERO_ADDRESS: Final = RawAddress(bytes(20))
_BLOB_TRANSACTION: Final = 3
_METHOD_NOT_FOUND: Final = -32601
_LIMIT_EXCEEDED: Final = -32005
_SERVER_ERROR: Final = -32000
_EXECUTION_ERROR: Final = 3


class EmbeddedEndpoint:
    """The embedded chain as an endpoint. A sent transaction is mined at once, one second after the newest block."""

    name: Final = "embedded chain"

    def __init__(self, chain: MiningChain) -> None:
        self._chain = chain
        self._records = EmbeddedRecords(chain)
        self._present: Callable[[], int] | None = None
        self._next_block_at(chain.get_canonical_head().timestamp + 1)
        self._methods: dict[str, Callable[..., object]] = {
            "eth_accounts": lambda: (),  # it signs for nobody
            "eth_blockNumber": lambda: hex(self._head().block_number),
            "eth_call": self._call,
            "eth_chainId": lambda: hex(chain.chain_id),
            "eth_estimateGas": self._estimate_gas,
            "eth_feeHistory": self._fee_history,
            "eth_gasPrice": lambda: hex((self._head().base_fee_per_gas or 0) + TIP),
            "eth_getBalance": lambda account, block="latest": hex(
                self._vm(block).state.get_balance(address_param(account))
            ),
            "eth_getBlockByHash": lambda block, full=False: self._records.block(
                word_param(block, "block hash"), whole=full is True
            ),
            "eth_getBlockByNumber": lambda block, full=False: self._records.block(
                block_param(block), whole=full is True
            ),
            "eth_getCode": lambda account, block="latest": as_hex(
                self._vm(block).state.get_code(address_param(account))
            ),
            "eth_getLogs": self._logs,
            "eth_getStorageAt": lambda account, slot, block="latest": as_hex(
                self._vm(block)
                .state.get_storage(address_param(account), quantity_param(slot, "slot"))
                .to_bytes(32, "big")
            ),
            "eth_getTransactionByHash": lambda sent: self._records.transaction(word_param(sent, "transaction hash")),
            "eth_getTransactionCount": lambda account, block="latest": hex(
                self._vm(block).state.get_nonce(address_param(account))
            ),
            "eth_getTransactionReceipt": lambda sent: self._records.receipt(word_param(sent, "transaction hash")),
            "eth_maxPriorityFeePerGas": lambda: hex(TIP),
            "eth_sendRawTransaction": self._send,
            "eth_syncing": lambda: False,
            "net_listening": lambda: True,
            "net_version": lambda: str(chain.chain_id),
            "web3_clientVersion": lambda: f"navoracle/{__version__}/py-evm",
        }
        self._arities = {name: arity(handler) for name, handler in self._methods.items()}

    @property
    def methods(self) -> frozenset[str]:
        """The methods that are served."""
        return frozenset(self._methods)

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Answer a request. Raises NodeRefused."""
        handler = self._methods.get(method)
        if handler is None:
            raise NodeRefused(
                self.name, method, _METHOD_NOT_FOUND, f"the method {method[:80]} is not offered by the embedded chain"
            )
        try:
            fit(self._arities[method], params)
            return handler(*params)
        except InvalidParams as error:
            raise NodeRefused(self.name, method, INVALID_PARAMS, f"invalid params: {error}") from error

    async def close(self) -> None:
        """Nothing to close."""

    def newest_timestamp(self) -> int:
        """The newest block's timestamp."""
        return self._head().timestamp

    def mine(self, at: int) -> None:
        """Mine one block with the timestamp `at`, which lies after the newest block's."""
        self._next_block_at(at)
        self._mine()

    def follow(self, present: Callable[[], int]) -> None:
        """Date what is sent from now on by a clock (Unix seconds), where that is after the newest block."""
        self._present = present

    # ---- blocks

    def _head(self) -> BlockHeaderAPI:
        return self._records.head()

    def _next_block_at(self, timestamp: int) -> None:
        self._chain.header = self._chain.header.copy(timestamp=timestamp)

    def _mine(self) -> None:
        number = self._chain.header.block_number
        # A fixed `prevrandao`, so that runs repeat; no blobs are ever sent.
        self._chain.mine_block(coinbase=_ZERO_ADDRESS, mix_hash=keccak(number.to_bytes(8, "big")), blob_gas_used=0)
        self._next_block_at(self._head().timestamp + 1)

    def _header(self, method: str, block: object) -> BlockHeaderAPI:
        try:
            return self._records.header(block_param(block))
        except HeaderNotFound as error:
            raise NodeRefused(self.name, method, _SERVER_ERROR, "header not found") from error

    def _vm(self, block: object) -> VirtualMachineAPI:
        return self._chain.get_vm(self._header("block", block))

    def _logs(self, wanted: object) -> object:
        try:
            return self._records.logs(logs_param(wanted))
        except HeaderNotFound as error:
            raise NodeRefused(self.name, "eth_getLogs", _SERVER_ERROR, "unknown block") from error
        except TooManyBlocks as error:
            raise NodeRefused(self.name, "eth_getLogs", _LIMIT_EXCEEDED, str(error)) from error

    # ---- execution

    def _call(self, transaction: object, block: object = "latest") -> str:
        asked = call_param(transaction)
        vm = self._vm(block)
        computation = vm.execute_bytecode(
            origin=asked.sender,
            gas_price=0,
            gas=self._call_gas(asked, vm.get_header().gas_limit),
            to=asked.to or _ZERO_ADDRESS,
            sender=asked.sender,
            value=asked.value,
            data=b"" if asked.to is None else asked.data,
            code=asked.data if asked.to is None else vm.state.get_code(asked.to),
        )
        self._require_success("eth_call", computation)
        return as_hex(computation.output)

    def _call_gas(self, asked: CallRequest, limit: int) -> int:
        """The gas that a call runs with: what it states, less what it uses before its first instruction."""
        if asked.gas is None:
            return limit
        left = min(asked.gas, limit) - intrinsic_gas(asked.data)
        if left < 0:
            raise NodeRefused(self.name, "eth_call", _SERVER_ERROR, "intrinsic gas too low")
        return left

    def _estimate_gas(self, transaction: object, block: object = "latest") -> str:
        asked = call_param(transaction)
        vm = self._vm(block)
        header = vm.get_header()
        limit = header.gas_limit
        unsigned = PragueTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=self._chain.chain_id,
            nonce=vm.state.get_nonce(asked.sender),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=header.base_fee_per_gas or 0,
            gas=limit,
            to=asked.to or CREATE_CONTRACT_ADDRESS,
            value=asked.value,
            data=asked.data,
            access_list=(),
        )
        # Not py-evm's costless state: that one's time is the machine's.
        spoofed = cast(SignedTransactionAPI, SpoofTransaction(unsigned, from_=asked.sender))
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
            raise NodeRefused(self.name, method, _EXECUTION_ERROR, _ending(computation), computation.output)

    # ---- transactions

    def _send(self, raw: object) -> str:
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(bytes_param(raw, "transaction"))
        except (ValidationError, RLPException, PyEVMError) as error:
            raise self._unsent(f"it cannot be decoded: {error}") from error
        if getattr(transaction, "type_id", None) == _BLOB_TRANSACTION:
            raise self._unsent("transaction type not supported")
        self._require_next(transaction)
        if self._present is not None:
            self._next_block_at(max(self._present(), self._head().timestamp + 1))
        try:
            self._chain.apply_transaction(transaction)
        except (ValidationError, RLPException) as error:
            raise self._unsent(str(error)) from error
        self._mine()
        return as_hex(transaction.hash)

    def _require_next(self, transaction: SignedTransactionAPI) -> None:
        """Refuse what cannot be mined next, in the words of other nodes. Raises NodeRefused."""
        try:
            sender = transaction.sender
        except ValidationError as error:
            raise self._unsent(f"invalid sender: {error}") from error
        state = self._chain.get_vm(self._head()).state
        due = state.get_nonce(sender)
        if transaction.nonce != due:
            # Nothing waits here for the transactions before it, as it would elsewhere.
            word = "low" if transaction.nonce < due else "high"
            raise self._unsent(f"nonce too {word}: next nonce {due}, tx nonce {transaction.nonce}")
        wanted = transaction.gas * transaction.max_fee_per_gas + transaction.value
        if state.get_balance(sender) < wanted:
            raise self._unsent("insufficient funds for gas * price + value")

    def _unsent(self, why: str) -> NodeRefused:
        return NodeRefused(self.name, "eth_sendRawTransaction", _SERVER_ERROR, why)

    def _fee_history(self, count: object, newest: object, percentiles: Sequence[float] | None = ()) -> object:
        """What recent blocks asked; the tip is the same in all of them."""
        blocks = quantity_param(count, "block count") if isinstance(count, str) else count
        if type(blocks) is not int or not 0 < blocks <= MOST_FEE_BLOCKS:
            raise InvalidParams(f"block count is {str(count)[:80]!r}, and not 1 to {MOST_FEE_BLOCKS}")
        if percentiles is not None and not isinstance(percentiles, list | tuple):
            raise InvalidParams(f"percentiles are {str(percentiles)[:80]!r}")
        last = self._header("eth_feeHistory", newest)
        first = max(0, last.block_number - blocks + 1)
        headers = [self._records.header(number) for number in range(first, last.block_number + 1)]
        fees = [header.base_fee_per_gas or 0 for header in headers]
        return {
            "oldestBlock": hex(first),
            "baseFeePerGas": [hex(fee) for fee in (*fees, fees[-1])],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
            "reward": [[hex(TIP) for _ in percentiles or ()] for _ in headers],
        }


def _ending(computation: ComputationAPI) -> str:
    """How an execution ended; py-evm's class names say it: Revert, OutOfGas, InvalidInstruction, ..."""
    name = type(computation.error).__name__
    if name != "Revert":
        return f"execution ended by {name}"
    return f"execution reverted: {describe_revert(computation.output)}" if computation.output else "execution reverted"
