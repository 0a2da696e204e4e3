"""The clock that runs faster, and what the environment may say of it."""

from __future__ import annotations

import pytest

from navoracle.clock import VARIABLE, ScaledClock, SystemClock, clock_from_environment
from navoracle.domain.errors import ConfigurationError


class Machine:
    """A machine whose time a test sets."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_scaled_clock__a_second_of_the_machine_passes__is_a_minute_later() -> None:
    machine = Machine()
    clock = ScaledClock(60, 500_000, machine=machine)
    assert clock.now() == 500_000
    machine.seconds += 1
    assert clock.now() == 500_060
    machine.seconds += 0.5
    assert clock.now() == 500_090


def test_scaled_clock__started_again_with_its_anchor__goes_on_where_it_was() -> None:
    machine = Machine()
    first = ScaledClock(60, 500_000, machine=machine)
    machine.seconds += 100
    assert ScaledClock(60, 500_000, 1_000.0, machine=machine).now() == first.now() == 506_000


@pytest.mark.parametrize("at", [0.0, 500_000.0, 500_090.0, 1e9])
def test_scaled_clock__there_and_back__is_the_same_time(at: float) -> None:
    clock = ScaledClock(60, 500_000, 1_000.0)
    assert clock.time_of(clock.machine_time_of(at)) == pytest.approx(at, abs=1e-3)


def test_environment__says_nothing__is_the_machines_clock() -> None:
    assert isinstance(clock_from_environment({}), SystemClock)


def test_environment__names_scale_and_anchor__is_a_clock_of_that_time() -> None:
    clock = clock_from_environment({VARIABLE: "scale:60:500000@1000.5"})
    assert clock.time_of(1_001.5) == 500_060


@pytest.mark.parametrize("said", ["", "fast", "scale:0:5", "scale:60", "scale:60:-5", "scale:60:5@x", "scale:60:5 "])
def test_environment__says_something_else__is_refused_with_the_form(said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        clock_from_environment({VARIABLE: said})
    assert "scale:FACTOR:TIME" in caught.value.advice
