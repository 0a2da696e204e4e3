"""The rig that the tests of a lane work on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.chain.transactions.rig import Rig, rig


@pytest.fixture
async def here() -> AsyncIterator[Rig]:
    """A lane that has just been opened; in the end, whatever was told as an alarm must have said what to do."""
    with rig() as made:
        await made.open()
        yield made
        assert made.advice_is_given()
