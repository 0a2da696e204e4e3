"""The first form of a transaction: what is refused before it is signed, and how it goes out."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.chain.rpc import NodeRefused
from navoracle.domain.errors import (
    CallReverted,
    ChainError,
    FeeAboveCeiling,
    FeeBudgetSpent,
    InsufficientFunds,
    SignerFailed,
    WrongSignature,
)
from navoracle.domain.units import Timestamp
from navoracle.store_port import Severity, TransactionState, Urgency
from tests.unit.chain.transactions.faults import (
    PAUSED,
    FaultySigner,
    answering,
    lost_before,
    on,
)
from tests.unit.chain.transactions.mempool import START, Request
from tests.unit.chain.transactions.rig import GWEI, SIGNER, Rig, rig

# ---- refusals before anything is signed


async def test_submit__contract_would_refuse__ends_failed_without_a_nonce(here: Rig) -> None:
    here.chain.reverts[b"bad!"] = PAUSED
    number = await here.add(b"bad!")
    with pytest.raises(CallReverted, match=r"Paused\(\)"):
        await here.lane.submit(number)
    row = here.row(number)
    assert (row.state, row.nonce, row.attempts) == (TransactionState.FAILED, None, ())
    assert "Paused()" in str(row.error)
    assert here.row(await here.post()).nonce == 0


async def test_submit__one_node_of_three_lies_about_a_revert__is_sent(here: Rig) -> None:
    here.nodes.append(here.chain.node("node2"))
    await here.open()
    here.nodes[0].fault = on("eth_call", answering(NodeRefused("node", "eth_call", 3, "execution reverted")))
    assert here.state(await here.post()) is TransactionState.SENT


async def test_submit__one_node_of_two_says_that_it_reverts__is_refused(here: Rig) -> None:
    here.nodes[1].fault = on("eth_call", answering(NodeRefused("node", "eth_call", 3, "execution reverted", PAUSED)))
    with pytest.raises(CallReverted, match="Paused"):
        await here.post()


async def test_submit__estimate_below_what_the_data_use__is_not_believed(here: Rig) -> None:
    here.nodes[0].fault = on("eth_estimateGas", answering(hex(20_000)))
    assert here.row(await here.post()).attempts[0].gas == 72_000
    here.nodes[1].fault = here.nodes[0].fault
    with pytest.raises(ChainError, match="estimates 20000 gas"):
        await here.post()


async def test_submit__all_estimates_too_low__gas_is_doubled_until_the_call_goes_through(here: Rig) -> None:
    for node in here.nodes:
        node.fault = on("eth_estimateGas", answering(hex(22_000)))
    number = await here.post()
    assert here.row(number).attempts[0].gas == 105_600  # 26,400 doubled twice
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_submit__estimate_near_the_block_limit__is_capped_by_it(here: Rig) -> None:
    here.chain.gas = 29_000_000
    assert here.row(await here.post()).attempts[0].gas == 30_000_000


@pytest.mark.parametrize(
    ("urgency", "base", "refused"),
    [
        (Urgency.ROUTINE, 198, False),
        (Urgency.ROUTINE, 200, True),
        (Urgency.EMERGENCY, 200, False),
        (Urgency.EMERGENCY, 500, True),
    ],
)
async def test_submit__base_fee_near_the_ceiling_of_its_urgency__is_refused_above_it(
    here: Rig, urgency: Urgency, base: int, refused: bool
) -> None:
    here.chain.base_fee = base * GWEI
    number = await here.add(urgency=urgency)
    if refused:
        with pytest.raises(FeeAboveCeiling):
            await here.lane.submit(number)
        assert here.state(number) is TransactionState.FAILED
        assert [event.kind for event in here.events] == ["fee_cap"]
        assert (here.events[0].severity is Severity.CRITICAL) is (urgency is Urgency.EMERGENCY)
    else:
        await here.lane.submit(number)
        assert here.row(number).attempts[0].max_fee == {198: 200, 200: 401}[base] * GWEI


@pytest.mark.parametrize(("said", "expected"), [("0x0", 0), (hex(10**30), 20 * GWEI)])
async def test_submit__absurd_tips__are_clamped(here: Rig, said: str, expected: int) -> None:
    for node in here.nodes:
        node.fault = on("eth_maxPriorityFeePerGas", answering(said))
    attempt = here.row(await here.post()).attempts[0]
    assert (attempt.max_tip, attempt.max_fee) == (expected, 20 * GWEI + expected)


async def test_submit__one_node_names_an_absurd_base_fee__the_lower_one_counts(here: Rig) -> None:
    def absurd(sound: Request, method: str, params: Any) -> Any:
        return {**sound(method, params), "baseFeePerGas": hex(10**30)}

    here.nodes[0].fault = on("eth_getBlockByNumber", absurd)
    assert here.row(await here.post()).attempts[0].max_fee == 21 * GWEI


async def test_submit__node_without_suggestions__takes_the_fee_history(here: Rig) -> None:
    history = {"reward": [["0x5"], ["0x9"], ["0x7"]], "baseFeePerGas": ["0x1"]}
    for node in here.nodes:

        def fault(sound: Request, method: str, params: Any) -> Any:
            if method == "eth_maxPriorityFeePerGas":
                raise NodeRefused("node", method, -32601, "method not found")
            return history if method == "eth_feeHistory" else sound(method, params)

        node.fault = fault
    assert here.row(await here.post()).attempts[0].max_tip == 7


async def test_submit__budget_of_the_day__stops_routine_and_not_emergency(here: Rig) -> None:
    cost = 72_000 * 21 * GWEI
    await here.with_policy(routine_budget=2 * cost + cost // 2)
    await here.post()
    await here.post()
    with pytest.raises(FeeBudgetSpent, match="exceed the budget"):
        await here.post()
    assert here.told("fee_budget")[0].severity is Severity.WARNING
    await here.post(urgency=Urgency.EMERGENCY)
    await here.mine(3)
    # What was paid is less than what was reserved: there is room again.
    await here.post()
    await here.mine(3)
    numbers = [await here.add() for _ in range(5)]
    with pytest.raises(FeeBudgetSpent):
        await submit_and_mine(here, numbers)
    spent = here.store.fees_paid_since("main", SIGNER.address, Timestamp(0), Urgency.ROUTINE)
    assert spent <= 2 * cost + cost // 2
    here.clock.reading += 86_400
    await here.post()


async def submit_and_mine(here: Rig, numbers: list[int]) -> None:
    for number in numbers:
        await here.lane.submit(number)
        await here.mine(3)


async def test_submit__emergency_budget__is_its_own(here: Rig) -> None:
    await here.with_policy(emergency_budget=72_000 * 21 * GWEI - 1)
    await here.post()
    with pytest.raises(FeeBudgetSpent, match="emergency"):
        await here.post(urgency=Urgency.EMERGENCY)
    assert here.told("fee_budget")[0].severity is Severity.CRITICAL


async def test_submit__balance_does_not_cover_it__is_refused_and_resumes_after_a_top_up(here: Rig) -> None:
    here.chain.balances[SIGNER.address.lower()] = 72_000 * 21 * GWEI * 2 - 1
    first = await here.post()
    with pytest.raises(InsufficientFunds):
        await here.post()
    assert here.told("no_funds")[0].severity is Severity.CRITICAL
    await here.mine(3)
    assert here.state(first) is TransactionState.CONFIRMED
    here.chain.balances[SIGNER.address.lower()] = 10**18
    assert here.row(await here.post()).nonce == 1


async def test_submit__one_node_says_that_the_balance_is_gone__is_sent(here: Rig) -> None:
    here.nodes[0].fault = on("eth_getBalance", answering("0x0"))
    assert here.state(await here.post()) is TransactionState.SENT


async def test_submit__node_of_another_chain__gets_nothing(here: Rig) -> None:
    await here.tick()
    here.nodes[0].fault = on("eth_chainId", answering("0xa"))
    number = await here.post()
    assert [len(node.received) for node in here.nodes] == [0, 1]
    here.nodes[1].fault = here.nodes[0].fault
    with pytest.raises(ChainError, match="serves chain 10"):
        await here.post()
    assert [len(node.received) for node in here.nodes] == [0, 1]
    assert here.state(number) is TransactionState.SENT


async def test_submit__no_node__ends_failed(here: Rig) -> None:
    for node in here.nodes:
        node.fault = lost_before
    number = await here.add()
    with pytest.raises(ChainError):
        await here.lane.submit(number)
    assert here.state(number) is TransactionState.FAILED


async def test_submit__expired__ends_failed_unsigned(here: Rig) -> None:
    with pytest.raises(ChainError, match="expired"):
        await here.post(valid_until=Timestamp(START - 1))
    assert all(not node.received for node in here.nodes)


# ---- signers


@pytest.mark.parametrize(
    ("fault", "error", "kind"),
    [
        ("down", SignerFailed, "failed"),
        ("other key", WrongSignature, "wrong_signature"),
        ("other field", WrongSignature, "wrong_signature"),
    ],
)
async def test_submit__signer_at_fault__nothing_is_stored_or_sent_and_no_nonce_taken(
    fault: str, error: type[ChainError], kind: str
) -> None:
    signer = FaultySigner(fault)
    with rig(signer=signer) as here:
        await here.open()
        with pytest.raises(error):
            await here.post()
        assert here.row(1).attempts == ()
        assert all(not node.received for node in here.nodes)
        assert [event.kind for event in here.events] == [kind]
        signer.fault = ""
        assert here.row(await here.post()).nonce == 0


async def test_tick__signer_fails_while_replacing__the_old_form_is_broadcast_again() -> None:
    signer = FaultySigner("")
    with rig(signer=signer) as here:
        await here.open()
        number = await here.post()
        here.chain.drop()
        signer.fault = "other field"
        await here.tick(60)
        assert len(here.row(number).attempts) == 1
        assert here.told("wrong_signature")[0].severity is Severity.CRITICAL
        assert [sent.hash for sent in here.waiting()] == [here.row(number).attempts[0].signed.hash]
