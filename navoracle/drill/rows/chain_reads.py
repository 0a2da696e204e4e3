"""Rows 29 to 37 and 41: nodes of another chain, nodes that lag, lie, forget, refuse or answer nonsense."""

from __future__ import annotations

from typing import Any

from navoracle.domain.errors import ChainError
from navoracle.drill.catalogue import row
from navoracle.drill.expect import RowFailed, require, require_not_posted, require_posted
from navoracle.drill.faults import frozen_head
from navoracle.drill.proxy import (
    ANY_METHOD,
    Fault,
    answer,
    error,
    lag,
    status,
    tamper,
    truncate,
    wrong_id,
)
from navoracle.drill.rehearsal import Rehearsal
from navoracle.store_port import SlotState

HEADS = ("eth_getBlockByNumber", "eth_blockNumber")


def flipped(text: Any) -> Any:
    """Another last digit."""
    return text[:-1] + format(int(text[-1], 16) ^ 1, "x") if isinstance(text, str) and len(text) > 2 else text


def lying(percent: int) -> Fault:
    """Well-formed answers of calls in which every amount is so many percent of what it is."""
    return tamper(lambda text: _changed(text, percent))


def _changed(text: Any, percent: int) -> Any:
    if not isinstance(text, str) or len(text) < 66:
        return text
    whole = len(text[2:]) // 64 * 64
    words = [text[2:][start : start + 64] for start in range(0, whole, 64)]
    return "0x" + "".join(_scaled(word, percent) for word in words) + text[2 + whole :]


