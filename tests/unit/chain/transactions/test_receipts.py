"""Receipts as nodes state them."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.chain.transactions.receipts import parse_receipt
from navoracle.domain.errors import ChainError
from navoracle.publisher_port import Receipt

HASH = "0x" + "ab" * 32
BLOCK = "0x" + "cd" * 32
WHOLE: dict[str, Any] = {
    "transactionHash": HASH,
    "status": "0x1",
    "blockNumber": "0x10",
    "blockHash": BLOCK,
    "gasUsed": "0x5208",
    "effectiveGasPrice": "0x3",
}


def test_parse_receipt__whole__is_understood_with_what_it_cost() -> None:
    found = parse_receipt(WHOLE, HASH)
    assert found is not None
    assert found.receipt == Receipt(HASH, True, 16, BLOCK, 21_000)
    assert (found.fee_paid, found.fee_or(7)) == (63_000, 63_000)


def test_parse_receipt__of_a_rollup__counts_the_parent_chains_fee() -> None:
    found = parse_receipt({**WHOLE, "l1Fee": "0x64"}, HASH)
    assert found is not None
    assert found.fee_paid == 63_100


def test_parse_receipt__price_is_not_stated__the_most_that_was_offered_counts() -> None:
    found = parse_receipt({key: value for key, value in WHOLE.items() if key != "effectiveGasPrice"}, HASH)
    assert found is not None
    assert (found.fee_paid, found.fee_or(7)) == (None, 147_000)


def test_parse_receipt__failed_one__is_no_success() -> None:
    found = parse_receipt({**WHOLE, "status": "0x0"}, HASH)
    assert found is not None
    assert not found.receipt.success


@pytest.mark.parametrize("answer", [None, {**WHOLE, "blockNumber": None}])
def test_parse_receipt__not_mined__is_none(answer: object) -> None:
    assert parse_receipt(answer, HASH) is None


@pytest.mark.parametrize(
    "answer",
    [
        "0x",
        {},
        *({**WHOLE, name: "nonsense"} for name in WHOLE),
        *({key: value for key, value in WHOLE.items() if key != name} for name in WHOLE if name != "effectiveGasPrice"),
        {**WHOLE, "status": "0x2"},
        {**WHOLE, "transactionHash": BLOCK},
    ],
)
def test_parse_receipt__anything_else__raises(answer: object) -> None:
    with pytest.raises(ChainError):
        parse_receipt(answer, HASH)
