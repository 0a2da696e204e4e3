"""The doubles of Mellow's oracle and submitter: inverted prices, two bands, a vault that hears only of trusted ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3.contract import Contract

from navoracle.domain.peer_guards import mellow
from navoracle.domain.units import Timestamp
from tests.contracts.peers import ACCEPTER, HOUR, OWNER, POSTER, STRANGER, WAD, PeerChain, on_chain

PAR = 10**30
"""One share of 18 decimals for one unit of 6: 1e12 raw shares for a raw unit, times 1e18."""
TIMEOUT = HOUR
MAX_RELATIVE, SUSPICIOUS_RELATIVE = WAD // 20, WAD // 100
LIMITS = (PAR // 10, PAR // 50, MAX_RELATIVE, SUSPICIOUS_RELATIVE, TIMEOUT, 600, 1_200)
"""Absolute 10 % and 2 % of par, relative 5 % and 1 %: at par the relative ones bind."""


class Mellow(PeerChain):
    """An oracle of USDC (the base asset) and of another asset, a vault, and a submitter with the oracle's roles."""

    def __init__(self) -> None:
        super().__init__()
        self.base = self.deploy("Token", "USD Coin", "USDC", 6)
        self.other = self.deploy("Token", "Tether", "USDT", 6)
        self.oracle = self.deploy("MellowOracle", LIMITS, [self.base.address, self.other.address])
        self.vault = self.deploy("MellowVault", self.accounts[OWNER], self.oracle.address, self.base.address)
        self.send(self.next_time(), OWNER, self.oracle, "setVault", self.vault.address)
        for role, account in (
            ("SUBMIT_REPORTS_ROLE", POSTER),
            ("ACCEPT_REPORT_ROLE", ACCEPTER),
            ("SET_SECURITY_PARAMS_ROLE", OWNER),
        ):
            self.grant(role, self.accounts[account])
        who = [self.accounts[account] for account in (OWNER, POSTER, ACCEPTER)]
        self.submitter = self.deploy("MellowSubmitter", *who, self.oracle.address)
        for role in ("SUBMIT_REPORTS_ROLE", "ACCEPT_REPORT_ROLE"):
            self.grant(role, self.submitter.address)
        self.start = self.next_time()

    def grant(self, role: str, who: str) -> None:
        self.send(self.next_time(), OWNER, self.vault, "grantRole", self.view(self.oracle, role), who)

    def report(self, price: int, asset: Contract | None = None) -> tuple[str, int]:
        return ((asset or self.base).address, price)

    def submit(self, time: int, *reports: tuple[str, int]) -> Any:
        return self.send(time, POSTER, self.oracle, "submitReports", reports)

    def submit_refusal(self, time: int, *reports: tuple[str, int]) -> str:
        return self.refusal(time, POSTER, self.oracle, "submitReports", reports)

    def stored(self, asset: Contract | None = None) -> tuple[int, int, bool]:
        price, time, suspicious = self.view(self.oracle, "getReport", (asset or self.base).address)
        return price, time, suspicious

    def handled(self, asset: Contract | None = None) -> int:
        return int(self.view(self.vault, "handledPrice", (asset or self.base).address))

    def trust(self, time: int, price: int) -> int:
        """Submit a first price of the base asset, accept it, and return when the next may come."""
        self.submit(time, self.report(price))
        self.send(time + 1, ACCEPTER, self.oracle, "acceptReport", self.base.address, price, time)
        return time + TIMEOUT


@pytest.fixture(scope="module")
def shared() -> Mellow:
    return Mellow()


@pytest.fixture
def chain(shared: Mellow) -> Iterator[Mellow]:
    with shared.rewound():
        yield shared


def test_first_report__of_any_price__is_stored_as_suspicious_and_kept_from_the_vault(chain: Mellow) -> None:
    assert chain.view(chain.oracle, "validatePrice", 7 * PAR, chain.base.address) == [True, True]
    receipt = chain.submit(chain.start, chain.report(PAR))
    assert receipt["status"] == 1
    assert [name for name, _ in chain.events(chain.oracle, receipt)] == ["ReportsSubmitted"]
    assert chain.stored() == (PAR, chain.start, True)
    assert (chain.handled(), chain.events(chain.vault, receipt)) == (0, [])


def test_acceptance__of_exactly_the_stored_report__tells_the_vault(chain: Mellow) -> None:
    chain.submit(chain.start, chain.report(PAR))
    now, base = chain.start + 10, chain.base.address
    for price, time in ((PAR + 1, chain.start), (PAR, chain.start + 1)):
        assert chain.refusal(now, ACCEPTER, chain.oracle, "acceptReport", base, price, time) == "InvalidReport"
    assert chain.refusal(now, POSTER, chain.oracle, "acceptReport", base, PAR, chain.start) == "Forbidden"
    receipt = chain.send(now, ACCEPTER, chain.oracle, "acceptReport", base, PAR, chain.start)
    accepted = {"asset": base, "priceD18": PAR, "timestamp": chain.start}
    assert chain.events(chain.oracle, receipt) == [("ReportAccepted", accepted)]
    # Requests count by the report's time, not by that of its acceptance.
    times = {"depositTimestamp": chain.start - 600, "redeemTimestamp": chain.start - 1_200}
    handled = {"asset": base, "priceD18": PAR, **times, "fees": 0}
    assert chain.events(chain.vault, receipt) == [("ReportHandled", handled)]
    assert (chain.stored(), chain.handled()) == ((PAR, chain.start, False), PAR)
    refused = chain.refusal(now + 1, ACCEPTER, chain.oracle, "acceptReport", base, PAR, chain.start)
    assert refused == "InvalidReport"


