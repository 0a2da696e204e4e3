"""Every error that navoracle raises on purpose.

An error carries a stable `code`, a message that names the place, and `advice`: what the operator can do about it.

    NavoracleError
    ├── DomainError             a value that the core cannot accept
    │   ├── OutOfRange          a number outside its type
    │   ├── BadSignature        a signature that is none, not in its one accepted form, or another key's
    │   └── RiskError           something about a fund's risks; has a severity
    │       ├── RiskCalculationFailed   a risk could not be computed
    │       ├── HealthFactorCritical    an account can be liquidated soon, or now
    │       └── RiskAlertFailed         nobody was told of a risk
    ├── ReadError               one price source or position reader failed; only its own funds are touched
    │   ├── EmptyResult         an empty answer where data was due
    │   ├── CallReverted        the contract refused the call
    │   ├── MalformedResult     an answer of the wrong shape
    │   ├── SourceRefused       the source answered, and its answer breaks a rule of that source
    │   ├── DecimalsChanged     a token or feed changed its scale since it was resolved
    │   ├── SourceDown          a service did not answer, or answered that it cannot
    │   │   └── Unauthorized    the service wants another key
    │   ├── ReadsDisagree       two nodes of the chain gave different bytes
    │   └── ReadsWithoutQuorum  too few nodes of the chain answered
    ├── ConfigurationError      the configuration is wrong; the message names the file and the path in it
    ├── UsageError              the command line or an input file is wrong
    ├── GuardRefused            a guard stopped the action
    ├── ChainError              a node or a transaction failed
    │   ├── EndpointsDisagree   two nodes gave different bytes for the same question about the same block
    │   ├── NoQuorum            fewer independent nodes answered than the chain's quorum
    │   ├── SignerFailed        the signer did not sign; nothing was sent
    │   │   └── WrongSignature  it signed something else, or with another key
    │   ├── FeeAboveCeiling     the next block asks more than the policy offers
    │   ├── FeeBudgetSpent      the day's budget does not cover the transaction
    │   ├── InsufficientFunds   the sender's balance does not cover it
    │   ├── ProposalRefused     a Safe's service did not take a proposal
    │   └── ChainRolledBack     the chain took back what was final, or a transaction count fell below ours
    ├── StoreError              the database cannot be used
    │   └── LeaseLost           another keeper has taken over what this one was working on
    ├── RequestRefused          a signed request is not valid, not allowed, or was used before
    └── VerificationFailed      evidence does not support what was posted
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class NavoracleError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: what is wrong, and where.
        advice: what the operator can do; never empty.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class DomainError(NavoracleError):
    """A value that the core cannot accept."""

    code = "domain"


class OutOfRange(DomainError):
    """A number lies outside the range of its type."""

    code = "out_of_range"


class BadSignature(DomainError):
    """A signature that is none, that is not in its one accepted form (low s), or that another key made."""

    code = "bad_signature"


class ErrorSeverity(Enum):
    """What a component must do about an error of its own; `navoracle.risk.handling` says what follows."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class RiskError(DomainError):
    """Something about a fund's risks that is not in order.

    Attributes:
        is_finding: whether it is about the fund, found by a monitor that did its work, and no failure of that work.
    """

    severity: ClassVar[ErrorSeverity]
    is_finding: ClassVar[bool] = False


class RiskCalculationFailed(RiskError):
    """A risk could not be computed: a figure or a price that it needs is missing, or contradicts another one."""

    code = "RISK-001"
    severity = ErrorSeverity.HIGH


class HealthFactorCritical(RiskError):
    """The health factor of a loan is below its critical limit, or the account can be liquidated already."""

    code = "RISK-002"
    severity = ErrorSeverity.CRITICAL
    is_finding = True


class RiskAlertFailed(RiskError):
    """An alert about a risk could not be made or sent."""

    code = "RISK-003"
    severity = ErrorSeverity.MEDIUM


