"""An asynchronous vault on a chain: what a request takes out of a balance is found again until it arrives.

The contract is a double: none was found on npm.
"""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.positions import Erc7540Requests
from tests.protocols.chain import NAME, Chain, ReaderFailed
from tests.protocols.doubles import double
from tests.protocols.token_readers import erc20, erc4626, parts, total
from tests.requirements import needs_node

pytestmark = needs_node

WAD = 10**18
USD = 10**6


class Erc7540World:
    """An asynchronous vault at 1.1, of which the holder has 1,000 shares, and 500 in cash."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.holder, depositor = chain.accounts[1:3]
        self.token = chain.deploy(double("Token"), "USDC", 6)
        self.vault = chain.deploy(double("AsyncVault"), self.token)
        for account, assets in ((self.holder, 1_600), (depositor, 2_200)):
            chain.send(self.token, "mint(address,uint256)", account, assets * USD)
            chain.send(self.token, "approve(address,uint256)", self.vault, 2**255, sender=account)
        chain.send(self.vault, "seed(uint256,uint256)", 1_100 * USD, 1_000 * WAD, sender=self.holder)
        chain.send(self.vault, "seed(uint256,uint256)", 2_200 * USD, 2_000 * WAD, sender=depositor)

    def requests(self) -> Erc7540Requests:
        fields = {"kind": "erc7540", "id": "requests", "asset": "A", "chain": NAME, "holder": self.holder}
        return Erc7540Requests.model_validate({**fields, "vault": self.vault, "underlying": self.token})

    async def total(self) -> int:
        shares = erc4626(self.vault, self.token, self.holder)
        return await total(self.chain, erc20(self.token, self.holder), shares, self.requests())


@pytest.fixture(scope="module")
def asynchronous(chain: Chain) -> Erc7540World:
    return Erc7540World(chain)


async def test_erc7540__whole_life_of_a_redemption__conserves_the_total(
    chain: Chain, asynchronous: Erc7540World
) -> None:
    vault, holder = asynchronous.vault, asynchronous.holder
    worth = await asynchronous.total()
    assert worth == 1_600 * USD

    async def step(signature: str, *arguments: Any) -> dict[str, int]:
        chain.send(vault, signature, *arguments, sender=holder)
        assert await asynchronous.total() == worth
        return await parts(chain, asynchronous.requests())

    after = await step("requestRedeem(uint256,address,address)", 400 * WAD, holder, holder)
    assert after == {"redeem pending": 440 * USD, "redeem claimable": 0, "deposit pending": 0, "deposit claimable": 0}
    # The shares are gone from the balance: without this reader the NAV would fall by 440.
    assert (await parts(chain, erc4626(vault, asynchronous.token, holder))) == {"shares": 660 * USD}
    after = await step("fulfilRedeem(address,uint256)", holder, 150 * WAD)
    assert (after["redeem pending"], after["redeem claimable"]) == (275 * USD, 165 * USD)
    after = await step("withdraw(uint256,address,address)", 100 * USD, holder, holder)
    assert (after["redeem pending"], after["redeem claimable"]) == (275 * USD, 65 * USD)
    await step("fulfilRedeem(address,uint256)", holder, 250 * WAD)
    assert set((await step("withdraw(uint256,address,address)", 340 * USD, holder, holder)).values()) == {0}


async def test_erc7540__whole_life_of_a_deposit__conserves_the_total(chain: Chain, asynchronous: Erc7540World) -> None:
    vault, holder = asynchronous.vault, asynchronous.holder
    worth = await asynchronous.total()
    for signature, *arguments in (
        ("requestDeposit(uint256,address,address)", 330 * USD, holder, holder),
        ("fulfilDeposit(address,uint256)", holder, 110 * USD),
        ("mint(uint256,address,address)", 60 * WAD, holder, holder),
        ("fulfilDeposit(address,uint256)", holder, 220 * USD),
        ("mint(uint256,address,address)", 240 * WAD, holder, holder),
    ):
        chain.send(vault, str(signature), *arguments, sender=holder)
        assert await asynchronous.total() == worth
    assert set((await parts(chain, asynchronous.requests())).values()) == {0}


async def test_erc7540__vault_loss_after_fulfilment__leaves_claimable_fixed_while_pending_shares_it(
    chain: Chain, asynchronous: Erc7540World
) -> None:
    vault, holder = asynchronous.vault, asynchronous.holder
    chain.send(vault, "requestRedeem(uint256,address,address)", 800 * WAD, holder, holder, sender=holder)
    chain.send(vault, "fulfilRedeem(address,uint256)", holder, 400 * WAD)
    chain.send(vault, "lose(uint256)", 260 * USD)
    after = await parts(chain, asynchronous.requests())
    assert (after["redeem pending"], after["redeem claimable"]) == (400 * USD, 440 * USD)
    assert chain.view(vault, "convertToAssets(uint256)", ("uint256",), 400 * WAD) == 400 * USD


async def test_erc7540__preview_redeem__reverts_and_is_refused_by_the_reader_of_shares(
    chain: Chain, asynchronous: Erc7540World
) -> None:
    shares = erc4626(asynchronous.vault, asynchronous.token, asynchronous.holder, realizable="preview_redeem")
    with pytest.raises(ReaderFailed) as refusal:
        await chain.read(shares)
    assert refusal.value.code == "call_reverted"


async def test_erc7540__request_of_one_owner_for_another_controller__is_the_controllers(
    chain: Chain, asynchronous: Erc7540World
) -> None:
    vault, owner, controller = asynchronous.vault, asynchronous.holder, chain.accounts[3]
    chain.send(vault, "requestRedeem(uint256,address,address)", 400 * WAD, controller, owner, sender=owner)
    assert set((await parts(chain, asynchronous.requests())).values()) == {0}
    of_controller = asynchronous.requests().model_copy(update={"holder": controller})
    assert (await parts(chain, of_controller))["redeem pending"] == 440 * USD