def test_reports__by_others_or_of_other_assets__are_refused(chain: Mellow) -> None:
    reports = [chain.report(PAR)]
    assert chain.refusal(chain.start, STRANGER, chain.oracle, "submitReports", reports) == "Forbidden"
    assert chain.submit_refusal(chain.start, (chain.accounts[STRANGER], PAR)) == "UnsupportedAsset"
    assert chain.refusal(chain.start, STRANGER, chain.oracle, "getReport", chain.accounts[STRANGER]) == (
        "UnsupportedAsset"
    )
    assert chain.view(chain.oracle, "validatePrice", PAR, chain.accounts[STRANGER]) == [False, False]
    assert chain.refusal(chain.start, STRANGER, chain.vault, "handleReport", chain.base.address, 1, 1, 1) == "Forbidden"


@pytest.mark.parametrize("sign", [1, -1])
def test_report__at_each_band_and_one_unit_beyond__is_trusted_suspicious_or_refused(chain: Mellow, sign: int) -> None:
    now = chain.trust(chain.start, PAR)
    narrow, wide, unit = PAR * SUSPICIOUS_RELATIVE // WAD, PAR * MAX_RELATIVE // WAD, PAR // WAD
    # A relative deviation rounds down, so that a unit less than the next 1e-18 passes.
    assert unit > 1
    for change, suspicious in ((narrow, False), (narrow + unit - 1, False), (narrow + unit, True), (wide, True)):
        with chain.rewound():
            chain.submit(now, chain.report(PAR + sign * change))
            assert chain.stored() == (PAR + sign * change, now, suspicious)
            assert chain.handled() == (PAR if suspicious else PAR + sign * change)
    assert chain.submit_refusal(now, chain.report(PAR + sign * (wide + unit))) == "InvalidPrice"


def test_report__one_second_early__is_refused_unless_the_last_one_is_suspicious(chain: Mellow) -> None:
    chain.submit(chain.start, chain.report(PAR))
    chain.submit(chain.start + 1, chain.report(PAR))
    assert chain.stored() == (PAR, chain.start + 1, True)
    chain.send(chain.start + 2, ACCEPTER, chain.oracle, "acceptReport", chain.base.address, PAR, chain.start + 1)
    due = chain.start + 1 + TIMEOUT
    assert chain.submit_refusal(due - 1, chain.report(PAR)) == "TooEarly"
    assert chain.submit_refusal(due, chain.report(PAR)) == ""


