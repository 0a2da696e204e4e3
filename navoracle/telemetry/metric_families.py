"""Every Prometheus metric by its name, labels and help: the one place that dashboards and rules are held against.

Names follow Prometheus' conventions: base units, ratios from 0 to 1, `_total` for what only grows. No metric is
labelled by a hash or an address that anybody can choose, so that their number stays bounded by the configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

_LOSSY: Final = "Shown as a float, which loses the last digits; the exact value is in the store."

_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800)


class Families:
    """The metrics themselves, registered with one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

        self.build = self._info("navoracle_build", "Version of navoracle, and the hash of the configuration it runs.")

        self.nav_per_share = self._gauge("nav_per_share", f"Price per share that the contract serves. {_LOSSY}", "fund")
        self.nav_value = self._gauge("nav_value", f"NAV of the fund that the contract serves. {_LOSSY}", "fund")
        self.nav_age = self._gauge(
            "nav_age_seconds", "Age of the NAV that the contract serves: now minus its valuation time.", "fund"
        )
        self.nav_age_limit = self._gauge("nav_age_limit_seconds", "Age above which /healthz fails the fund.", "fund")
        self.fund_held = self._gauge("fund_held", "1 while the contract holds the fund.", "fund")
        self.frame_per_share = self._gauge(
            "frame_nav_per_share", f"Price per share of the fund's newest frame, posted or not. {_LOSSY}", "fund"
        )
        self.frame_confidence = self._gauge(
            "frame_confidence_ratio", "Confidence of the NAV of the fund's newest frame.", "fund"
        )
        self.frame_status = self._gauge(
            "frame_status", "1 for the status of the fund's newest frame, 0 for the others.", "fund", "status"
        )
        self.guard_blocked = self._gauge(
            "guard_blocked", "1 where the check stopped or doubted the fund's newest frame.", "fund", "check"
        )
        self.guard_distance = self._gauge(
            "guard_distance_ratio",
            "Used part of the contract's band: 1 is its edge, more would be held.",
            "fund",
            "bound",
        )
        self.post_deviation = self._gauge(
            "post_deviation_ratio", "Change of the served price per share by the last accepted post, signed.", "fund"
        )
        self.source_age = self._gauge("source_age_seconds", "Age of what the source last said.", "source")
        self.source_failures = self._counter(
            "source_failures_total", "Reads of a source that failed.", "source", "code"
        )
        self.price_status = self._gauge(
            "price_status", "1 for the status of the asset's price, 0 for the others.", "asset", "side", "status"
        )

        self.slots = self._counter("slot_total", "Slots by how they ended.", "fund", "result")
        self.slot_lag = self._histogram(
            "slot_lag_seconds", "From the slot's time to its end, of slots that were posted.", _SECONDS, "cadence"
        )
        self.emergencies = self._counter("emergency_total", "EMERGENCY slots by what asked for them.", "fund", "cause")
        self.emergency_lag = self._histogram(
            "emergency_broadcast_seconds", "From the arrival of an emergency's cause to the broadcast.", _SECONDS
        )
        self.cycles = self._counter("cycle_total", "Frames that were run, by result.", "kind", "result")
        self.cycle_seconds = self._histogram("cycle_duration_seconds", "How long a frame took.", _SECONDS, "kind")
        self.last_cycle = self._gauge("last_cycle_timestamp_seconds", "When a frame last ended so.", "result")
        self.heartbeat = self._gauge("heartbeat_timestamp_seconds", "When the service's loop last moved.")
        self.jobs = self._counter(
            "scheduler_jobs_total", "Scheduled jobs: executed, missed, failed, or skipped.", "task", "result"
        )

        self.transactions = self._counter("tx_total", "Transactions that ended, by result.", "chain", "result")
        self.tx_pending = self._gauge("tx_pending", "Transactions that have not ended.", "chain", "signer")
        self.tx_bumps = self._counter("tx_bumps_total", "Replacements with a higher fee.", "chain")
        self.tx_events = self._counter("tx_events_total", "Everything a lane reported, by kind.", "chain", "kind")
        self.tx_seconds = self._histogram(
            "tx_confirmation_seconds", "From the stored intent to its confirmation.", _SECONDS, "chain"
        )
        self.tx_fees = self._counter("tx_fee_wei_total", f"Fees paid in wei. {_LOSSY}", "chain")
        self.next_nonce = self._gauge("tx_next_nonce", "Nonce of the next transaction.", "chain", "signer")
        self.balance = self._gauge("signer_balance_wei", f"Balance of the signer in wei. {_LOSSY}", "chain", "signer")
        self.runway = self._gauge(
            "signer_runway_seconds", "How long the balance lasts at the recent pace; +Inf: nothing spent.",
            "chain", "signer",
        )  # fmt: skip
        self.spent_today = self._gauge(
            "fee_spent_today_wei", f"Fees of this UTC day in wei. {_LOSSY}", "chain", "signer"
        )
        self.budget = self._gauge(
            "fee_budget_wei", f"Fees allowed for a day in wei; absent: no limit. {_LOSSY}", "chain", "signer"
        )
        self.lease_epoch = self._gauge(
            "lease_epoch", "Epoch of the lane's lease; it grows with every claim.", "chain", "signer"
        )
        self.lease_held = self._gauge("lease_held", "1 while this keeper has the lane.", "chain", "signer")

        self.rpc_up = self._gauge("rpc_up", "1 while the node may be read.", "chain", "endpoint")
        self.rpc_lag = self._gauge("rpc_head_lag_blocks", "Blocks behind the best head.", "chain", "endpoint")
        self.rpc_errors = self._gauge("rpc_errors", "Failed requests since the start.", "chain", "endpoint")
        self.rpc_disagreements = self._counter(
            "rpc_disagreement_total", "How often a node contradicted a quorum.", "chain", "endpoint"
        )
        self.rpc_quorum = self._gauge("rpc_quorum", "Operators that must agree.", "chain")
        self.rpc_operators = self._gauge("rpc_operators_up", "Operators with a node that may be read.", "chain")
        self.clock_skew = self._gauge(
            "clock_skew_seconds", "The machine's clock minus the newest block's timestamp.", "chain"
        )

        self.health_factor = self._gauge(
            "aave_health_factor", "Health factor of a loan, whatever the lender; absent without debt.", "fund", "watch"
        )
        self.loan_to_value = self._gauge("aave_ltv_ratio", "Debt over collateral of a loan.", "fund", "watch")
        self.margin_ratio = self._gauge(
            "cex_margin_ratio", "Balance over exposure at an exchange; absent without exposure.", "fund", "venue"
        )
        self.delta = self._gauge("delta_ratio", "Drift from the target delta over the fund's equity.", "fund")
        self.drawdown = self._gauge("drawdown_ratio", "Fall of the price per share from its peak.", "fund")
        self.daily_loss = self._gauge("daily_loss_ratio", "Fall of the price per share from the day's peak.", "fund")
        self.gate_blocked = self._gauge(
            "gate_blocked", "1 while the fund's gate vetoes something by this rule.", "fund", "gate"
        )
        self.gate_stops = self._gauge(
            "gate_stops", "1 while a veto of the fund's gate stops posting, settlements or deposits.", "fund", "stop"
        )
        self.risk_status = self._gauge(
            "risk_status", "1 for the fund's risk status, 0 for the others.", "fund", "status"
        )
        self.risk_alerts = self._gauge(
            "risk_alerts",
            "Alerts of the risk monitor that are not over, by the rule that tells of them.",
            "fund",
            "rule",
        )
        self.risk_errors = self._gauge("risk_error_ratio", "Updates with an error, of the risk monitor's last 100.")
        self.risk_health = self._gauge("risk_health", "1 healthy, 0.5 degraded, 0 unhealthy: the risk monitor.")

        self.breakers = self._gauge("breaker_open", "1 open, 0.5 half open; absent: closed.", "kind", "name")
        self.requests = self._counter("requests_total", "Signed requests by what became of them.", "action", "result")
        self.alerts_open = self._gauge("alerts_open", "Alerts that have not ended.", "rule", "severity")
        self.notifications = self._counter("alert_notifications_total", "Messages to people.", "target", "result")
        self.event_log = self._gauge("event_log_ok", "0 while the event files cannot be written.")
        self.state_files = self._gauge("state_files_ok", "0 while the state files cannot be written.")
        self.store_failures = self._counter("store_failures_total", "Times that the database failed the keeper.")

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"navoracle_{name}", text, labels, registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"navoracle_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"navoracle_{name}", text, labels, registry=self._registry, buckets=buckets)

    def _info(self, name: str, text: str) -> Info:
        return Info(name, text, registry=self._registry)
