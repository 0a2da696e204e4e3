"""One node per module; every test leaves the chain as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.anvil import anvil
from tests.protocols.chain import Chain


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    """A fresh node. Modules deploy their world once, in a fixture of module scope."""
    with anvil("--hardfork", "prague", "--gas-limit", "30000000", "--code-size-limit", "100000") as url:
        yield Chain(url)


@pytest.fixture(autouse=True)
def _as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    """Undo what a test did to its node: fixtures of module scope are set up before the snapshot is taken."""
    if "chain" not in request.fixturenames:
        yield
        return
    node: Chain = request.getfixturevalue("chain")
    for name in request.fixturenames:
        if name not in ("chain", "request", "_as_it_was"):
            request.getfixturevalue(name)
    before = node.rpc("evm_snapshot")
    yield
    node.rpc("evm_revert", before)


@pytest.fixture
def same_time(chain: Chain) -> Iterator[None]:
    """Blocks of one timestamp, until the clock is moved: what is sent during the test accrues nothing."""
    chain.rpc("anvil_setBlockTimestampInterval", 0)
    yield
    chain.rpc("anvil_removeBlockTimestampInterval")
