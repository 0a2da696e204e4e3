"""Rows see what they are for: the code under them is broken on purpose, and the row fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from bench.anvil import binary
from navoracle.drill.rows import catalogue
from navoracle.drill.run import play
from tests.faults.live_world import LiveWorld
from tests.faults.mutations import MUTATIONS, apply
from tests.faults.worlds import shape
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _whole_again() -> Iterator[None]:
    """What a mutation changed in this process is put back."""
    yield
    patch.stopall()


@pytest.mark.parametrize(
    ("mutation", "number"), [("forget_earlier_hashes", 5), ("raise_too_little", 11), ("believe_one_node", 33)]
)
async def test_mutation__the_code_under_a_row_is_broken__the_row_fails(
    mutation: str, number: int, tmp_path: Path
) -> None:
    (row,) = catalogue()[number]
    for name in ("sound", "broken"):
        (tmp_path / name).mkdir()
    assert (await play(row, binary(), shape(2), tmp_path / "sound")).survived
    apply(mutation)
    result = await play(row, binary(), shape(2), tmp_path / "broken")
    assert not result.survived, f"{MUTATIONS[mutation][0]}, and row {number} does not see it"
    print(f"\n{MUTATIONS[mutation][0]}; row {number}: {result.failure or result.violations}")


async def test_mutation__sent_before_it_is_saved__row_44_fails(live: LiveWorld) -> None:
    keeper = live.keeper(mutation="send_before_saving")
    await live.next_hour()
    keeper.clock = live.clock
    keeper.start("after_send")
    await keeper.until_dead()
    found = await live.facts(open_slots=True)
    assert 2 in {number for number, _ in found}, f"row 44 does not see it: {found}"
    print(f"\n{MUTATIONS['send_before_saving'][0]}; row 44: {found}")
