"""Copies of an embedded chain: the same past, and futures that do not know of one another."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.abi import encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from tests.embedded_copies import copy_of

Deeds = list[tuple[int, int]]
"""Accounts that are minted tokens, and how many each time."""


def asked(chain: EmbeddedChain, method: str, *parameters: object) -> object:
    return asyncio.run(chain.endpoint.request(method, list(parameters)))


def newest(chain: EmbeddedChain) -> object:
    return asked(chain, "eth_getBlockByNumber", "latest", True)


def mint(chain: EmbeddedChain, token: Address, deeds: Deeds) -> None:
    for account, amount in deeds:
        asyncio.run(chain.transact(token, encode_call("mint(address,uint256)", chain.accounts[account], amount)))


def held(chain: EmbeddedChain, token: Address) -> list[object]:
    calls = (encode_call("balanceOf(address)", account) for account in chain.accounts)
    return [asked(chain, "eth_call", {"to": token, "data": "0x" + data.hex()}, "latest") for data in calls]


deeds = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10**24)), max_size=3)


@settings(max_examples=10)
@given(deeds, deeds, deeds)
def test_copy__of_any_chain__has_its_past_and_a_future_of_its_own(before: Deeds, here: Deeds, there: Deeds) -> None:
    chain = EmbeddedChain()
    token = asyncio.run(chain.deploy("Token", "Token", "TKN", 18))
    mint(chain, token, before)
    copied, again = copy_of(chain), copy_of(chain)
    assert newest(copied) == newest(chain)
    assert held(copied, token) == held(chain, token)
    mint(chain, token, here)
    seen = newest(chain), held(chain, token)
    mint(copied, token, there)
    assert (newest(chain), held(chain, token)) == seen
    mint(again, token, here)
    assert (newest(again), held(again, token)) == seen


def test_copy__time_goes_on__moves_only_that_chain() -> None:
    chain = EmbeddedChain()
    copied = copy_of(chain)
    began = chain.now
    copied.mine(Timestamp(began + 600))
    assert (chain.now, copied.now) == (began, began + 600)
    assert asked(copied, "eth_chainId") == asked(chain, "eth_chainId")
