"""Whatever happens in whatever order: nobody is told twice within the interval, and no begin or end is lost."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.units import Timestamp
from navoracle.telemetry.alerts import AlertPolicy, Alerts
from tests.unit.telemetry.fakes import NOW, ListeningNotifier, MemoryStore, SetClock

POLICY = AlertPolicy(repeat=600, escalate=300, settle=30, forget=100_000)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["raise", "clear", "wait", "restart", "deaf", "hears", "full", "free"]), st.integers(1, 200)
    ),
    max_size=40,
)


@given(STEPS)
def test_alert__any_story__is_told_as_it_was(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_story(steps))


async def _story(steps: list[tuple[str, int]]) -> None:
    clock, store, notifier = SetClock(Timestamp(NOW)), MemoryStore(), ListeningNotifier()
    alerts = Alerts(store, notifier, POLICY, now=clock)
    wrong, heard = False, list[tuple[int, str]]()
    for step, seconds in steps:
        if step in ("raise", "clear"):
            wrong = step == "raise"
        elif step == "restart" and not store.broken:
            alerts = Alerts(store, notifier, POLICY, now=clock)
        elif step in ("deaf", "hears"):
            notifier.deaf = {"ops"} if step == "deaf" else set()
        elif step in ("full", "free"):
            store.broken = step == "full"
        clock.move(seconds)
        # The service looks at everything anew, again and again.
        if wrong:
            alerts.raise_("RpcDown", "main", "refused")
        else:
            alerts.clear("RpcDown", "main")
        await alerts.tick(clock())
        heard += [(clock(), kind) for _, kind, rule in notifier.take() if rule == "RpcDown"]

    told = [at for at, kind in heard if kind in ("raised", "still open")]
    ends = [at for at, kind in heard if kind == "resolved"]
    for earlier, later in pairwise(told):
        assert later - earlier >= POLICY.repeat or any(earlier <= end <= later for end in ends), heard
    order = [kind for _, kind in heard if kind != "nobody has acknowledged"]
    assert all(before != "resolved" for before, kind in pairwise([None, *order]) if kind == "resolved"), heard
    assert order[:1] in ([], ["raised"]), heard

    # In the end all is heard: it is told what is wrong, and nothing else.
    store.broken, notifier.deaf = False, set()
    for _ in range(30):
        clock.move(60)
        if wrong:
            alerts.raise_("RpcDown", "main", "refused")
        else:
            alerts.clear("RpcDown", "main")
        await alerts.tick(clock())
        heard += [(clock(), kind) for _, kind, rule in notifier.take() if rule == "RpcDown"]
    last = [kind for _, kind in heard if kind in ("raised", "still open", "resolved")][-1:]
    assert last in (([["raised"], ["still open"]]) if wrong else [["resolved"], []]), heard
    assert [row.rule for row in store.alerts(open_only=True)] == (["RpcDown"] if wrong else [])
