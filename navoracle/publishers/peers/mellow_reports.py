"""Reports to Mellow's oracle: their call data, what the oracle holds, and its rules for a whole batch of them.

Source: `src/oracles/Oracle.sol` and `OracleSubmitter.sol` of mellow-finance/flexible-vaults. Prices are inverted:
shares (1e18) for 1e18 raw units of the asset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from navoracle.abi import decode_result, encode_call
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.mellow import MellowLimits, MellowOutcome, MellowReport, outcome
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Call
from navoracle.publisher_port import Preview
from navoracle.publishers.peers.amounts import waits_until
from navoracle.publishers.peers.base import TOO_EARLY, PeerRead
from navoracle.publishers.peers.simulation import Remedy

SUBMIT: Final = "submitReports((address,uint224)[])"
SUBMIT_REPORTS_ROLE: Final = "SUBMIT_REPORTS_ROLE"
ACCEPT_REPORT_ROLE: Final = "ACCEPT_REPORT_ROLE"
SET_SECURITY_PARAMS_ROLE: Final = "SET_SECURITY_PARAMS_ROLE"

SUSPICIOUS: Final = "suspicious"
SUSPICIOUS_PENDING: Final = "suspicious_pending"
INVALID_PRICE: Final = "invalid_price"

ERRORS: Final = (
    "Forbidden()",
    "AccessControlUnauthorizedAccount(address,bytes32)",
    "UnsupportedAsset(address)",
    "TooEarly(uint256,uint256)",
    "InvalidPrice(uint256)",
    "InvalidOrder()",
)
REMEDIES: Final = {
    "Forbidden": Remedy("DEFAULT_ADMIN_ROLE", "Grant the sender SUBMIT_REPORTS_ROLE on the vault."),
    "AccessControlUnauthorizedAccount": Remedy(
        "DEFAULT_ADMIN_ROLE", "Grant the sender SUBMIT_REPORTS_ROLE on the submitter."
    ),
    "InvalidOrder": Remedy(None, "The submitter's base asset is another one: name it first among the assets."),
    "UnsupportedAsset": Remedy(None, "The oracle no longer supports an asset: correct the configured assets."),
}
"""What oracle and submitter refuse a batch with, and who ends that."""

_SECURITY_PARAMS: Final = encode_call("securityParams()")
_PARAMS_TYPES: Final = ("uint224", "uint224", "uint64", "uint64", "uint32", "uint32", "uint32")
_REPORT_TYPES: Final = ("uint224", "uint32", "bool")


@dataclass(frozen=True, slots=True)
class Report:
    """The price of one asset as it is submitted: its name in the configuration, its token, shares for it (1e18)."""

    asset: str
    token: Address
    price: int


@dataclass(frozen=True, slots=True)
class OracleState:
    """What the oracle holds at one block: its limits, and the last report of each asset in the order of the batch."""

    limits: MellowLimits
    last: tuple[MellowReport, ...]


def encode_reports(reports: Sequence[Report]) -> bytes:
    """The call data of a batch, in its order."""
    return encode_call(SUBMIT, [(report.token, report.price) for report in reports])


def decode_reports(data: bytes) -> tuple[tuple[str, int], ...]:
    """Token (lower case) and price of each report of call data."""
    (reports,) = decode_result(("(address,uint224)[]",), data[4:])
    return tuple((token, price) for token, price in reports)


def read_oracle(oracle: Address, tokens: Sequence[Address]) -> PeerRead[OracleState]:
    """Read limits and last reports. Raises CallReverted: the oracle does not support one of the tokens."""
    asked = tuple(Call(oracle, encode_call("getReport(address)", token)) for token in tokens)
    params, *reports = yield (Call(oracle, _SECURITY_PARAMS), *asked)
    wide, narrow, wide_part, narrow_part, timeout, _, _ = decode_result(_PARAMS_TYPES, params)
    limits = MellowLimits(
        max_absolute=wide,
        suspicious_absolute=narrow,
        max_relative=wide_part,
        suspicious_relative=narrow_part,
        timeout=timeout,
    )
    return OracleState(limits, tuple(_decode_report(report) for report in reports))


def judge(
    fund: str,
    reports: Sequence[Report],
    state: OracleState,
    now: Timestamp,
    *,
    margin: int,
    send_suspicious: bool,
    accept: str,
) -> Preview:
    """What the oracle would do with a batch at `now`; the reason is None where every report would reach the vault.

    Args:
        fund: whose batch.
        reports: the batch.
        state: the oracle.
        now: when it would be mined.
        margin: seconds added to the oracle's timeout.
        send_suspicious: whether to send what would be stored and kept from the vault until it is accepted.
        accept: how a suspicious report is accepted, for the advice.
    """
    found = [outcome(state.limits, last, report.price, now) for report, last in zip(reports, state.last, strict=True)]
    guards = tuple(guard for report, one in zip(reports, found, strict=True) for guard in _guards(report, one))
    waiting = [last for last in state.last if last.timestamp != 0 and not last.suspicious]
    ready = max((waits_until(last.timestamp, state.limits.timeout, margin) for last in waiting), default=Timestamp(0))
    if now < ready:
        advice = "The whole batch reverts while one asset's timeout runs: wait."
        return Preview(fund, TOO_EARLY, send=False, guards=guards, ready_at=ready, advice=advice)
    beyond = [report.asset for report, one in zip(reports, found, strict=True) if not one.stored]
    if beyond:
        advice = (
            f"The price of {', '.join(beyond)} is beyond the wide band, and the whole batch would revert: check it; "
            "if it is right, widen the band with setSecurityParams."
        )
        return Preview(fund, INVALID_PRICE, send=False, guards=guards, role=SET_SECURITY_PARAMS_ROLE, advice=advice)
    pending = [
        (report, last) for report, last in zip(reports, state.last, strict=True) if last.suspicious and last.timestamp
    ]
    if pending:
        listed = ", ".join(acceptance(report.token, last) for report, last in pending)
        advice = (
            f"Nobody has accepted the last report of {', '.join(report.asset for report, _ in pending)}; what "
            f"overwrites it is measured against it and suspicious too. Decide on it first, {accept}: {listed}."
        )
        reason = SUSPICIOUS_PENDING
        return Preview(fund, reason, send=send_suspicious, guards=guards, role=ACCEPT_REPORT_ROLE, advice=advice)
    flagged = [report.asset for report, one in zip(reports, found, strict=True) if one.suspicious]
    if flagged:
        advice = (
            f"The price of {', '.join(flagged)} would be stored as suspicious and kept from the vault until it is "
            f"accepted, {accept} (an asset's first report always is). It is sent where send_suspicious is set."
        )
        return Preview(fund, SUSPICIOUS, send=send_suspicious, guards=guards, role=ACCEPT_REPORT_ROLE, advice=advice)
    return Preview(fund, None, send=True, guards=guards)


def acceptance(token: str, report: MellowReport) -> str:
    """The arguments by which a suspicious report is accepted: token, price, time."""
    return f"({token}, {report.price}, {report.timestamp})"


def _guards(report: Report, found: MellowOutcome) -> tuple[GuardUse, ...]:
    """All guards of a report, under its asset's name."""
    timeout = () if found.timeout is None else (found.timeout,)
    bands = (*(found.wide or ()), *(found.narrow or ()))
    return tuple(replace(guard, name=f"{report.asset}.{guard.name}") for guard in (*timeout, *bands))


def _decode_report(data: bytes) -> MellowReport:
    price, timestamp, suspicious = decode_result(_REPORT_TYPES, data)
    return MellowReport(price, Timestamp(timestamp), suspicious)
