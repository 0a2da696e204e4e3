"""A chain that picks its own backend leaves warnings what they are in tests: errors."""

from __future__ import annotations

import warnings

import pytest
from eth_tester import EthereumTester


def test_warning__after_an_embedded_chain_was_made__is_still_an_error() -> None:
    EthereumTester()
    with pytest.raises(UserWarning, match="late"):
        warnings.warn("late", stacklevel=1)