def _scaled(word: str, percent: int) -> str:
    """An amount is large, and still no address, hash or negative number; lengths, offsets and times are small."""
    amount = int(word, 16)
    return format(amount * percent // 100, "064x") if 10**13 < amount < 10**33 else word


async def _values(r: Rehearsal) -> dict[str, int]:
    return {fund: (await r.world.word(fund)).price_per_share for fund in r.funds}


@row(29, "a node of another chain at the start", "all nodes say chain 1", started=False)
async def nodes_serve_another_chain_at_start__refuses_to_start(r: Rehearsal) -> None:
    r.fault("eth_chainId", answer(hex(r.world.shape.chain_id + 1)))
    try:
        await r.start()
    except ChainError as refusal:
        require(bool(refusal.advice), "the refusal carries no advice")
    else:
        raise RowFailed("it started on another chain")
    r.sound()
    await r.start()
    require_posted(await r.slot(), r.funds)


@row(30, "the chain id changes while it runs", "one node says another chain, then all of them")
async def chain_id_changes_in_mid_run__takes_the_node_out_and_halts_without_any(r: Rehearsal) -> None:
    other = answer(hex(r.world.shape.chain_id + 1))
    r.fault("eth_chainId", other, nodes=[0])
    require_posted(await r.slot(), r.funds)
    sent = len(r.broadcast)
    r.fault("eth_chainId", other)
    found = await r.slot()
    require(all(row.state is not SlotState.POSTED for row in found.values()), "it posted to nodes of another chain")
    require_not_posted(found, r.funds)
    require(len(r.broadcast) == sent, "something was broadcast to another chain")
    r.sound()
    require_posted(await r.slot(), r.funds)


@row(31, "a node lags", "one of three stands ten blocks behind")
async def node_lags__is_left_out(r: Rehearsal) -> None:
    for method in HEADS:
        r.fault(method, lag(10), nodes=[0])
    require_posted(await r.slot(), r.funds)


@row(32, "nodes are stuck at one head", "one of three, then all of them, for an hour")
async def node_is_stuck__is_left_out_and_without_any_nothing_is_posted(r: Rehearsal) -> None:
    stuck = frozen_head()
    for method in HEADS:
        r.fault(method, stuck, nodes=[0])
    await r.pass_time(60)
    require_posted(await r.slot(), r.funds)
    for node in range(len(r.proxies)):
        stuck = frozen_head()
        for method in HEADS:
            r.fault(method, stuck, nodes=[node])
    await r.pass_time(1_200)
    require_not_posted(await r.slot(), r.funds)
    r.sound()
    require_posted(await r.slot(), r.funds)


@row(33, "a node lies about state", "one changes amounts in what calls return; then two tell different lies")
async def node_lies_about_state__is_outvoted_and_without_agreement_nothing_is_posted(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    before = await _values(r)
    r.fault("eth_call", lying(104), nodes=[0])
    require_posted(await r.slot(), r.funds)
    posted = await _values(r)
    for fund, value in posted.items():
        moved = abs(value - before[fund]) * 100 > before[fund]
        require(not moved, f"{fund} went from {before[fund]} to {value}: one node's lie was believed")
    r.fault("eth_call", lying(106), nodes=[1])
    require_not_posted(await r.slot(), r.funds)
    require(await _values(r) == posted, "a value changed while nodes disagreed")
    r.sound()
    require_posted(await r.slot(), r.funds)


@row(34, "another block for the same number", "one node gives blocks another hash")
async def node_serves_another_block_for_a_number__is_not_believed(r: Rehearsal) -> None:
    r.fault(
        "eth_getBlockByNumber", tamper(lambda block: block and {**block, "hash": flipped(block["hash"])}), nodes=[0]
    )
    require_posted(await r.slot(), r.funds)


@row(35, "archive state is missing", "`missing trie node` from one node, then from all")
async def archive_state_is_missing__asks_another_node_or_says_so(r: Rehearsal) -> None:
    missing = error(-32000, "missing trie node 4f2a (path ) state is not available")
    r.fault("eth_call", missing, nodes=[0])
    require_posted(await r.slot(), r.funds)
    r.fault("eth_call", missing)
    require_not_posted(await r.slot(), r.funds)
    r.sound()
    require_posted(await r.slot(), r.funds)


@row(36, "the quota is used up", "HTTP 429 from one node to everything, then from all nodes to sends")
async def quota_is_used_up__backs_off_and_sends_nothing_blindly_again(r: Rehearsal) -> None:
    r.fault(ANY_METHOD, status(429, headers={"Retry-After": "1"}), nodes=[0])
    require_posted(await r.slot(), r.funds)
    r.sound()
    r.fault("eth_sendRawTransaction", status(429, headers={"Retry-After": "1"}))
    slot_time = await r.come_due()
    await r.pass_time(60)
    handed_in = max(len(proxy.broadcast) for proxy in r.proxies)
    require(handed_in <= 30, f"one node was asked {handed_in} times within a minute of refusals")
    r.sound()
    require_posted(await r.slot_ends(slot_time), r.funds)


@row(37, "answers that are none", "HTML, a wrong id, half a body: one kind on each node in turn, then on all")
async def answers_are_malformed__are_typed_errors_of_the_node(r: Rehearsal) -> None:
    kinds = (status(502, "<html>bad gateway</html>"), status(200, "<html>welcome</html>"), wrong_id, truncate)
    for kind in kinds:
        r.fault(ANY_METHOD, kind, nodes=[0])
        require_posted(await r.slot(), r.funds)
        r.sound()
    for node, kind in enumerate(kinds[:3]):
        r.fault(ANY_METHOD, kind, nodes=[node])
    require_not_posted(await r.slot(), r.funds)
    r.sound()
    require_posted(await r.slot(), r.funds)


@row(41, "one call of a batch fails", "the share token of one fund reverts")
async def one_call_of_a_batch_fails__only_its_fund_is_not_posted(r: Rehearsal) -> None:
    broken, others = r.funds[0], r.funds[1:]
    token = r.world.share(broken)
    code = await r.world.node.rpc("eth_getCode", token, "latest")
    before = await r.world.word(broken)
    await r.world.node.rpc("anvil_setCode", token, "0x60006000fd")
    await r.world.mine(r.world.newest + 12, blocks=1)
    await r.pass_time(60)
    found = await r.slot()
    require_not_posted(found, [broken])
    require_posted(found, others)
    require(await r.world.word(broken) == before, "a fund that could not be read was posted")
    await r.world.node.rpc("anvil_setCode", token, code)
    await r.pass_time(60)
    require_posted(await r.slot(), r.funds)
