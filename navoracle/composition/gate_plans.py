"""From a fund's gate section to the policy of its gate."""

from __future__ import annotations

from pydantic import TypeAdapter

from navoracle.config.funds import FundSection
from navoracle.config.models import Config
from navoracle.domain.risk.gates import GatePolicy

GATE: TypeAdapter[GatePolicy | None] = TypeAdapter(GatePolicy | None)
"""Reads a gate's policy out of evidence."""


def gate_policy(fund: FundSection, config: Config) -> GatePolicy | None:
    """How the fund's gate is set; None where it has none."""
    gate = fund.gate
    if gate is None:
        return None
    chain = fund.chain if fund.publisher is None else config.publishers[fund.publisher].chain
    home = chain or config.home_chain
    is_testnet = home is not None and config.chains[home].testnet
    return GatePolicy(
        max_drawdown=gate.max_drawdown,
        max_day_loss=gate.max_day_loss,
        on_stale=gate.on_stale,
        include_assets=gate.include_assets,
        use_mark_price=gate.use_mark_price,
        max_balance_age=gate.max_balance_age,
        max_mark_age=gate.max_mark_age,
        max_cache_age=gate.max_cache_age,
        peak_stale_seconds=gate.peak_stale_seconds,
        min_history=gate.min_history,
        history_seconds=gate.history_seconds,
        reset_peak_at_start=gate.reset_peak_on_testnet and is_testnet,
        stops=gate.stops,
    )
