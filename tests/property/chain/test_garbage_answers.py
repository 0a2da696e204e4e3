"""Whatever JSON one node of three answers, block and answers are those of the two others, and nothing breaks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.rpc import result_of
from navoracle.domain.errors import ChainError
from navoracle.ports import Call
from tests.unit.chain.simulated import HEAD, TARGET, Fault, SimulatedNode, block, pool_of, right_answer

METHODS = ("eth_chainId", "eth_syncing", "eth_getBlockByNumber", "eth_getCode", "eth_call")
CALLS = [Call(TARGET, bytes([number])) for number in range(4)]

NUMBERS = st.one_of(
    st.integers(0, 2**70).map(hex),
    st.sampled_from(["0x", "0x0", "-0x1", "0x-1", "0x" + "f" * 64, "0x" + "f" * 9_000, "http://[", "\ud800", "０x１"]),
)
TEXTS = st.one_of(NUMBERS, st.text(max_size=20), st.binary(max_size=200).map(lambda data: "0x" + data.hex()))
FIELDS = st.sampled_from(
    ["number", "hash", "parentHash", "timestamp", "currentBlock", "highestBlock", "data", "message", "code"]
)
GARBAGE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=4)),
    max_leaves=8,
)


def answering(answers: dict[str, Any]) -> Fault:
    """Answers these methods with that, and the others soundly."""

    def fault(sound: Any, method: str, params: Any) -> Any:
        return answers[method] if method in answers else sound(method, params)

    return fault


@given(st.dictionaries(st.sampled_from(METHODS), GARBAGE, min_size=1), st.integers(0, 2))
def test_read__one_node_answers_any_json__is_that_of_the_others(answers: dict[str, Any], place: int) -> None:
    async def run() -> None:
        nodes = [SimulatedNode(f"n{index}") for index in range(3)]
        nodes[place].fault = answering(answers)
        reader = Web3ChainReader(pool_of(*nodes))
        at = await reader.stamp()
        assert at == block(HEAD)
        assert await reader.read(CALLS, at) == tuple(right_answer(call, at) for call in CALLS)
        assert await reader.is_canonical(at)

    asyncio.run(run())


@given(st.one_of(GARBAGE, st.fixed_dictionaries({"id": st.just(1), "error": GARBAGE})))
def test_result_of__any_json__is_a_result_or_a_chain_error(response: Any) -> None:
    with suppress(ChainError):
        result_of(response, "node", "eth_call", asked=1)
