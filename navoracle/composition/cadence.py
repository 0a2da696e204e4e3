"""The cadence and the breakers that a configuration asks for."""

from __future__ import annotations

from navoracle.config.models import Config
from navoracle.config.service import BreakerSection
from navoracle.domain.breaker import BreakerPolicy
from navoracle.domain.cadence import CadencePolicy
from navoracle.domain.units import Bps, Timestamp
from navoracle.keeper.watch import Watch, WatchPolicy


def watch_of(config: Config, since: Timestamp) -> Watch:
    """The watch that the configuration asks for."""
    cadence = config.cadence
    return Watch(
        config.funds,
        WatchPolicy(
            CadencePolicy(cadence.volatility_limit, Bps(cadence.weight_bps), cadence.calm_hours * 3_600),
            oracle_move_bps=Bps(cadence.oracle_move_bps),
        ),
        since=since,
    )


def breaker_policy(section: BreakerSection) -> BreakerPolicy:
    """When breakers open by themselves, and how they close."""
    return BreakerPolicy(
        cool_down=section.cool_down,
        agreements=section.agreements,
        agreement_bps=Bps(section.agreement_bps),
        large_changes=section.large_changes,
        window=section.window,
        no_majority_frames=section.no_majority_frames,
    )
