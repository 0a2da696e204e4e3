"""Running a call before it is signed: whether the contract takes it, and how much gas it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from navoracle.chain.node import Node
from navoracle.chain.reverts import call_reverted
from navoracle.chain.rpc import NodeRefused, quantity
from navoracle.chain.transactions.nodes import ChainNodes, Survey
from navoracle.domain.errors import ChainError
from navoracle.domain.gas_fees import TRANSFER_GAS, gas_with_margin, intrinsic_gas, upper_median
from navoracle.ports import Address


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one node's run ended: with the revert data, or None where it went through."""

    revert: bytes | None
    gas: int = 0


async def estimated_gas(nodes: ChainNodes, sender: Address, to: Address, data: bytes) -> int:
    """Simulate a call at the newest block; returns what the nodes say it uses, without a margin.

    Raises:
        CallReverted: half of the nodes or more say that the contract would refuse; its reason is decoded.
        ChainError: no node answered.
    """
    call = _call(sender, to, data)
    tried, estimated = await asyncio.gather(_run(nodes, call), _estimate(nodes, call, intrinsic_gas(data)))
    _require_success(tried, _name(to, data))
    _require_success(estimated, _name(to, data))
    return _middle(estimated)


async def sufficient_gas(
    nodes: ChainNodes, sender: Address, to: Address, data: bytes, *, estimate: int, block_gas: int
) -> int:
    """The gas to give a call: the estimate with a margin, tried out before it is believed and doubled if too low.

    Raises:
        CallReverted: it reverts however much it is given. ChainError: no node answered.
    """
    gas = gas_with_margin(estimate, block_gas)
    while True:
        tried = await _run(nodes, {**_call(sender, to, data), "gas": hex(gas)})
        if _reverts(tried) is None:
            return gas
        if gas == block_gas:
            _require_success(tried, _name(to, data))
        gas = min(2 * gas, block_gas)


async def transfer_gas(nodes: ChainNodes, account: Address, block_gas: int) -> int:
    """The gas of a transaction to oneself that does nothing; rollups ask more for it than the protocol's 21,000.

    Raises:
        ChainError: no node answered.
    """
    estimated = await _estimate(nodes, {"from": account, "to": account}, TRANSFER_GAS)
    _require_success(estimated, "a transfer of nothing")
    gas = _middle(estimated)
    return gas if gas == TRANSFER_GAS else gas_with_margin(gas, block_gas)


async def replayed_reason(nodes: ChainNodes, call: Mapping[str, str], block: int) -> bytes | None:
    """The revert data of a call at the state after a block; None where it goes through there, or nobody can say."""
    try:
        return _reverts(await _run(nodes, call, hex(block)))
    except ChainError:
        return None


async def _estimate(nodes: ChainNodes, call: Mapping[str, str], least: int) -> Survey[_Outcome]:
    async def estimate(node: Node) -> _Outcome:
        try:
            gas = quantity(await node.request("eth_estimateGas", [call]), "gas estimate")
        except NodeRefused as refusal:
            if refusal.in_execution:
                return _Outcome(refusal.data)
            raise
        if gas < least:
            raise ChainError(
                f"{node.name} estimates {gas} gas where the data alone use {least}",
                advice="The node's estimates cannot be trusted: use another one.",
            )
        return _Outcome(None, gas)

    return await nodes.survey(estimate)


async def _run(nodes: ChainNodes, call: Mapping[str, str], block: str = "latest") -> Survey[_Outcome]:
    async def run(node: Node) -> _Outcome:
        try:
            await node.request("eth_call", [call, block])
        except NodeRefused as refusal:
            if refusal.in_execution:
                return _Outcome(refusal.data)
            raise
        return _Outcome(None)

    return await nodes.survey(run)


def _reverts(survey: Survey[_Outcome]) -> bytes | None:
    """The revert data where half of the nodes or more say that the call reverts. Raises ChainError for no answer."""
    answers = [said.answer.revert for said in survey.required()]
    reverted = [revert for revert in answers if revert is not None]
    if 2 * len(reverted) < len(answers) or not reverted:
        return None
    return max(reverted, key=len)


def _call(sender: Address, to: Address, data: bytes) -> dict[str, str]:
    return {"from": sender, "to": to, "data": "0x" + data.hex()}


def _name(to: Address, data: bytes) -> str:
    return f"simulation of 0x{data[:4].hex()} on {to}"


def _middle(estimated: Survey[_Outcome]) -> int:
    """The middle estimate of those whose run went through; the higher one of two."""
    return upper_median(said.answer.gas for said in estimated.answers if said.answer.revert is None)


def _require_success(survey: Survey[_Outcome], what: str) -> None:
    revert = _reverts(survey)
    if revert is not None:
        raise call_reverted(what, revert)
