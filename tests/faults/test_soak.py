"""A day of service with faults by chance; `scripts/soak --days 30` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.soak import Soak, soak
from tests.requirements import needs_node


@needs_node
@pytest.mark.slow
async def test_soak__a_day_with_faults__every_slot_is_accounted_for_and_every_invariant_holds(tmp_path: Path) -> None:
    found = await soak(1, 1, tmp_path)
    assert found.unaccounted == []
    assert found.violations == []
    # How many are posted depends on how fast the machine is: leases and time limits of nodes run by the real clock.
    assert found.posts >= 8, "slots are posted between the faults"
    assert found.faults.total() > 10
    assert found.survived


def test_memory__the_last_quarter_is_a_tenth_above_the_second__is_not_flat() -> None:
    grown = Soak(30, 1, memory=[100] * 25 + [100] * 25 + [105] * 25 + [110] * 25)
    assert not grown.is_flat
    assert Soak(30, 1, memory=[80] * 25 + [100] * 25 + [103] * 25 + [104] * 25).is_flat


def test_survived__nothing_was_posted__is_no_success() -> None:
    assert not Soak(1, 1).survived
