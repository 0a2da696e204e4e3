"""Laws of node states, of the choice of a block, and of limits."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from navoracle.chain.head import best_head, common_head, common_tag
from navoracle.chain.limits import LONGEST_BACK_OFF, BackOff, RateLimit
from navoracle.chain.node_state import Facts, Limits, NodeState, state_of

numbers = st.integers(0, 200)
claims = st.lists(st.tuples(st.sampled_from("abcd"), numbers), max_size=8)
facts = st.builds(
    Facts,
    dialed=st.booleans(),
    problem=st.none() | st.just("dead"),
    chain_id=st.none() | st.integers(1, 2),
    behind=st.none() | numbers,
    head=st.none() | numbers,
    head_time=st.none() | numbers,
    tagged=st.none() | numbers,
    branch=st.none() | st.just("branch"),
    dispute=st.none() | st.just("lie"),
)
limits = st.builds(
    Limits,
    chain_id=st.just(1),
    max_lag=st.integers(0, 20),
    best_head=st.none() | numbers,
    oldest_head=st.none() | numbers,
    tag=st.none() | st.just("safe"),
)


@given(facts, limits)
def test_state__alive__only_where_every_fact_is_right(found: Facts, asked: Limits) -> None:
    state, why = state_of(found, asked)
    right = (
        found.dialed
        and found.problem is None
        and found.chain_id == 1
        and found.head is not None
        and found.head_time is not None
        and (found.behind is None or found.behind <= asked.max_lag)
        and (asked.oldest_head is None or found.head_time >= asked.oldest_head)
        and (asked.best_head is None or found.head >= asked.best_head - asked.max_lag)
        and found.branch is None
        and (asked.tag is None or found.tagged is not None)
        and found.dispute is None
    )
    assert (state is NodeState.ALIVE) is right
    assert (why == "") is right


@given(facts, limits)
def test_state__another_chain__is_never_alive_whatever_else_it_says(found: Facts, asked: Limits) -> None:
    assert state_of(replace(found, chain_id=2), asked)[0] is not NodeState.ALIVE


@given(facts, limits, limits)
def test_state__same_facts_and_limits__is_the_same_whatever_was_before(found: Facts, one: Limits, two: Limits) -> None:
    before = state_of(found, two)
    state_of(found, one)
    assert state_of(found, two) == before


@given(claims, st.integers(1, 4), st.integers(0, 10))
def test_best_head__one_operator_claims_more__puts_no_quorum_out_of_sync(
    said: list[tuple[str, int]], quorum: int, lag: int
) -> None:
    best = best_head(said, quorum, lag)
    operators_near = {name for name, number in said if best is not None and best - lag <= number <= best}
    if len(operators_near) >= quorum:
        # A newcomer far ahead of everybody changes nothing, unless he alone is a quorum.
        raised = best_head([*said, ("liar", 10**12)], quorum, lag)
        assert raised == (10**12 if quorum == 1 else best)


@given(claims, st.integers(1, 4), st.integers(0, 10))
def test_common_head__found__is_within_the_lag_and_nobody_in_sync_lacks_it(
    said: list[tuple[str, int]], quorum: int, lag: int
) -> None:
    best = best_head(said, quorum, lag)
    if best is None:
        assert not said
        return
    head = common_head(said, best, lag)
    assert head is not None
    assert best - lag <= head <= best
    assert all(number >= head for _, number in said if number >= best - lag)


@given(claims, st.integers(1, 4))
def test_common_tag__found__is_reached_by_a_quorum_and_no_higher_one_is(
    said: list[tuple[str, int]], quorum: int
) -> None:
    def reached(number: int) -> int:
        return len({name for name, claimed in said if claimed >= number})

    tag = common_tag(said, quorum)
    if tag is None:
        assert reached(0) < quorum
        return
    assert reached(tag) >= quorum
    assert reached(tag + 1) < quorum


@given(st.integers(1, 50), st.lists(st.floats(0, 0.2), min_size=1, max_size=200))
def test_rate_limit__requests_at_any_pace__never_more_than_two_seconds_worth_within_a_second(
    per_second: int, gaps: list[float]
) -> None:
    limit, now = RateLimit(per_second), 0.0
    sent = []
    for gap in gaps:
        now += gap
        now += limit.reserve(now)
        sent.append(now)
    for start in sent:
        # The bucket's one second's worth, and what flows in during that second.
        assert sum(start <= each < start + 1.0 for each in sent) <= 2 * per_second


@given(st.lists(st.one_of(st.just("ok"), st.floats(0, 100)), max_size=40))
def test_back_off__any_history__is_bounded_and_ends_with_a_success(history: list[str | float]) -> None:
    rest, now = BackOff(), 0.0
    for step in history:
        if isinstance(step, str):
            rest.succeeded()
            assert rest.remaining(now) == 0
            continue
        now += step
        rest.failed(now)
        assert 0 < rest.remaining(now) <= LONGEST_BACK_OFF
