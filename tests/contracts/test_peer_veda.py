"""The double of Veda's accountant: it stores what it should refuse, and pauses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3.contract import Contract

from navoracle.abi import selector
from navoracle.chain.artifacts import artifact
from navoracle.domain.fee_models import VedaFeeState, veda_fees
from navoracle.domain.peer_guards import veda
from navoracle.domain.units import Timestamp
from tests.contracts.peers import HOUR, OWNER, POSTER, RECEIVER, STRANGER, YEAR, PeerChain, on_chain

DELAY, UPPER, LOWER = HOUR, 10_050, 9_950
RATE = 1_002_500
SUPPLY = 5_000_000_000_000
PAUSED = "AccountantWithRateProviders__Paused"
UPDATE = selector("updateExchangeRate(uint96)")


class Veda(PeerChain):
    """A vault of 5 million shares at 1.0025, deployed one second before `start`."""

    def __init__(self) -> None:
        super().__init__()
        self.base = self.deploy("Token", "USD Coin", "USDC", 6)
        self.shares = self.deploy("Token", "Vault", "V", 6)
        self.shares.functions.mint(self.accounts[STRANGER], SUPPLY).transact()
        self.accountant = self.make(RATE, UPPER, LOWER, DELAY, 200, 1_000)
        self.start = self.next_time() - 1
        self.grant(self.accountant)

    def make(self, rate: int, upper: int, lower: int, delay: int, platform: int, performance: int) -> Contract:
        owner, receiver = self.accounts[OWNER], self.accounts[RECEIVER]
        terms = (rate, self.base.address, upper, lower, delay, platform, performance)
        return self.deploy("VedaAccountant", owner, self.shares.address, receiver, *terms)

    def grant(self, accountant: Contract) -> None:
        self.send(self.next_time(), OWNER, accountant, "setCanCall", self.accounts[POSTER], UPDATE, True)

    def state(self, accountant: Contract) -> dict[str, int]:
        """`accountantState()` by the peer's names."""
        (entry,) = [entry for entry in artifact("VedaAccountant").abi if entry.get("name") == "accountantState"]
        names = [output["name"] for output in entry["outputs"]]
        return dict(zip(names, self.view(accountant, "accountantState"), strict=True))


@pytest.fixture(scope="module")
def shared() -> Veda:
    return Veda()


@pytest.fixture
def chain(shared: Veda) -> Iterator[Veda]:
    with shared.rewound():
        yield shared


def test_accountant_state__once_deployed__has_the_peers_fields_in_its_order(chain: Veda) -> None:
    assert chain.state(chain.accountant) == {
        "payoutAddress": chain.accounts[RECEIVER],
        "highwaterMark": RATE,
        "feesOwedInBase": 0,
        "totalSharesLastUpdate": SUPPLY,
        "exchangeRate": RATE,
        "allowedExchangeRateChangeUpper": UPPER,
        "allowedExchangeRateChangeLower": LOWER,
        "lastUpdateTimestamp": chain.start,
        "isPaused": False,
        "minimumUpdateDelayInSeconds": DELAY,
        "platformFee": 200,
        "performanceFee": 1_000,
    }
    assert chain.view(chain.accountant, "decimals") == 6


def test_update__by_nobody_with_the_right__is_unauthorized(chain: Veda) -> None:
    late = chain.start + DELAY
    assert chain.refusal(late, STRANGER, chain.accountant, "updateExchangeRate", RATE) == "UNAUTHORIZED"
    assert chain.refusal(late, POSTER, chain.accountant, "unpause") == "UNAUTHORIZED"
    assert chain.refusal(late, POSTER, chain.accountant, "updateExchangeRate", RATE) == ""
    authority = chain.view(chain.accountant, "authority")
    assert authority == chain.accountant.address
    assert chain.view(chain.accountant, "canCall", chain.accounts[POSTER], chain.accountant.address, UPDATE)


