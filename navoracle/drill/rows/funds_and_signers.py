"""Row 28: a signer that has nothing to pay with."""

from __future__ import annotations

from navoracle.drill.catalogue import row
from navoracle.drill.commands import POSTER, SIGNERS
from navoracle.drill.expect import require, require_not_posted, require_posted
from navoracle.drill.rehearsal import Rehearsal


@row(28, "the signer has no coins", "its balance is set to nothing, and filled up an hour later")
async def signer_has_no_coins__says_so_and_goes_on_by_itself_when_it_has(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    balance = await r.world.balance()
    await r.world.node.rpc("anvil_setBalance", SIGNERS[POSTER].address, "0x0")
    await r.pass_time(330)
    require_not_posted(await r.slot(), r.funds, "fund", "balance", "coins")
    require(bool(r.events("transaction_no_funds")), "nobody was told that the signer has no coins")
    await r.world.node.rpc("anvil_setBalance", SIGNERS[POSTER].address, hex(balance))
    await r.pass_time(30)
    require_posted(await r.slot(), r.funds)
