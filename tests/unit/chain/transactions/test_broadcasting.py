"""What nodes say to a broadcast, in their own words."""

from __future__ import annotations

import pytest

from navoracle.chain.transactions.broadcasting import ADVICE, Verdict, verdict_of


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("already known", Verdict.TAKEN),  # geth, erigon
        ("transaction already imported", Verdict.TAKEN),  # anvil
        ("Transaction with the same hash was already imported.", Verdict.TAKEN),  # OpenEthereum
        ("known transaction: 0x12", Verdict.TAKEN),
        ("AlreadyKnown", Verdict.TAKEN),  # Nethermind
        ("nonce too low: next nonce 7, tx nonce 5", Verdict.NONCE_USED),
        ("OldNonce", Verdict.NONCE_USED),
        ("Nonce too low", Verdict.NONCE_USED),
        ("replacement transaction underpriced", Verdict.UNDERPRICED),
        ("ReplacementNotAllowed", Verdict.UNDERPRICED),
        ("transaction underpriced: tip needed 1, tip permitted 0", Verdict.FEE_TOO_LOW),
        ("max fee per gas less than block base fee: address 0x, maxFeePerGas: 1, baseFee: 2", Verdict.FEE_TOO_LOW),
        ("FeeTooLowToCompete", Verdict.FEE_TOO_LOW),
        ("insufficient funds for gas * price + value: balance 1, tx cost 2", Verdict.NO_FUNDS),
        ("Insufficient funds for gas * price + value", Verdict.NO_FUNDS),
        ("Upfront cost exceeds account balance", Verdict.NO_FUNDS),
        ("address already reserved", Verdict.TYPE_CONFLICT),
        ("nonce too high", Verdict.UNCLEAR),
        ("internal error", Verdict.UNCLEAR),
    ],
)
def test_verdict_of__words_of_nodes__are_understood(message: str, verdict: Verdict) -> None:
    assert verdict_of(message) is verdict


def test_advice__every_verdict__has_one() -> None:
    assert set(ADVICE) == set(Verdict)
    assert all(ADVICE.values())
