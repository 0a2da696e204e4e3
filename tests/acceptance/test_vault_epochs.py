"""Vault and keeper together, on a node, through random epochs: every unit is accounted for, and dust is the fund's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from navoracle.domain.errors import NavoracleError
from tests.acceptance.vault_epochs import Story
from tests.acceptance.vault_node import HOUR, START, keeper_of, vault_node
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow]

EPOCHS: Final = int(os.environ.get("NAVORACLE_EPOCHS", "50"))
SEED: Final = int(os.environ.get("NAVORACLE_SEED", "1"))

KINDS: Final = frozenset(
    {
        "cancelled deposit",
        "cancelled redemption",
        "claim of a deposit",
        "claim of a dividend",
        "claim of a redemption",
        "delivery ahead",
        "deposit",
        "dividend",
        "donation",
        "fees",
        "forgiven",
        "gain",
        "left overdue",
        "loss",
        "partial redemption",
        "performance fee",
        "settled",
        "sweep",
        "transfer",
        "whole redemption",
    }
)
"""What has to happen in fifty epochs."""


async def test_epochs__random_flows_fees_and_markets__lose_and_make_no_unit_and_follow_the_engine(
    tmp_path: Path,
) -> None:
    async with vault_node() as world, keeper_of(world, tmp_path) as (system, store):
        story = await Story.begin(world, system, store, SEED)
        number = 0
        try:
            for number in range(EPOCHS):
                await story.epoch(START + number * HOUR)
            await story.end()
        except (AssertionError, NavoracleError) as error:
            error.add_note(f"NAVORACLE_SEED={SEED}, epoch {number} of {EPOCHS}; so far {dict(story.happened)}")
            raise
    print(f"seed {SEED}, {EPOCHS} epochs: {dict(sorted(story.happened.items()))}")
    assert {kind for kind in KINDS if not story.happened[kind]} == set()