class ReadError(NavoracleError):
    """One reader failed; only the funds that need it are touched."""

    code = "read_failed"


class EmptyResult(ReadError):
    """The answer is empty where data was due (no contract there, or a node without that block)."""

    code = "empty_result"


class CallReverted(ReadError):
    """The contract refused the call; `data` is its revert data, empty where it gave none."""

    code = "call_reverted"

    def __init__(self, message: str, *, advice: str, data: bytes = b"") -> None:
        super().__init__(message, advice=advice)
        self.data = data


class MalformedResult(ReadError):
    """The answer has the wrong length or shape."""

    code = "malformed_result"


class SourceRefused(ReadError):
    """The source answered, and its answer breaks one of that source's own rules."""

    code = "source_refused"


class DecimalsChanged(ReadError):
    """A token or feed has another scale than the one that was resolved at start."""

    code = "decimals_changed"


class SourceDown(ReadError):
    """A service off chain did not answer, or answered that it cannot."""

    code = "source_down"


class Unauthorized(SourceDown):
    """A service off chain refused the request for want of a key, or for a wrong one."""

    code = "unauthorized"


class ReadsDisagree(ReadError):
    """Independent nodes gave different bytes for the reader's requests; none of them is believed."""

    code = "endpoints_disagree"


class ReadsWithoutQuorum(ReadError):
    """Fewer independent nodes answered the reader's requests than the chain's quorum."""

    code = "no_quorum"


class ConfigurationError(NavoracleError):
    """The configuration is wrong; the message names the file and the path in it."""

    code = "configuration"


class UsageError(NavoracleError):
    """The command line, or a file named on it, is wrong."""

    code = "usage"


class GuardRefused(NavoracleError):
    """A guard stopped the action; nothing was sent."""

    code = "guard_refused"


class ChainError(NavoracleError):
    """A node or a transaction failed."""

    code = "chain"


class EndpointsDisagree(ChainError):
    """Independent nodes gave different bytes for the same question about the same block."""

    code = "endpoints_disagree"


class NoQuorum(ChainError):
    """Fewer independent nodes answered than the chain's quorum."""

    code = "no_quorum"


class SignerFailed(ChainError):
    """The signer did not sign; nothing was sent."""

    code = "signer_failed"


class WrongSignature(SignerFailed):
    """The signer returned something else than it was asked to sign, or signed with another key; nothing was sent."""

    code = "wrong_signature"


class FeeAboveCeiling(ChainError):
    """The next block asks more per gas than the policy offers; nothing was signed."""

    code = "fee_cap"


class FeeBudgetSpent(ChainError):
    """What is left of the day's fee budget does not cover the transaction; nothing was signed."""

    code = "fee_budget"


class InsufficientFunds(ChainError):
    """The sender's balance does not cover the transaction; nothing was signed."""

    code = "no_funds"


class ProposalRefused(ChainError):
    """A Safe's transaction service did not take a proposal; nothing is executed, and the signed file is kept."""

    code = "proposal_refused"


class ChainRolledBack(ChainError):
    """The chain took back a transaction that was final; nothing more is sent until it is in a block again."""

    code = "deep_reorganization"


class StoreError(NavoracleError):
    """The database cannot be used as it is."""

    code = "store"


class LeaseLost(StoreError):
    """The lease ran out and another keeper took over: nothing more may be written or sent on its account."""

    code = "lease_lost"


class RequestRefused(NavoracleError):
    """A signed request is refused.

    Attributes:
        reason: one of `malformed`, `bad_signature`, `wrong_chain`, `wrong_contract`, `unknown_fund`, `expired`,
            `too_early`, `too_long`, `replayed`, `wrong_role`, `too_often`.
    """

    code = "request_refused"

    def __init__(self, reason: str, message: str, *, advice: str) -> None:
        super().__init__(message, advice=advice)
        self.reason = reason


class VerificationFailed(NavoracleError):
    """The evidence does not support the value that it is said to support."""

    code = "verification_failed"
