"""The way of a transaction from its intent to its end, over nodes with mempools and a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from navoracle.chain.rpc import NoAnswer, NodeRefused
from navoracle.chain.signers import EphemeralSigner
from navoracle.domain.errors import (
    CallReverted,
    ChainError,
    ConfigurationError,
    FeeAboveCeiling,
    FeeBudgetSpent,
    InsufficientFunds,
    LeaseLost,
    SignerFailed,
    WrongSignature,
)
from navoracle.domain.gas_fees import Fees
from navoracle.domain.units import Timestamp
from navoracle.store_port import Severity, TransactionKind, TransactionState, Urgency
from tests.unit.chain.transactions.mempool import START, Fault, Request, pool_of
from tests.unit.chain.transactions.rig import GWEI, SIGNER, TARGET, Rig, rig

PAUSED = bytes.fromhex("9e87fac8")


@pytest.fixture
async def here() -> AsyncIterator[Rig]:
    with rig() as made:
        await made.open()
        yield made
        assert made.advice_is_given()


def on(method: str, fault: Fault) -> Fault:
    """The fault for one method."""

    def some(sound: Request, asked: str, params: Any) -> Any:
        return fault(sound, asked, params) if asked == method else sound(asked, params)

    return some


def answering(answer: Any) -> Fault:
    def fault(_sound: Request, _method: str, _params: Any) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return fault


def lost_after(sound: Request, method: str, params: Any) -> Any:
    """The node acts, and its answer is lost."""
    sound(method, params)
    raise NoAnswer("node: the connection was closed", advice="Check it.")


def lost_before(_sound: Request, _method: str, _params: Any) -> Any:
    raise NoAnswer("node: the connection was closed", advice="Check it.")


# ---- the ordinary way


async def test_submit__sound_nodes__is_stored_then_broadcast_once(here: Rig) -> None:
    number = await here.post(b"\x01\x02\x03")
    row = here.row(number)
    assert (row.state, row.nonce, len(row.attempts)) == (TransactionState.SENT, 0, 1)
    (attempt,) = row.attempts
    assert [len(node.received) for node in here.nodes] == [1, 0]
    (sent,) = here.waiting()
    assert (sent.hash, sent.raw, sent.data, sent.sender) == (
        attempt.signed.hash,
        attempt.signed.raw,
        b"\x01\x02\x03",
        SIGNER.address,
    )
    assert (attempt.gas, attempt.max_fee, attempt.max_tip) == (72_000, 21 * GWEI, GWEI)
    assert attempt.sent_at == START
    assert [event.kind for event in here.events] == ["sent"]


async def test_tick__mined_and_deep_enough__ends_confirmed(here: Rig) -> None:
    number = await here.post()
    await here.tick()
    assert here.state(number) is TransactionState.SENT
    await here.mine()
    assert here.state(number) is TransactionState.MINED
    assert here.row(number).fee_paid == 60_000 * 11 * GWEI
    await here.mine()
    assert here.state(number) is TransactionState.MINED
    await here.mine()
    row = here.row(number)
    assert (row.state, row.error) == (TransactionState.CONFIRMED, None)
    assert row.receipt is not None
    assert row.receipt.block_number == 1
    assert [event.kind for event in here.events] == ["sent", "mined", "confirmed"]
    assert here.store.open_transactions("main", SIGNER.address) == ()


async def test_submit__several__take_nonces_one_after_the_other(here: Rig) -> None:
    numbers = [await here.add() for _ in range(5)]
    await asyncio.gather(*(here.lane.submit(number) for number in numbers))
    assert sorted(here.row(number).nonce or 0 for number in numbers) == [0, 1, 2, 3, 4]
    await here.mine(3)
    await here.tick()
    assert {here.state(number) for number in numbers} == {TransactionState.CONFIRMED}


async def test_submit__again__changes_nothing(here: Rig) -> None:
    number = await here.post()
    await here.lane.submit(number)
    assert len(here.row(number).attempts) == 1
    await here.mine(3)
    await here.lane.submit(number)
    assert [len(node.received) for node in here.nodes] == [1, 0]


async def test_add__same_key__is_the_same_transaction(here: Rig) -> None:
    assert await here.add(key="fund:1") == await here.add(key="fund:1")


@pytest.mark.parametrize("step", ["first", "dearer", "freeing", "gap"])
async def test_broadcast__any_form__is_stored_before_a_node_sees_it(here: Rig, step: str) -> None:
    seen: list[bool] = []

    def look(sound: Request, method: str, params: Any) -> Any:
        rows = here.store.transactions("main")
        seen.append(params[0] in {attempt.signed.raw for row in rows for attempt in row.attempts})
        return sound(method, params)

    if step == "gap":
        await foreign(here, nonce=0, mine=True)
    if step != "first":
        await here.post(valid_until=Timestamp(START + 40) if step == "freeing" else None)
    if step == "gap":
        here.chain.reorganize(1, keep=False)
        await here.tick()
    for node in here.nodes:
        node.fault = on("eth_sendRawTransaction", look)
    forms = sum(len(row.attempts) for row in here.store.transactions("main"))
    if step == "first":
        await here.post()
    else:
        await here.tick(20 if step == "gap" else 48)
    assert sum(len(row.attempts) for row in here.store.transactions("main")) == forms + 1
    assert seen
    assert all(seen)


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


class FaultySigner(EphemeralSigner):
    """Signs something else, with another key, or not at all."""

    def __init__(self, fault: str) -> None:
        super().__init__(bytes(31) + b"\x07")
        self.fault = fault

    async def sign(self, transaction: Any) -> bytes:
        if self.fault == "down":
            raise SignerFailed("the signer did not answer", advice="Start it.")
        if self.fault == "other key":
            return await EphemeralSigner(bytes(31) + b"\x08").sign(transaction)
        if self.fault == "other field":
            return await super().sign({**transaction, "value": 1})
        return await super().sign(transaction)


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


# ---- broadcasts that go wrong


@pytest.mark.parametrize("fault", [lost_after, lost_before])
async def test_submit__answer_or_request_lost__is_the_same_transaction_later(here: Rig, fault: Fault) -> None:
    here.nodes[0].fault = on("eth_sendRawTransaction", fault)
    number = await here.post()
    row = here.row(number)
    assert (row.state, len(row.attempts), row.nonce) == (TransactionState.PREPARED, 1, 0)
    assert "closed" in str(row.attempts[0].error)
    here.nodes[0].fault = None
    await here.tick(30)
    assert len(here.row(number).attempts) == 1
    assert here.state(number) is TransactionState.SENT
    assert {sent.hash for node in here.nodes for sent in node.pool.values()} == {row.attempts[0].signed.hash}
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    assert len(here.chain.mined()) == 1


@pytest.mark.parametrize(
    "words", ["already known", "transaction already imported", "Known transaction", "AlreadyKnown"]
)
async def test_submit__node_has_it_already__counts_as_sent(here: Rig, words: str) -> None:
    here.nodes[0].fault = on("eth_sendRawTransaction", answering(NodeRefused("node", "send", -32000, words)))
    number = await here.post()
    assert here.state(number) is TransactionState.SENT
    assert here.row(number).attempts[0].error is None


async def test_submit__node_answers_another_hash__is_looked_up_and_not_signed_anew(here: Rig) -> None:
    here.nodes[0].fault = on("eth_sendRawTransaction", answering("0x" + "22" * 32))
    number = await here.post()
    assert "instead of the hash" in str(here.row(number).attempts[0].error)
    here.nodes[0].fault = None
    await here.tick(30)
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    assert len(here.row(number).attempts) == 1


async def test_submit__first_node_is_left_alone_just_now__the_next_one_gets_it(here: Rig) -> None:
    await here.tick()
    number = await here.add()
    node = here.lane._desk.nodes._pool._nodes[0]
    node._back_off.failed(10**9)
    node._back_off._until = float("inf")
    await here.lane.submit(number)
    assert [len(each.received) for each in here.nodes] == [0, 1]


async def test_tick__mempools_dropped_it__is_broadcast_again_and_again(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    await here.tick(29)
    assert here.waiting() == []
    await here.tick(1)
    assert [len(here.waiting(index)) for index in (0, 1)] == [1, 1]
    assert len(here.row(number).attempts) == 1
    assert [event.kind for event in here.events] == ["sent", "republished"]


async def test_tick__insufficient_funds_at_the_node__keeps_watching_and_resumes(here: Rig) -> None:
    refusal = answering(NodeRefused("node", "send", -32003, "Insufficient funds for gas * price + value"))
    for node in here.nodes:
        node.fault = on("eth_sendRawTransaction", refusal)
    number = await here.post()
    for _ in range(5):
        await here.tick(60)
    assert len(here.row(number).attempts) == 1  # a dearer form would be refused all the more
    assert len(here.told("no_funds")) == 1
    for node in here.nodes:
        node.fault = None
    await here.tick(60)
    assert here.state(number) is TransactionState.SENT
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


# ---- replacing


async def test_tick__not_mined__is_replaced_by_both_fields_and_all_hashes_are_kept(here: Rig) -> None:
    number = await here.post()
    here.chain.base_fee = 30 * GWEI
    await here.tick(48)
    first, second = here.row(number).attempts
    assert (second.max_fee, second.max_tip) == (61 * GWEI, 11 * GWEI // 10)
    assert second.signed.nonce == first.signed.nonce
    assert [sent.hash for sent in here.waiting()] == [second.signed.hash]
    await here.mine(3)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.CONFIRMED, second.signed.hash)
    assert [event.kind for event in here.events] == ["sent", "bumped", "mined", "confirmed"]


async def test_tick__fees_do_not_rise__is_replaced_by_a_tenth_more(here: Rig) -> None:
    number = await here.post()
    await here.tick(48)
    await here.tick(47)
    assert len(here.row(number).attempts) == 2
    await here.tick(1)
    fees = [(each.max_fee, each.max_tip) for each in here.row(number).attempts]
    assert fees == [
        (21 * GWEI, GWEI),
        (23_100_000_000, 1_100_000_000),
        (25_410_000_000, 1_210_000_000),
    ]
    assert [len(node.pool) for node in here.nodes] == [1, 1]


async def test_tick__earlier_form_is_mined__is_adopted(here: Rig) -> None:
    number = await here.post()
    (first,) = here.waiting()
    await here.tick(48)
    assert len(here.row(number).attempts) == 2
    here.chain.mine(3, only=[first])
    await here.tick(12)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.CONFIRMED, first.hash)


async def test_tick__at_the_ceiling__is_broadcast_again_and_told_once(here: Rig) -> None:
    here.chain.base_fee = 90 * GWEI
    number = await here.post()
    here.chain.base_fee = 4_500 * GWEI
    for _ in range(40):
        await here.tick(48)
    attempts = here.row(number).attempts
    assert max(each.max_fee for each in attempts) == 200 * GWEI
    assert len(here.told("fee_cap")) == 1
    assert here.told("fee_cap")[0].severity is Severity.WARNING
    here.chain.drop()
    await here.tick(48)
    assert [sent.hash for sent in here.waiting()] == [attempts[-1].signed.hash]
    here.chain.base_fee = 100 * GWEI
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__emergency__may_go_above_the_routine_ceiling(here: Rig) -> None:
    number = await here.post(urgency=Urgency.EMERGENCY)
    here.chain.base_fee = 300 * GWEI
    await here.tick(48)
    assert here.row(number).attempts[-1].max_fee == 500 * GWEI


async def test_tick__emergency_behind_a_routine_one__raises_that_one_too(here: Rig) -> None:
    routine = await here.post()
    here.chain.base_fee = 300 * GWEI
    urgent = await here.post(urgency=Urgency.EMERGENCY)
    await here.tick(48)
    await here.mine(3)
    assert here.state(routine) is TransactionState.CONFIRMED
    assert here.state(urgent) is TransactionState.CONFIRMED


async def test_tick__several_wait__only_the_first_is_replaced_while_the_others_could_be_mined(here: Rig) -> None:
    numbers = [await here.post() for _ in range(3)]
    await here.tick(48)
    assert [len(here.row(number).attempts) for number in numbers] == [2, 1, 1]
    here.chain.base_fee = 25 * GWEI
    await here.tick(48)
    assert [len(here.row(number).attempts) for number in numbers] == [3, 2, 2]


async def test_tick__no_price_to_be_had__the_old_form_is_broadcast_again(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    for node in here.nodes:
        node.fault = on("eth_maxPriorityFeePerGas", lost_before)
    await here.tick(48)
    assert len(here.row(number).attempts) == 1
    assert [sent.hash for sent in here.waiting()] == [here.row(number).attempts[0].signed.hash]
    assert len(here.told("send_failed")) == 1


async def test_tick__budget_does_not_cover_the_dearer_form__the_old_one_is_broadcast_again(here: Rig) -> None:
    await here.with_policy(routine_budget=72_000 * 21 * GWEI)
    number = await here.post()
    here.chain.drop()
    await here.tick(48)
    await here.tick(48)
    assert len(here.row(number).attempts) == 1
    assert len(here.waiting()) == 1
    assert len(here.told("fee_budget")) == 1


async def test_tick__node_calls_the_replacement_underpriced__is_raised_again_within_bounds(here: Rig) -> None:
    number = await here.post()
    underpriced = answering(NodeRefused("node", "send", -32000, "replacement transaction underpriced"))
    for node in here.nodes:
        node.fault = on("eth_sendRawTransaction", underpriced)
    await here.tick(48)
    for _ in range(20):
        await here.tick(1)
    # One at the ordinary pace, and no more than five at once after it.
    assert len(here.row(number).attempts) == 7
    for node in here.nodes:
        node.fault = None
    await here.tick(48)
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_submit__foreign_transaction_waits_with_the_nonce__is_outbid(here: Rig) -> None:
    await foreign(here, nonce=0, fee=40 * GWEI, tip=2 * GWEI)
    number = await here.post()
    assert "underpriced" in str(here.row(number).attempts[0].error)
    for _ in range(20):
        await here.tick(30)
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED


async def foreign(here: Rig, *, nonce: int, fee: int = 30 * GWEI, tip: int = 3 * GWEI, mine: bool = False) -> None:
    """A transaction of the same key that nobody told the keeper of."""
    raw = await SIGNER.sign(
        {
            "type": 2,
            "chainId": 1,
            "nonce": nonce,
            "gas": 100_000,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": tip,
            "to": bytes.fromhex(TARGET[2:]),
            "value": 0,
            "data": b"foreign!",
        }
    )
    for node in here.nodes:
        node.take("0x" + raw.hex())
    if mine:
        here.chain.mine()


# ---- expiry


async def test_tick__expired__its_nonce_is_freed_by_a_form_that_does_nothing(here: Rig) -> None:
    number = await here.post(valid_until=Timestamp(START + 40))
    here.chain.base_fee = 30 * GWEI
    await here.tick(41)
    first, second = here.row(number).attempts
    assert (second.noop, second.gas, second.signed.to) == (True, 21_000, SIGNER.address)
    assert second.max_fee >= first.max_fee * 11 // 10
    assert here.told("expired")[0].severity is Severity.WARNING
    await here.mine(3)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.REPLACED, second.signed.hash)
    assert "expired" in str(row.error)
    assert here.row(await here.post()).nonce == 1


async def test_tick__expired_and_mined_all_the_same__is_confirmed(here: Rig) -> None:
    number = await here.post(valid_until=Timestamp(START + 40))
    (post,) = here.waiting()
    await here.tick(41)
    here.chain.mine(3, only=[post])
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__expired_form_is_stuck__is_replaced_likewise(here: Rig) -> None:
    number = await here.post(valid_until=Timestamp(START + 40))
    here.chain.base_fee = 450 * GWEI
    for _ in range(4):
        await here.tick(48)
    attempts = here.row(number).attempts
    assert [each.noop for each in attempts] == [False] + [True] * (len(attempts) - 1)
    await here.mine(3)
    assert here.state(number) is TransactionState.REPLACED


async def test_tick__expired_and_no_room_to_outbid__only_what_frees_the_nonce_is_broadcast_again(here: Rig) -> None:
    number = await here.post(valid_until=Timestamp(START + 40), urgency=Urgency.EMERGENCY)
    here.chain.base_fee = 400 * GWEI
    await here.with_policy(emergency_max_fee=22 * GWEI, routine_max_fee=22 * GWEI)
    here.chain.drop()
    await here.tick(41)
    await here.tick(60)
    (waiting,) = here.waiting()
    assert (waiting.data, waiting.fee) == (b"", 22 * GWEI)
    assert [each.noop for each in here.row(number).attempts] == [False, True]
    assert here.told("fee_cap")
    here.chain.base_fee = 10 * GWEI
    await here.mine(3)
    assert here.state(number) is TransactionState.REPLACED


async def test_tick__never_signed_and_expired__ends_failed(here: Rig) -> None:
    number = await here.add(valid_until=Timestamp(START + 40))
    await here.tick(40)
    assert here.state(number) is TransactionState.PREPARED
    await here.tick(1)
    assert here.state(number) is TransactionState.FAILED


# ---- receipts


async def test_tick__receipts_are_withheld__waits_and_signs_nothing(here: Rig) -> None:
    number = await here.post()
    here.chain.mine(5)
    here.nodes[0].fault = on("eth_getTransactionReceipt", answering(None))
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED  # the other node has it

    second = await here.post()
    here.chain.mine(5)
    here.nodes[1].fault = here.nodes[0].fault
    for _ in range(2):
        await here.tick(12)
    assert here.state(second) is TransactionState.SENT
    assert len(here.row(second).attempts) == 1
    here.nodes[1].fault = None
    await here.tick(12)
    assert here.state(second) is TransactionState.CONFIRMED


@pytest.mark.parametrize(
    "change",
    [
        {"blockNumber": "many"},
        {"blockHash": "0x12"},
        {"transactionHash": "0x" + "11" * 32},
        {"status": "0x2"},
        {"blockHash": "0x" + "33" * 32},
    ],
)
async def test_tick__malformed_or_invented_receipt__is_that_nodes_error(here: Rig, change: dict[str, str]) -> None:
    def lie(sound: Request, method: str, params: Any) -> Any:
        found = sound(method, params)
        return None if found is None else {**found, **change}

    number = await here.post()
    for node in here.nodes:
        node.fault = on("eth_getTransactionReceipt", lie)
    await here.mine(5)
    for _ in range(5):
        await here.tick(60)
    assert here.state(number) is TransactionState.SENT
    assert len(here.row(number).attempts) == 1
    here.nodes[0].fault = None
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__nodes_disagree_on_the_outcome__waits(here: Rig) -> None:
    def reverted(sound: Request, method: str, params: Any) -> Any:
        found = sound(method, params)
        return None if found is None else {**found, "status": "0x0"}

    number = await here.post()
    here.nodes[0].fault = on("eth_getTransactionReceipt", reverted)
    await here.mine(5)
    assert here.state(number) is TransactionState.SENT
    here.nodes.append(here.chain.node("node2"))
    await here.open()
    await here.tick()
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__reverted_in_its_block__ends_failed_with_the_reason(here: Rig) -> None:
    number = await here.post(b"post")
    here.chain.reverts[b"post"] = PAUSED
    await here.mine(3)
    row = here.row(number)
    assert row.state is TransactionState.FAILED
    assert "Paused()" in str(row.error)
    assert row.fee_paid is not None
    assert here.told("failed")[0].advice


# ---- nonces that others use


async def test_tick__another_transaction_used_the_nonce__ends_replaced_after_enough_looks(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    await foreign(here, nonce=0, mine=True)
    here.chain.mine(3)
    await here.tick(12)
    await here.tick(30)
    assert here.state(number) is TransactionState.SENT
    assert len(here.row(number).attempts) == 1
    await here.tick(30)
    assert here.state(number) is TransactionState.REPLACED
    (event,) = here.told("key_used_elsewhere")
    assert (event.severity, event.transaction) == (Severity.CRITICAL, number)
    assert here.row(await here.post()).nonce == 1


async def test_tick__ours_is_in_a_block_and_no_node_has_its_receipt__waits_for_the_receipt(here: Rig) -> None:
    number = await here.post()
    here.chain.mine(3)
    for node in here.nodes:
        node.fault = on("eth_getTransactionReceipt", answering(None))
    for _ in range(6):
        await here.tick(60)
    assert here.state(number) is TransactionState.SENT
    assert here.told("key_used_elsewhere") == []
    for node in here.nodes:
        node.fault = None
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


async def test_tick__foreign_use_is_not_deep_yet__waits(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    await foreign(here, nonce=0, mine=True)
    for _ in range(5):
        await here.tick(60)
    assert here.state(number) is TransactionState.SENT
    await here.mine(2)
    await here.tick(12)
    assert here.state(number) is TransactionState.REPLACED


async def test_tick__too_few_nodes_answer_about_receipts__decides_nothing(here: Rig) -> None:
    number = await here.post()
    here.chain.drop()
    await foreign(here, nonce=0, mine=True)
    here.chain.mine(3)
    here.nodes[0].fault = on("eth_getTransactionReceipt", lost_before)
    for _ in range(5):
        await here.tick(60)
    assert here.state(number) is TransactionState.SENT


async def test_submit__nonce_used_by_others_before__is_skipped(here: Rig) -> None:
    await foreign(here, nonce=0, mine=True)
    assert here.row(await here.post()).nonce == 1


async def test_submit__one_node_lags_with_the_count__our_own_record_counts(here: Rig) -> None:
    for _ in range(3):
        await here.post()
    await here.mine(3)
    for node in here.nodes:
        node.fault = on("eth_getTransactionCount", answering("0x1"))
    assert here.row(await here.post()).nonce == 3


async def test_submit__one_node_of_three_invents_a_count__is_not_believed(here: Rig) -> None:
    here.nodes.append(here.chain.node("node2"))
    await here.open()
    here.nodes[0].fault = on("eth_getTransactionCount", answering("0x64"))
    assert here.row(await here.post()).nonce == 0


# ---- gaps


async def test_tick__nonce_that_nothing_uses__is_filled(here: Rig) -> None:
    await foreign(here, nonce=0, mine=True)
    number = await here.post()
    here.chain.reorganize(1, keep=False)  # the foreign transaction is gone for good
    await here.tick()
    await here.tick(10)
    (event,) = here.told("gap_filled")
    await here.mine(3)
    await here.tick()
    assert here.state(number) is TransactionState.CONFIRMED
    noop = here.store.transactions("main")[0]
    assert (noop.intent.kind, noop.intent.to, noop.intent.data) == (TransactionKind.NOOP, SIGNER.address, b"")
    assert noop.intent.key == f"gap:main:{SIGNER.address}:0"
    assert (noop.state, noop.nonce, event.transaction) == (TransactionState.CONFIRMED, 0, noop.id)


async def test_tick__signer_fails_while_a_gap_is_filled__is_told_and_filled_later() -> None:
    signer = FaultySigner("")
    with rig(signer=signer) as here:
        await here.open()
        await foreign(here, nonce=0, mine=True)
        number = await here.post()
        here.chain.reorganize(1, keep=False)
        signer.fault = "other key"
        for _ in range(4):
            await here.tick(10)
        (event,) = here.told("wrong_signature")
        assert (event.severity, bool(event.advice)) == (Severity.CRITICAL, True)
        assert not here.told("gap_filled")
        signer.fault = ""
        await here.tick(10)
        await here.mine(3)
        await here.tick()
        assert here.state(number) is TransactionState.CONFIRMED
        assert here.store.open_transactions("main", SIGNER.address) == ()


async def test_submit__node_is_slow_to_take_a_broadcast__the_next_one_is_not_held_up(here: Rig) -> None:
    gate, entered = asyncio.Event(), asyncio.Event()

    async def slow(sound: Request, method: str, params: Any) -> Any:
        entered.set()
        await gate.wait()
        return sound(method, params)

    here.nodes[0].fault = on("eth_sendRawTransaction", slow)
    first, second = await here.add(), await here.add(urgency=Urgency.EMERGENCY)
    waiting = asyncio.create_task(here.lane.submit(first))
    await entered.wait()
    here.nodes[0].fault = None
    async with asyncio.timeout(20):
        await here.lane.submit(second)
    assert [sent.nonce for sent in here.waiting()] == [1]
    gate.set()
    await waiting
    assert [sent.nonce for sent in here.waiting()] == [0, 1]


async def test_tick__gap_is_seen_once__is_not_filled_yet(here: Rig) -> None:
    await foreign(here, nonce=0, mine=True)
    await here.post()
    here.chain.reorganize(1, keep=False)
    await here.tick(60)
    assert not here.told("gap_filled")


async def test_tick__all_nodes_count_too_few_for_long__nothing_is_filled_or_doubled(here: Rig) -> None:
    for _ in range(3):
        await here.post()
    await here.mine(3)
    for node in here.nodes:
        node.fault = on("eth_getTransactionCount", answering("0x1"))
    number = await here.post()
    for _ in range(10):
        await here.tick(60)
    assert here.row(number).nonce == 3
    assert len(here.store.transactions("main")) == 4
    for node in here.nodes:
        node.fault = None
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    assert not here.told("key_used_elsewhere")


async def test_tick__stuck_filler__is_replaced_like_any_other(here: Rig) -> None:
    await foreign(here, nonce=0, mine=True)
    number = await here.post()
    here.chain.reorganize(1, keep=False)
    await here.tick()
    await here.tick(10)
    here.chain.base_fee = 50 * GWEI
    await here.tick(48)
    await here.tick(48)
    await here.mine(3)
    await here.tick()
    assert here.state(number) is TransactionState.CONFIRMED


# ---- reorganizations


async def test_tick__reorganization__is_sent_again_and_confirmed_in_the_end(here: Rig) -> None:
    number = await here.post()
    await here.mine()
    assert here.state(number) is TransactionState.MINED
    here.chain.reorganize(1, keep=False)
    here.chain.mine()
    here.chain.drop()
    await here.tick(12)
    row = here.row(number)
    assert (row.state, row.receipt, len(row.attempts)) == (TransactionState.SENT, None, 1)
    assert [sent.hash for sent in here.waiting()] == [row.attempts[0].signed.hash]
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    assert here.told("reorganized")[0].severity is Severity.WARNING


async def test_tick__reorganization_to_a_shorter_chain__is_seen(here: Rig) -> None:
    number = await here.post()
    await here.mine()
    here.chain.reorganize(1, keep=False)
    await here.tick(1)
    assert here.state(number) is TransactionState.SENT


async def test_tick__reorganization_moves_it_to_another_block__is_followed(here: Rig) -> None:
    number = await here.post()
    await here.mine()
    here.chain.reorganize(1)
    here.chain.mine(4)
    await here.tick(12)
    row = here.row(number)
    assert row.state is TransactionState.CONFIRMED
    assert row.receipt is not None
    assert row.receipt.block_hash == here.chain.blocks[1].hash


async def test_tick__reorganization_after_which_an_earlier_form_wins__is_adopted(here: Rig) -> None:
    number = await here.post()
    (first,) = here.waiting()
    await here.tick(48)
    await here.mine()
    here.chain.reorganize(1, keep=False)
    here.chain.mine(3, only=[first])
    await here.tick(12)
    row = here.row(number)
    assert (row.state, row.receipt and row.receipt.hash) == (TransactionState.CONFIRMED, first.hash)


async def test_tick__what_was_final_is_taken_back__stops_and_says_so(here: Rig) -> None:
    number = await here.post()
    await here.mine(3)
    assert here.state(number) is TransactionState.CONFIRMED
    here.chain.reorganize(3, keep=False)
    here.chain.mine(4)
    await here.tick(12)
    await here.tick(12)
    (event,) = here.told("deep_reorganization")
    assert event.severity is Severity.CRITICAL
    with pytest.raises(ChainError, match="final"):
        await here.post()
    # It was broadcast again: once it is back, so is the lane.
    await here.mine(3)
    await here.tick(12)
    assert here.row(await here.post()).nonce == 1
    assert len(here.chain.mined()) == 1


async def test_tick__what_was_final_can_not_come_back__its_nonce_is_freed_and_the_lane_goes_on(here: Rig) -> None:
    await here.post()
    await here.mine(3)
    here.chain.reorganize(3, keep=False)
    here.chain.base_fee = 50 * GWEI  # more than it offers
    here.chain.mine(4)
    for _ in range(4):
        await here.tick(30)
    (noop,) = (row for row in here.store.transactions("main") if row.intent.kind is TransactionKind.NOOP)
    assert noop.attempts[0].max_fee >= 21 * GWEI * 11 // 10
    await here.mine(3)
    await here.tick(12)
    assert here.row(await here.post()).nonce == 1
    assert len(here.told("deep_reorganization")) == 1


async def test_submit__given_up_with_a_nonce_far_above__that_nonce_counts_for_nothing(here: Rig) -> None:
    number = await here.add()
    attempt, _ = await here.lane._desk.sign(here.row(number), 3, 100_000, Fees(GWEI, GWEI), noop=False)
    here.store.save_attempt(here.lane.lease, number, attempt)
    here.store.end_transaction(here.lane.lease, number, TransactionState.FAILED, here.clock.now(), "given up")
    numbers = [await here.post() for _ in range(5)]
    assert [here.row(each).nonce for each in numbers] == [0, 1, 2, 3, 4]
    await here.mine(3)
    assert {here.state(each) for each in numbers} == {TransactionState.CONFIRMED}


async def test_tick__node_fails_to_answer__confirmed_stays_what_it_is(here: Rig) -> None:
    await here.post()
    await here.mine(3)
    for node in here.nodes:
        node.fault = on("eth_getBlockByNumber", answering(None))
    for _ in range(3):
        await here.tick(12)
    assert not here.told("deep_reorganization")


# ---- processes that come and go


async def test_open__after_a_crash_between_storing_and_sending__sends_the_same_bytes(here: Rig) -> None:
    for node in here.nodes:
        node.fault = on("eth_sendRawTransaction", answering(KeyboardInterrupt()))
    number = await here.add()
    with pytest.raises(KeyboardInterrupt):
        await here.lane.submit(number)
    stored = here.row(number).attempts[0].signed
    for node in here.nodes:
        node.fault = None
    await here.open()
    await here.tick()
    assert [sent.raw for sent in here.waiting()] == [stored.raw]
    assert here.state(number) is TransactionState.SENT


async def test_open__another_keeper_has_the_lane__is_refused_and_writes_nothing(here: Rig) -> None:
    other = Rig(here.store)
    other.lane._owner = "another keeper"
    assert not await other.lane.open()
    with pytest.raises(LeaseLost, match="not ours"):
        await other.lane.tick()
    with pytest.raises(LeaseLost):
        _ = other.lane.lease
    await here.lane.close()
    assert await other.lane.open()


async def test_submit__lease_was_taken_over__signs_nothing(here: Rig) -> None:
    number = await here.add()
    await here.lane.close()
    stale = here.lane
    await here.open()
    stale._desk.held = replace(here.lane.lease, epoch=here.lane.lease.epoch - 1)
    with pytest.raises(LeaseLost):
        await stale.submit(number)
    with pytest.raises(LeaseLost):
        await stale.tick()
    assert here.row(number).attempts == ()
    assert await stale.open()  # its own owner takes it anew


async def test_tick__no_node_answers__leaves_everything_as_it_is(here: Rig) -> None:
    number = await here.post()
    before = here.row(number)
    for node in here.nodes:
        node.fault = lost_before
    for _ in range(3):
        await here.tick(60)
    assert here.row(number) == before


async def test_tick__one_node_of_two_is_down__still_pushes_but_confirms_nothing(here: Rig) -> None:
    number = await here.post()
    here.nodes[1].fault = lost_before
    await here.tick(48)
    assert len(here.row(number).attempts) == 2
    await here.mine(5)
    assert here.state(number) is TransactionState.SENT
    here.nodes[1].fault = None
    await here.tick(12)
    assert here.state(number) is TransactionState.CONFIRMED


# ---- money


async def test_status__after_spending__says_what_there_is(here: Rig) -> None:
    status = await here.lane.status()
    assert (status.runway, status.next_nonce, status.pending, status.spent_today) == (None, 0, 0, 0)
    await here.post()
    await here.mine(3)
    await here.post()
    status = await here.lane.status()
    paid = 60_000 * 11 * GWEI
    assert (status.next_nonce, status.pending, status.spent_today) == (2, 1, paid)
    assert status.balance == 1_000 * 10**18 - paid
    assert status.runway == status.balance * 6 * 3_600 // paid
    assert (status.chain, status.sender, status.budget_per_day) == ("main", SIGNER.address, None)


async def test_tick__balance_runs_low__is_told_once_for_each_level(here: Rig) -> None:
    paid = 60_000 * 11 * GWEI
    await here.post()
    await here.mine(3)
    for hours, expected in (
        (40, [Severity.WARNING]),
        (30, []),
        (10, [Severity.CRITICAL]),
        (100, []),
        (40, [Severity.WARNING]),
    ):
        here.events.clear()
        here.chain.balances[SIGNER.address.lower()] = paid + paid * hours // 6
        await here.tick(300)
        await here.tick(300)
        assert [event.severity for event in here.told("low_funds")] == expected


def test_lane__pool_of_another_chain__is_refused() -> None:
    with rig() as here, pytest.raises(ConfigurationError, match="chain 1"):
        type(here.lane)(
            pool=pool_of(*here.nodes, clock=here.clock),
            signer=SIGNER,
            store=here.store,
            clock=here.clock,
            chain="main",
            chain_id=2,
            policy=here.policy,
            owner="keeper",
        )
