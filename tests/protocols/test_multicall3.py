"""The real Multicall3 under our codec and reader."""

from __future__ import annotations

import pytest

from navoracle.abi import encode_call
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import MULTICALL3, Web3ChainReader
from navoracle.ports import Answer, Call, NativeBalance
from tests.protocols.chain import CHAIN_ID, NAME, Chain
from tests.requirements import needs_node

pytestmark = needs_node


async def test_read__through_the_real_multicall3__answers_each_call_for_itself(chain: Chain) -> None:
    reader = Web3ChainReader(NodePool.of(HttpEndpoint(chain.url), chain=NAME, chain_id=CHAIN_ID, finality=0))
    try:
        at = await reader.stamp()
        nobody = chain.accounts[1]
        found = await reader.read(
            [
                NativeBalance(nobody),
                Call(MULTICALL3, encode_call("getCurrentBlockTimestamp()")),
                Call(MULTICALL3, b"1234"),
                Call(nobody, b"1234"),
            ],
            at,
        )
    finally:
        await reader.close()
    assert found[0] == Answer((10_000 * 10**18).to_bytes(32, "big"))
    assert found[1] == Answer(at.timestamp.to_bytes(32, "big"))
    assert (found[2].failure, found[3].failure) == ("call_reverted", "empty_result")


def test_multicall3__of_viem__is_the_code_that_is_deployed_everywhere(chain: Chain) -> None:
    assert chain.view(MULTICALL3, "getChainId()", ("uint256",)) == CHAIN_ID
    with pytest.raises(Exception, match="revert"):
        chain.view(MULTICALL3, "notThere()", ("uint256",))
