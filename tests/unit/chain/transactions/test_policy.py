"""What a lane's policy refuses."""

from __future__ import annotations

import pytest

from navoracle.chain.transactions import LanePolicy
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.gas_fees import FeeLimits
from navoracle.store_port import Urgency


@pytest.mark.parametrize(
    "fees",
    [
        {"min_tip": -1},
        {"min_tip": 5, "max_tip": 4},
        {"routine_max_fee": 0},
        {"routine_max_fee": 5, "emergency_max_fee": 4},
        {"routine_max_fee": 5, "min_tip": 6, "max_tip": 7},
    ],
)
def test_lane_policy__fees_that_contradict_one_another__are_refused(fees: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="contradict"):
        LanePolicy(**fees)


def test_limits__each_urgency__has_its_ceiling() -> None:
    policy = LanePolicy(routine_max_fee=10, emergency_max_fee=50, min_tip=1, max_tip=20)
    assert policy.limits(Urgency.ROUTINE) == FeeLimits(10, 1, 10)
    assert policy.limits(Urgency.EMERGENCY) == FeeLimits(50, 1, 20)
