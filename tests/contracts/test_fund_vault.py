"""The vault's artifact: one ABI for two byte codes that fit a chain's limits. Forge tests its rules."""

from __future__ import annotations

import pytest
from web3 import Web3

from navoracle.chain.artifacts import Artifact, artifact
from tests.contracts.vault_world import CUSTODIAN, FEES, FUND, MANAGER, VaultWorld

MOST_CODE, MOST_CREATION_CODE = 24_576, 49_152
"""EIP-170 and EIP-3860, in bytes."""


@pytest.fixture(scope="module")
def world() -> VaultWorld:
    return VaultWorld()


@pytest.fixture(scope="module")
def vault() -> Artifact:
    return artifact("FundVault")


def test_fund_vault__deployed__fits_the_limits_with_its_extension(world: VaultWorld, vault: Artifact) -> None:
    extension = world.web3.eth.get_code(Web3.to_checksum_address(world.view(world.vault, "extension")))
    assert 0 < len(extension) <= MOST_CODE
    assert 0 < len(vault.deployed_bytecode) <= MOST_CODE
    assert len(vault.bytecode) <= MOST_CREATION_CODE
    assert vault.is_code(world.web3.eth.get_code(world.vault.address))


def test_fund_vault__abi__has_each_function_once_and_none_that_the_vault_does_not_answer(
    world: VaultWorld, vault: Artifact
) -> None:
    functions = [entry["name"] for entry in vault.abi if entry["type"] == "function"]
    assert len(functions) == len(set(functions))
    reads = [
        entry["name"]
        for entry in vault.abi
        if entry["type"] == "function" and entry["stateMutability"] in {"view", "pure"} and not entry["inputs"]
    ]
    answers = {name: world.view(world.vault, name) for name in reads}
    assert answers["fundId"] == FUND
    assert answers["custodian"] == world.accounts[CUSTODIAN]
    assert answers["feeRecipient"] == world.accounts[FEES]
    assert answers["symbol"] == "F"
    assert answers["closed"] is False


def test_fund_vault__errors_of_the_extension__are_in_the_abi(world: VaultWorld, vault: Artifact) -> None:
    assert "NotEnough(address,uint256,uint256)" in vault.errors().values()
    idle = world.view(world.vault, "idleOf", world.asset.address)
    asked = (world.asset.address, idle + 1)
    assert world.refusal(world.next_time(), MANAGER, world.vault, "deployIdle", *asked) == "NotEnough"