@pytest.mark.parametrize(
    ("rate", "pauses"),
    [
        (RATE * UPPER // 10_000, False),
        (RATE * UPPER // 10_000 + 1, True),
        (RATE * LOWER // 10_000, False),
        (RATE * LOWER // 10_000 - 1, True),
    ],
)
def test_update__at_a_bound_and_one_unit_beyond__pauses_only_beyond(chain: Veda, rate: int, pauses: bool) -> None:
    chain.send(chain.start + DELAY, POSTER, chain.accountant, "updateExchangeRate", rate)
    state = chain.state(chain.accountant)
    assert (state["isPaused"], state["exchangeRate"]) == (pauses, rate)


def test_update__twice_the_rate__succeeds_stores_it_and_pauses_without_an_event(chain: Veda) -> None:
    time = chain.start + DELAY
    receipt = chain.send(time, POSTER, chain.accountant, "updateExchangeRate", 2 * RATE)
    assert receipt["status"] == 1
    assert chain.events(chain.accountant, receipt) == [
        ("ExchangeRateUpdated", {"oldRate": RATE, "newRate": 2 * RATE, "currentTime": time})
    ]
    state = chain.state(chain.accountant)
    assert (state["exchangeRate"], state["isPaused"], state["feesOwedInBase"]) == (2_005_000, True, 0)
    assert (state["highwaterMark"], state["lastUpdateTimestamp"]) == (RATE, time)
    assert chain.view(chain.accountant, "getRate") == 2_005_000
    assert chain.refusal(time + 1, STRANGER, chain.accountant, "getRateSafe") == PAUSED
    assert chain.refusal(time + DELAY, POSTER, chain.accountant, "updateExchangeRate", RATE) == PAUSED
    assert chain.refusal(time + DELAY, STRANGER, chain.accountant, "previewUpdateExchangeRate", RATE) == PAUSED


def test_update__that_corrects_a_stored_bad_rate__trips_the_lower_bound_and_pauses_again(chain: Veda) -> None:
    time = chain.start + DELAY
    chain.send(time, POSTER, chain.accountant, "updateExchangeRate", 2 * RATE)
    chain.send(time + 1, OWNER, chain.accountant, "unpause")
    assert chain.view(chain.accountant, "getRateSafe") == 2 * RATE
    chain.send(time + DELAY, POSTER, chain.accountant, "updateExchangeRate", RATE)
    assert chain.state(chain.accountant)["isPaused"]
    # Out of it only by the owner: a wider bound, no pause, the delay, and the bound set back.
    chain.send(time + DELAY + 1, OWNER, chain.accountant, "updateUpper", 20_000)
    chain.send(time + DELAY + 2, OWNER, chain.accountant, "unpause")
    chain.send(time + 2 * DELAY, POSTER, chain.accountant, "updateExchangeRate", RATE)
    chain.send(time + 2 * DELAY + 1, OWNER, chain.accountant, "updateUpper", UPPER)
    assert (chain.view(chain.accountant, "getRateSafe"), chain.state(chain.accountant)["isPaused"]) == (RATE, False)


def test_update__recovering_as_the_peer_must__widens_the_lower_bound_first(chain: Veda) -> None:
    time = chain.start + DELAY
    chain.send(time, POSTER, chain.accountant, "updateExchangeRate", 2 * RATE)
    chain.send(time + 1, OWNER, chain.accountant, "updateLower", 5_000)
    chain.send(time + 2, OWNER, chain.accountant, "unpause")
    chain.send(time + DELAY, POSTER, chain.accountant, "updateExchangeRate", RATE)
    chain.send(time + DELAY + 1, OWNER, chain.accountant, "updateLower", LOWER)
    assert chain.view(chain.accountant, "getRateSafe") == RATE


def test_update__one_second_early__pauses(chain: Veda) -> None:
    chain.send(chain.start + DELAY - 1, POSTER, chain.accountant, "updateExchangeRate", RATE)
    assert chain.state(chain.accountant)["isPaused"]


def test_update__sent_twice__pauses_on_the_second(chain: Veda) -> None:
    chain.send(chain.start + DELAY, POSTER, chain.accountant, "updateExchangeRate", RATE + 1)
    assert not chain.state(chain.accountant)["isPaused"]
    chain.send(chain.start + DELAY + 1, POSTER, chain.accountant, "updateExchangeRate", RATE + 1)
    assert chain.state(chain.accountant)["isPaused"]


def test_update__zero__is_stored(chain: Veda) -> None:
    chain.send(chain.start + DELAY, POSTER, chain.accountant, "updateExchangeRate", 0)
    assert (chain.view(chain.accountant, "getRate"), chain.state(chain.accountant)["isPaused"]) == (0, True)


def test_pause__by_the_owner__says_so(chain: Veda) -> None:
    paused = chain.send(chain.start + 10, OWNER, chain.accountant, "pause")
    unpaused = chain.send(chain.start + 11, OWNER, chain.accountant, "unpause")
    assert [name for name, _ in chain.events(chain.accountant, paused)] == ["Paused"]
    assert [name for name, _ in chain.events(chain.accountant, unpaused)] == ["Unpaused"]


@pytest.mark.parametrize(
    ("function", "allowed", "refused", "error"),
    [
        ("updateDelay", 14 * 86_400, 14 * 86_400 + 1, "UpdateDelayTooLarge"),
        ("updateUpper", 10_000, 9_999, "UpperBoundTooSmall"),
        ("updateLower", 10_000, 10_001, "LowerBoundTooLarge"),
        ("updatePlatformFee", 2_000, 2_001, "PlatformFeeTooLarge"),
        ("updatePerformanceFee", 5_000, 5_001, "PerformanceFeeTooLarge"),
    ],
)
def test_setting__at_its_limit_and_beyond__is_refused_beyond(
    chain: Veda, function: str, allowed: int, refused: int, error: str
) -> None:
    now = chain.start + 10
    assert chain.refusal(now, OWNER, chain.accountant, function, allowed) == ""
    assert chain.refusal(now, OWNER, chain.accountant, function, refused) == f"AccountantWithRateProviders__{error}"


def test_reset_of_the_mark__above_it_and_below__charges_and_lowers_it_only_below(chain: Veda) -> None:
    chain.send(chain.start + DELAY, POSTER, chain.accountant, "updateExchangeRate", RATE - 1_000)
    owed = chain.state(chain.accountant)["feesOwedInBase"]
    chain.send(chain.start + YEAR, OWNER, chain.accountant, "resetHighwaterMark")
    state = chain.state(chain.accountant)
    assert state["highwaterMark"] == RATE - 1_000
    annual = SUPPLY * (RATE - 1_000) // 10**6 * 200 // 10_000
    assert state["feesOwedInBase"] == owed + annual * (YEAR - DELAY) // YEAR
    chain.send(chain.start + YEAR + DELAY, POSTER, chain.accountant, "updateExchangeRate", 2 * RATE)
    reason = "AccountantWithRateProviders__ExchangeRateAboveHighwaterMark"
    assert chain.refusal(chain.start + 2 * YEAR, OWNER, chain.accountant, "resetHighwaterMark") == reason


def test_fees__of_a_year_without_a_move__are_the_rate_of_the_assets(chain: Veda) -> None:
    chain.send(chain.start + YEAR, POSTER, chain.accountant, "updateExchangeRate", RATE)
    # 5 million shares at 1.0025, 2 % of it.
    assert chain.state(chain.accountant)["feesOwedInBase"] == 100_250_000_000


@on_chain
@given(
    rate=st.integers(1, 10**12),
    terms=st.tuples(st.integers(10_000, 65_535), st.integers(0, 10_000), st.integers(0, 14 * 86_400)),
    fees=st.tuples(st.integers(0, 2_000), st.integers(0, 5_000)),
    waited=st.integers(2, 30 * 86_400),
    move=st.one_of(st.integers(-11_000, 70_000), st.sampled_from(("upper", "lower", "above", "below"))),
    minted=st.integers(-SUPPLY, SUPPLY),
)
def test_preview__of_any_rate__is_what_the_post_then_does_and_what_the_models_say(
    shared: Veda,
    rate: int,
    terms: tuple[int, int, int],
    fees: tuple[int, int],
    waited: int,
    move: int | str,
    minted: int,
) -> None:
    chain = shared
    with chain.rewound():
        accountant = chain.make(rate, *terms, *fees)
        start = chain.next_time() - 1
        supply = SUPPLY + minted
        if minted >= 0:
            chain.send(start + 1, OWNER, chain.shares, "mint", chain.accounts[STRANGER], minted)
        else:
            chain.send(start + 1, OWNER, chain.shares, "burn", chain.accounts[STRANGER], -minted)
        bounds = veda.VedaBounds(rate, terms[0], terms[1], Timestamp(start), terms[2])
        edges = {
            "upper": bounds.highest,
            "above": bounds.highest + 1,
            "lower": bounds.lowest,
            "below": max(0, bounds.lowest - 1),
        }
        new_rate = edges[move] if isinstance(move, str) else max(0, rate + rate * move // 10_000)
        now = Timestamp(start + waited)
        before = VedaFeeState(rate, rate, 0, SUPPLY, Timestamp(start), *fees, 6)
        passes = all(guard.passes for guard in veda.guards(bounds, new_rate, now))
        expected = veda_fees(before, new_rate=new_rate, shares=supply, now=now)

        chain.wait_until(now)
        preview = chain.view(accountant, "previewUpdateExchangeRate", new_rate)
        chain.send(now, OWNER, accountant, "updateExchangeRate", new_rate)
        state = chain.state(accountant)

        owed = expected.fees_owed if passes else 0
        assert preview == [not passes, owed, owed]
        assert (state["isPaused"], state["feesOwedInBase"]) == (not passes, owed)
        assert state["highwaterMark"] == (expected.high_water_mark if passes else rate)
        assert (state["exchangeRate"], state["lastUpdateTimestamp"]) == (new_rate, now)
        assert state["totalSharesLastUpdate"] == supply
