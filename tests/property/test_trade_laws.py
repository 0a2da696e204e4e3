"""Laws of trades: rounding against letting pass, and independence of how the logs come."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.units import WAD, Bps, Wad
from navoracle.keeper.trades import TRANSFER, TradeSubject, TradeWatch, transfer_filters
from navoracle.ports import Address, Log
from tests.unit.addresses import address

HOLDERS = [address(number) for number in (1, 2, 3)]
STRANGER = address(9)
TOKENS = [address(0xA0 + number) for number in range(3)]
ACCOUNTS = [*HOLDERS, STRANGER]


class Source:
    chain = "home"

    async def follow(self, filters: Any, on_logs: Any) -> None:
        raise NotImplementedError


def topic(account: Address) -> str:
    return "0x" + account[2:].lower().rjust(64, "0")


def log(index: int, token: Address, sender: Address, to: Address, amount: int, transaction: int) -> Log:
    topics = (TRANSFER, topic(sender), topic(to))
    return Log(token, topics, amount.to_bytes(32, "big"), 1, "0xb10c", hex(transaction), index)


subjects = st.lists(
    st.builds(
        TradeSubject,
        fund=st.sampled_from(["f", "g"]),
        chain=st.just("home"),
        holder=st.sampled_from(HOLDERS),
        token=st.sampled_from(TOKENS),
        asset=st.sampled_from(["A", "B", "unpriced"]),
        decimals=st.sampled_from([0, 6, 18, 36]),
        owed=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
transfers = st.lists(
    st.tuples(
        st.sampled_from(TOKENS),
        st.sampled_from(ACCOUNTS),
        st.sampled_from(ACCOUNTS),
        st.integers(0, 2**80),
        st.integers(0, 2),
    ),
    max_size=12,
).map(lambda found: [log(index, *each) for index, each in enumerate(found)])
prices = st.fixed_dictionaries({"A": st.integers(1, 10**24), "B": st.integers(1, 10**24)})
navs = st.fixed_dictionaries({"f": st.integers(-(10**18), 10**30), "g": st.none() | st.integers(1, 10**30)})


def asked(watched: list[TradeSubject], batches: list[list[Log]], known: Any, values: Any) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    watch = TradeWatch(
        Source(),
        watched,
        price=known.get,
        nav=values.get,
        on_trade=lambda seen: told.append((seen.fund, seen.reason)),
    )
    for batch in batches:
        watch.take(batch)
    return told


@given(subjects, transfers, prices, navs, st.randoms(use_true_random=False))
def test_take__same_logs_in_another_order__ask_for_the_same(
    watched: list[TradeSubject], logs: list[Log], known: Any, values: Any, dice: Any
) -> None:
    shuffled = list(logs)
    dice.shuffle(shuffled)
    assert sorted(asked(watched, [logs], known, values)) == sorted(asked(watched, [shuffled], known, values))


@given(subjects, transfers, prices, navs, st.randoms(use_true_random=False))
def test_take__same_logs_in_pieces__ask_for_the_same_trades_once_each(
    watched: list[TradeSubject], logs: list[Log], known: Any, values: Any, dice: Any
) -> None:
    shuffled = list(logs)
    dice.shuffle(shuffled)

    def trades(batches: list[list[Log]]) -> list[tuple[str, str]]:
        return sorted((fund, reason.rpartition(" in ")[2]) for fund, reason in asked(watched, batches, known, values))

    whole, pieces = trades([logs]), trades([[each] for each in shuffled])
    assert whole == pieces
    assert len(set(whole)) == len(whole)


@given(
    st.integers(1, 2**100), st.integers(1, 10**30), st.integers(0, 36), st.integers(1, 10**36), st.integers(0, 10_000)
)
def test_take__one_transfer__asks_exactly_when_its_value_rounded_up_is_above_the_limit(
    amount: int, price: int, decimals: int, nav: int, limit: int
) -> None:
    told: list[str] = []
    watch = TradeWatch(
        Source(),
        [TradeSubject("f", "home", HOLDERS[0], TOKENS[0], "A", decimals)],
        price=lambda _: Wad(price),
        nav=lambda _: Wad(nav),
        on_trade=lambda seen: told.append(seen.reason),
        limit_bps=Bps(limit),
    )
    watch.take([log(0, TOKENS[0], HOLDERS[0], STRANGER, amount, 1)])
    exact = Fraction(amount * price, 10**decimals)
    rounded = -(-exact.numerator // exact.denominator)
    assert bool(told) == (Fraction(rounded, nav) > Fraction(limit, 10_000))
    if exact > Fraction(nav * limit, 10_000):
        assert told  # rounding lets nothing pass
    if told:
        shown = int(told[0].split()[2].replace(",", "").replace(".", ""))
        assert 0 <= shown * WAD - rounded * 100 < WAD


@given(subjects)
def test_transfer_filters__every_subject__is_matched_in_both_directions(watched: list[TradeSubject]) -> None:
    filters = transfer_filters(watched)
    for subject in watched:
        for place in (1, 2):
            matching = [
                wanted
                for wanted in filters
                if subject.token in wanted.addresses
                and len(wanted.topics) == place + 1
                and wanted.topics[0] == (TRANSFER,)
                and topic(subject.holder) in (wanted.topics[place] or ())
            ]
            assert matching