def test_report__after_an_unaccepted_suspicious_one__is_measured_against_that_and_stays_suspicious(
    chain: Mellow,
) -> None:
    now = chain.trust(chain.start, PAR)
    high = PAR + PAR * 4 // 100
    chain.submit(now, chain.report(high))
    assert chain.stored() == (high, now, True)
    # 8 % above what the vault trusts, yet 3.8 % above the unaccepted price: it goes through.
    higher = PAR + PAR * 8 // 100
    assert chain.submit_refusal(now + 1, chain.report(higher)) == ""
    # And 2 % below what the vault trusts is 5.8 % below the unaccepted price: it does not.
    assert chain.submit_refusal(now + 1, chain.report(PAR - PAR * 2 // 100)) == "InvalidPrice"
    # The same price again, within every band: still suspicious. So is the trusted one.
    chain.submit(now + 1, chain.report(high))
    assert (chain.stored(), chain.handled()) == ((high, now + 1, True), PAR)
    chain.submit(now + 2, chain.report(PAR))
    assert (chain.stored(), chain.handled()) == ((PAR, now + 2, True), PAR)


def test_batch__with_one_bad_report__stores_none(chain: Mellow) -> None:
    now = chain.trust(chain.start, PAR)
    bad = chain.report(2 * PAR)
    assert chain.submit_refusal(now, chain.report(PAR, chain.other), bad) == "InvalidPrice"
    receipt_before = chain.stored(chain.other)
    assert receipt_before == (0, 0, False)
    chain.submit(now, chain.report(PAR, chain.other), chain.report(PAR))
    assert (chain.stored(chain.other), chain.stored()) == ((PAR, now, True), (PAR, now, False))


def test_submitter__with_another_asset_first__is_refused(chain: Mellow) -> None:
    good = [chain.report(PAR), chain.report(PAR, chain.other)]
    assert chain.refusal(chain.start, POSTER, chain.submitter, "submitReports", good[::-1]) == "InvalidOrder"
    refused = chain.refusal(chain.start, STRANGER, chain.submitter, "submitReports", good)
    assert refused == "AccessControlUnauthorizedAccount"
    # The oracle itself takes any order.
    assert chain.submit_refusal(chain.start, *good[::-1]) == ""


def test_submitter__once_the_base_price_is_trusted__answers_its_inverse(chain: Mellow) -> None:
    price, now = 3 * PAR, chain.start
    reports = [chain.report(price), chain.report(PAR, chain.other)]
    chain.send(now, POSTER, chain.submitter, "submitReports", reports)
    assert chain.view(chain.submitter, "getRate") == 0
    assert chain.view(chain.submitter, "reportAt", chain.base.address, 0) == (price, now, True)
    assets = [chain.base.address, chain.other.address]
    flipped = chain.refusal(now + 5, ACCEPTER, chain.submitter, "acceptReports", assets[::-1], [PAR, price], [now, now])
    assert flipped == "InvalidOrder"
    chain.send(now + 5, ACCEPTER, chain.submitter, "acceptReports", assets, [price, PAR], [now, now])
    assert chain.view(chain.submitter, "getRate") == 10**36 // price == 333_333
    assert chain.view(chain.submitter, "latestRoundData") == [0, 333_333, now + 5, now + 5, 0]
    assert chain.view(chain.submitter, "acceptedAt", chain.base.address, 0) == now + 5
    later = now + TIMEOUT
    reports = [chain.report(price + price // 200), chain.report(PAR, chain.other)]
    chain.send(later, POSTER, chain.submitter, "submitReports", reports)
    assert chain.view(chain.submitter, "getRate") == 10**36 // (price + price // 200)
    assert chain.view(chain.submitter, "reports", chain.base.address) == 2
    beyond = [chain.report(2 * price)]
    assert chain.refusal(later + TIMEOUT, POSTER, chain.submitter, "submitReports", beyond) == "InvalidPrice"


def test_limits__with_a_zero__are_refused(chain: Mellow) -> None:
    for position in range(len(LIMITS)):
        broken = tuple(0 if place == position else limit for place, limit in enumerate(LIMITS))
        assert chain.refusal(chain.start + 1, OWNER, chain.oracle, "setSecurityParams", broken) == "ZeroValue"
    assert chain.refusal(chain.start + 1, OWNER, chain.oracle, "setSecurityParams", LIMITS) == ""
    assert chain.refusal(chain.start + 1, POSTER, chain.oracle, "setSecurityParams", LIMITS) == "Forbidden"
    assert chain.refusal(chain.start + 1, OWNER, chain.oracle, "setVault", chain.vault.address) == (
        "InvalidInitialization"
    )
    assert tuple(chain.view(chain.oracle, "securityParams")) == LIMITS


@on_chain
@given(
    last=st.integers(1, 10**30),
    accepted=st.booleans(),
    absolute=st.tuples(st.integers(1, 10**29), st.integers(1, 10**29)),
    relative=st.tuples(st.integers(1, WAD), st.integers(1, WAD)),
    change=st.one_of(st.integers(-(10**30), 10**30), st.integers(0, 7)),
    off=st.integers(-1, 1),
    waited=st.integers(2, 2 * TIMEOUT),
)
def test_any_report__is_judged_as_the_model_says(
    shared: Mellow,
    last: int,
    accepted: bool,
    absolute: tuple[int, int],
    relative: tuple[int, int],
    change: int,
    off: int,
    waited: int,
) -> None:
    chain, limits = shared, (*absolute, *relative, TIMEOUT, 600, 1_200)
    edges = [absolute[0], absolute[1], last * relative[0] // WAD, last * relative[1] // WAD]
    if 0 <= change <= 7:
        change = edges[change % 4] * (1 if change < 4 else -1)
    price = min(2**224 - 1, max(0, last + change + off))
    with chain.rewound():
        oracle, base = chain.oracle, chain.base.address
        chain.send(chain.start, OWNER, oracle, "setSecurityParams", limits)
        start = chain.start + 1
        chain.send(start, POSTER, oracle, "submitReports", [(base, last)])
        if accepted:
            chain.send(start + 1, ACCEPTER, oracle, "acceptReport", base, last, start)
        now = start + waited
        before = mellow.MellowReport(last, Timestamp(start), suspicious=not accepted)
        found = mellow.outcome(mellow.MellowLimits(*limits[:5]), before, price, Timestamp(now))
        assert found.wide is not None
        valid = all(guard.passes for guard in found.wide)
        early = found.timeout is not None and not found.timeout.passes

        judged = chain.view(oracle, "validatePrice", price, base)
        refused = chain.refusal(now, POSTER, oracle, "submitReports", [(base, price)])

        assert judged == [valid, valid and found.suspicious]
        assert refused == ("TooEarly" if early else "" if valid else "InvalidPrice")
        if not refused:
            chain.send(now, POSTER, oracle, "submitReports", [(base, price)])
            assert tuple(chain.view(oracle, "getReport", base)) == (price, now, found.suspicious)
            trusted = price if not found.suspicious else last if accepted else 0
            assert chain.handled() == trusted
