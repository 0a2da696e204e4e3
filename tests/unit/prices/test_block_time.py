"""Ages on a chain are measured from the pinned block, whatever the clock of the machine says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import Timestamp
from navoracle.ports import Answer
from navoracle.prices.rounds import ROUND_TYPES
from navoracle.prices.sequencer import SequencerGate
from navoracle.testing import FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address
from tests.unit.prices import (
    test_api3,
    test_chainlink,
    test_chronicle,
    test_curve,
    test_native_rate,
    test_pendle,
    test_pendle_lp_yt_sy,
    test_pyth,
    test_redstone,
    test_staking_rates,
    test_uniswap_v3,
)

MODULES = (
    test_api3,
    test_chainlink,
    test_chronicle,
    test_curve,
    test_native_rate,
    test_pendle,
    test_pendle_lp_yt_sy,
    test_pyth,
    test_redstone,
    test_staking_rates,
    test_uniswap_v3,
)
SPECS = [
    spec
    for module in MODULES
    for spec in vars(module).values()
    if isinstance(spec, type) and issubclass(spec, ReaderSpec) and spec is not ReaderSpec
]
NOW = 1_700_000_000


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.__name__)
@pytest.mark.parametrize("ahead", [-3_600, 1, 86_400])
def test_read__clock_away_from_the_block__finds_the_same(spec: type[ReaderSpec], ahead: int) -> None:
    example = spec().example()
    at = replace(example.at, now=Timestamp(example.at.now + ahead))
    answers = {request: Answer(data) for request, data in example.answers.items()}
    assert drive(example.reader.read(at), answers) == example.value


@pytest.mark.parametrize(("clock", "block"), [(NOW + 7_200, NOW), (NOW, NOW - 3_599)])
def test_sequencer_gate__grace__is_counted_to_the_block_and_not_to_the_clock(clock: int, block: int) -> None:
    feed = address(1)
    gate = SequencerGate.model_validate({"kind": "sequencer", "id": "gate", "chain": "local", "feed": feed})
    chain = FakeChain(block_stamp(block))
    up = block - 3_600
    chain.put(feed, "latestRoundData()", (), ROUND_TYPES, 1, 0, up, up, 1)
    at = replace(read_point(block), now=Timestamp(clock))
    with pytest.raises(SourceRefused, match="less than 3600 s ago"):
        drive(gate.read(at), chain.answer)
