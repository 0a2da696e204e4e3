"""Every alert that the keeper raises by itself: how grave it is, what it says, what to do, where to read on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from navoracle.store_port import Severity
from navoracle.telemetry.alerts.rule import Rule, RuleName

_ALL: Final = (
    Rule(
        "NavStale",
        Severity.CRITICAL,
        "The NAV on chain is older than it may be.",
        "Readers of the contract see an old price. `navoracle history FUND` says why its last slots were not posted.",
    ),
    Rule(
        "NavMissedSlot",
        Severity.WARNING,
        "A slot passed without anybody working on it.",
        "The keeper was stopped, paused or too busy at that time: look at its log and the machine's load.",
    ),
    Rule(
        "PostFailing",
        Severity.CRITICAL,
        "Two or more posts of the fund failed one after the other.",
        "Read the reason in `navoracle history FUND`; a missing role or a paused contract is for its admins.",
    ),
    Rule(
        "NoSuccessfulCycle",
        Severity.CRITICAL,
        "No slot of any fund ended well for longer than two hours.",
        "Something that all funds share is down: nodes, the store or the signer. `/readyz` names it.",
    ),
    Rule(
        "FundHeld",
        Severity.CRITICAL,
        "The contract holds the fund: it serves the old value and takes no new one.",
        "Find out who is right. RISK accepts the held value or discards it; a guardian's hold is released by RISK.",
    ),
    Rule(
        "FundHalted",
        Severity.WARNING,
        "A guard of the keeper stopped the fund: nothing is posted for it.",
        "`navoracle nav FUND --explain` shows the check that stopped it, and what it looked at.",
    ),
    Rule(
        "Suspicious",
        Severity.CRITICAL,
        "A second look did not confirm a large change of the fund's NAV.",
        "Compare the sources of the assets that moved; the fund's breaker is open until the RISK role resets it.",
    ),
    Rule(
        "Insolvent",
        Severity.CRITICAL,
        "The fund owes more than it has: nothing is posted as a number.",
        "Check debts and prices; hold the fund on chain (`navoracle emergency`) and run your procedure for losses.",
    ),
    Rule(
        "DeviationNearGuard",
        Severity.WARNING,
        "The fund's next post uses more than 80 % of the contract's band.",
        "Be ready to accept it as RISK: if the price moves on, the contract will hold the fund.",
    ),
    Rule(
        "BreakerOpen",
        Severity.CRITICAL,
        "A circuit breaker stops a fund, or every fund that needs an asset.",
        "`navoracle status` gives its reason. Reset it with a request signed by RISK once the cause is gone.",
    ),
    Rule(
        "SourceDown",
        Severity.WARNING,
        "A price source or position reader has failed for several frames.",
        "Its message says why. While enough others answer nothing is wrong yet; repair it before the next one fails.",
    ),
    Rule(
        "RpcDown",
        Severity.WARNING,
        "A node of a chain may not be read.",
        "Its state says why: see the chain's endpoints in `navoracle check`. The quorum has less in reserve.",
    ),
    Rule(
        "RpcAllDown",
        Severity.CRITICAL,
        "Too few nodes of a chain answer: it is neither read nor posted to.",
        "Bring endpoints back or add others of another operator; the quorum is never lowered.",
    ),
    Rule(
        "RpcDisagreement",
        Severity.CRITICAL,
        "Two nodes gave different bytes for the same block.",
        "One of them lies or is broken: the log names it. Remove it from the configuration if it does so again.",
        lasting=False,
    ),
    Rule(
        "ClockSkew",
        Severity.WARNING,
        "The machine's clock and the chain's time lie far apart.",
        "Check the machine's time service (chrony, systemd-timesyncd), then whether the chain has stopped.",
    ),
    Rule(
        "ContractChanged",
        Severity.CRITICAL,
        "A contract that the keeper relies on has other code, or the keeper lost its role on it.",
        "Nothing is sent to it. Find out who changed it and why, then run `navoracle check --accept-code`.",
    ),
    Rule(
        "SignerBalanceLow",
        Severity.WARNING,
        "The signer's balance lasts for less than 48 hours.",
        "Top it up; keep no more on it than a few days need.",
    ),
    Rule(
        "SignerBalanceCritical",
        Severity.CRITICAL,
        "The signer's balance lasts for less than 12 hours, or is too small for the next transaction.",
        "Top it up now; what waits is sent by itself as soon as it can be paid.",
    ),
    Rule(
        "SignerFailing",
        Severity.CRITICAL,
        "The signer does not sign, or signed as somebody else.",
        "Check the key service, its permissions and its quota. A wrong account means a wrong key: stop and compare.",
    ),
    Rule(
        "FeeCap",
        Severity.WARNING,
        "Gas costs more than the ceiling: the post waits at the ceiling's price and may be late.",
        "Wait, or raise `max_fee_gwei` of the chain if a late NAV costs more than the fee.",
    ),
    Rule(
        "FeeBudget",
        Severity.CRITICAL,
        "The day's budget for fees is spent: routine posts stop until midnight UTC.",
        "Look for what spent it (`navoracle history`, replacements); raise the budget if it was the market.",
    ),
    Rule(
        "KeyUsedElsewhere",
        Severity.CRITICAL,
        "A transaction of the keeper's key is not the keeper's.",
        "Unless you sent it yourself the key is stolen: take its POSTER role away, then move to a new key.",
        lasting=False,
    ),
    Rule(
        "DeepReorganization",
        Severity.CRITICAL,
        "The chain replaced blocks that were taken for final.",
        "Compare the nodes and the chain's own announcements; the keeper stopped posting there until you restart it.",
        lasting=False,
    ),
    Rule(
        "LeaseLost",
        Severity.WARNING,
        "Another keeper has taken over what this one was working on.",
        "Expected when a standby takes over. If both run by mistake, stop one: only the owner of the lease sends.",
        lasting=False,
    ),
    Rule(
        "StoreFailing",
        Severity.CRITICAL,
        "The database cannot be read or written: nothing is posted, because nothing could be kept.",
        "Check its disk, its connection and its permissions; `/readyz` shows the error.",
    ),
    Rule(
        "EventLogFailing",
        Severity.WARNING,
        "The event files cannot be written (a full disk?); the database still has every event.",
        "Free space in the folder of the event files; they catch up by themselves.",
    ),
    Rule(
        "StateFilesFailing",
        Severity.WARNING,
        "The state files cannot be written: what reads them sees an old frame.",
        "Free space in their folder, or give each keeper a folder of its own; they catch up by themselves.",
    ),
    Rule(
        "HealthFactorLow",
        Severity.CRITICAL,
        "A loan's health factor is urgently or critically low: below 1 anybody may liquidate it.",
        "Repay debt or add collateral now. `navoracle risk show FUND` has every figure and the move to liquidation.",
    ),
    Rule(
        "LoanToValueHigh",
        Severity.CRITICAL,
        "A loan's debt is urgently or critically large against its collateral.",
        "Repay debt or add collateral. `navoracle risk simulate FUND --drop 0.1` shows what a fall would cost.",
    ),
    Rule(
        "MarginLow",
        Severity.CRITICAL,
        "An account at an exchange has little margin left: below its maintenance margin it loses all of it.",
        "Add margin or close positions at the venue that is named.",
    ),
    Rule(
        "DeltaDrift",
        Severity.CRITICAL,
        "The fund's net exposure has drifted from its target beyond the limit.",
        "Rebalance the hedge. `navoracle risk show FUND` has net delta, target and equity.",
    ),
    Rule(
        "DrawdownBreach",
        Severity.CRITICAL,
        "The price per share fell from its peak, or from the day's, beyond the limit.",
        "Find out what lost the money before anything is settled; `navoracle risk show FUND` has peak and NAV.",
    ),
    Rule(
        "GateBlocking",
        Severity.CRITICAL,
        "The fund's NAV gate stops what its configuration names: posts, settlements or deposits.",
        "Its message has the veto. It ends when the NAV is fresh and within its limits, or when the limit is changed.",
    ),
    Rule(
        "RiskLimitExceeded",
        Severity.CRITICAL,
        "Leverage, exposure or the cost of funding is beyond its limit.",
        "Reduce what is named; `navoracle risk show FUND` has figures and limits.",
    ),
    Rule(
        "RiskWarning",
        Severity.WARNING,
        "A risk of the fund is beyond its warning limit.",
        "Look at it today: the message has the figure, the limits and what to do.",
    ),
    Rule(
        "RiskUnread",
        Severity.WARNING,
        "An account of the fund could not be read, or a risk not computed: what is not known is not safe.",
        "Its message says why; look at the lender's or exchange's own page until it is read again.",
    ),
    Rule(
        "RiskMonitorUnhealthy",
        Severity.CRITICAL,
        "The risk monitor does not do its work: what stands of risk may be old.",
        "`/healthz` and the event log say which errors it had; funds are valued and posted all the same.",
    ),
    Rule(
        "EmergencyUsed",
        Severity.INFO,
        "An emergency was asked for: by a person, a trade, a price move or a breaker.",
        "Read who or what asked, and compare the NAV that was posted with what you expect.",
        lasting=False,
    ),
    Rule(
        "RequestRefused",
        Severity.WARNING,
        "A signed request was refused.",
        "If its signer is yours, read the reason and sign it anew. If nobody of yours sent it, somebody is trying.",
        lasting=False,
    ),
    Rule(
        "ConfigChanged",
        Severity.INFO,
        "The keeper started with another configuration than the one before.",
        "Make sure that the change was meant; `navoracle config show` prints what it runs.",
        lasting=False,
    ),
    Rule(
        "OverridesChanged",
        Severity.INFO,
        "Limits were changed while the keeper runs, by its overrides file.",
        "Make sure that the change was meant; `navoracle config show` prints what is overridden.",
        lasting=False,
    ),
    Rule(
        "OverridesBroken",
        Severity.WARNING,
        "The overrides file cannot be used: the limits that it gave last still hold.",
        "Correct the place that the message names; a keeper that is started anew refuses the file.",
    ),
    Rule(
        "DeliveryFailing",
        Severity.WARNING,
        "Messages to a target of alerts cannot be delivered.",
        "Run `navoracle alerts test`; check the target's URL, token and quota. The other targets get this message.",
    ),
)

RULES: Final[Mapping[RuleName, Rule]] = {rule.name: rule for rule in _ALL}
"""Every rule by its name."""

ALWAYS_TOLD: Final[frozenset[RuleName]] = frozenset({"EmergencyUsed", "ConfigChanged", "OverridesChanged"})
"""Rules that reach every target, whatever its least severity: who watches must know that somebody acted."""

if RULES.keys() != set(get_args(RuleName)):  # pragma: no cover - a slip while editing this module
    raise TypeError("RuleName and the rules differ")
