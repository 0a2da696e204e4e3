"""A real EVM in the process: the chain of the demo, of replays and of tests."""

from __future__ import annotations

from typing import Any, Final

from eth_tester.backends.pyevm.main import PyEVMBackend
from eth_utils.address import to_canonical_address

from navoracle.chain.artifacts import artifact
from navoracle.chain.deploy import deploy_contract, transact
from navoracle.chain.embedded_rpc import EmbeddedEndpoint
from navoracle.chain.head import Finality
from navoracle.chain.node import Pin
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import MULTICALL3, Web3ChainReader
from navoracle.chain.signers import EphemeralSigner
from navoracle.chain.transactor import Web3Transactor
from navoracle.domain.errors import ChainError
from navoracle.domain.units import WAD, Timestamp
from navoracle.ports import Address
from navoracle.publisher_port import Receipt

CHAIN_ID: Final = 31_337
BLOCK_GAS_LIMIT: Final = 60_000_000
ACCOUNTS: Final = 10
GENESIS_TIME: Final = Timestamp(1_700_000_000)


class EmbeddedChain:
    """eth-tester's chain on py-evm, with funded accounts whose keys are the numbers 1 to 10, and Multicall3 in place.

    Time moves only when it is told to: `mine` sets it, and every transaction is mined at once in a block one second
    later. Two chains that do the same have the same blocks.

    Attributes:
        endpoint: the chain as a node.
        signers: its funded accounts.
        chain_id: its chain id.
    """

    def __init__(self, *, genesis_time: Timestamp = GENESIS_TIME, chain_id: int = CHAIN_ID) -> None:
        self.signers = tuple(EphemeralSigner(account_key(number)) for number in range(ACCOUNTS))
        backend = PyEVMBackend(
            genesis_parameters=PyEVMBackend.generate_genesis_params(
                {"gas_limit": BLOCK_GAS_LIMIT, "timestamp": genesis_time}
            ),
            genesis_state={
                **{to_canonical_address(account): _account() for account in self.accounts},
                to_canonical_address(MULTICALL3): _account(code=artifact("Multicall3").deployed_bytecode),
            },
        )
        backend.chain.chain_id = chain_id
        self.chain_id = chain_id
        self.endpoint = EmbeddedEndpoint(backend.chain)

    @property
    def accounts(self) -> tuple[Address, ...]:
        """The funded accounts' addresses."""
        return tuple(signer.address for signer in self.signers)

    @property
    def now(self) -> Timestamp:
        """The newest block's timestamp."""
        return Timestamp(self.endpoint.newest_timestamp())

    def mine(self, at: Timestamp) -> None:
        """Mine one block at this time.

        Raises:
            ChainError: the time does not lie after the newest block's.
        """
        if at <= self.now:
            raise ChainError(
                f"the embedded chain cannot mine a block at {at}: its newest is of {self.now}",
                advice="Let time go forward: transactions take one second each.",
            )
        self.endpoint.mine(at)

    async def deploy(self, name: str, *arguments: Any, sender: int = 0) -> Address:
        """Deploy a carried contract from an account and return its address. Raises CallReverted, ChainError."""
        code = artifact(name).creation_code(*arguments)
        return await deploy_contract(self.transactor(sender), code)

    async def transact(self, to: Address, data: bytes, sender: int = 0) -> Receipt:
        """Send a call from an account and return its receipt. Raises CallReverted, ChainError."""
        return await transact(self.transactor(sender), to, data)

    def transactor(self, account: int = 0) -> Web3Transactor:
        """A transactor of one of the accounts."""
        return Web3Transactor(self.endpoint, self.signers[account], chain_id=self.chain_id)

    def reader(self, chain: str = "embedded", *, finality: Finality = 0, pin: Pin = "auto") -> Web3ChainReader:
        """A reader of the chain, under the configuration's name for it."""
        pool = NodePool.of(self.endpoint, chain=chain, chain_id=self.chain_id, finality=finality, pin=pin)
        return Web3ChainReader(pool)


def account_key(account: int) -> bytes:
    """The private key of a funded account, counted from 0: the numbers 1 to 10, which everybody knows."""
    return (account + 1).to_bytes(32, "big")


def _account(code: bytes = b"") -> dict[str, object]:
    return {"balance": 0 if code else 10**9 * WAD, "nonce": 0, "code": code, "storage": {}}
