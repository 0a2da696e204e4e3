"""A request is taken once, within its limit, and ends once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from navoracle.domain.errors import RequestRefused, StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.storage import SqlStore
from navoracle.store_port import RequestRecord, RequestRow, RequestState
from tests.unit.storage.builders import KEEPER, NOW, REGISTRY, content_of

HOUR = 3_600
LATER = Timestamp(NOW + 60)
FIRST = RequestRecord(
    id="0x01",
    fund="alpha",
    action="update",
    role="manager",
    signer=KEEPER,
    chain_id=2**70,
    contract=REGISTRY,
    nonce=2**255,
    slot=NOW,
    reason="the price \0 moved",
    deadline=LATER,
    document='{"fund": "alpha"}',
    received_by="http",
)


def another(number: int, fund: str = "alpha", action: str = "update") -> RequestRecord:
    """A request with an id and a nonce of its own."""
    return replace(FIRST, id=f"0x{number:02x}", nonce=number, fund=fund, action=action)


def take(store: SqlStore, record: RequestRecord, at: int = NOW, at_most: int | None = None) -> None:
    """Take a request, of which some may be taken in an hour."""
    store.take_request(record, Timestamp(at), at_most=at_most, within=HOUR)


def test_take_request__new__is_queued_as_it_came(store: SqlStore) -> None:
    take(store, FIRST)
    stored = replace(FIRST, reason="the price \ufffd moved")
    assert store.queued_requests() == (RequestRow(stored, RequestState.QUEUED, NOW, None, None),)
    assert store.requests() == store.queued_requests()


@pytest.mark.parametrize("change", [{}, {"nonce": 3}, {"id": "0x02"}, {"id": "0x02", "fund": "beta", "action": "hold"}])
@pytest.mark.parametrize("ended", [False, True])
def test_take_request__id_or_nonce_used_before__is_replayed(
    store: SqlStore, change: dict[str, object], ended: bool
) -> None:
    take(store, FIRST)
    if ended:
        store.finish_request("0x01", RequestState.REFUSED, "no", LATER)
    before = content_of(store)
    with pytest.raises(RequestRefused, match="used before") as refused:
        take(store, replace(FIRST, **change))  # type: ignore[arg-type]
    assert refused.value.reason == "replayed"
    assert refused.value.advice
    assert content_of(store) == before


@pytest.mark.parametrize(
    "change", [{"chain_id": 1}, {"contract": KEEPER}, {"signer": Address("0x" + "33" * 20)}, {"nonce": 1}]
)
def test_take_request__nonce_of_another_signer_contract_or_chain__is_its_own(
    store: SqlStore, change: dict[str, object]
) -> None:
    take(store, FIRST)
    take(store, replace(FIRST, id="0x02", **change))  # type: ignore[arg-type]
    assert [row.record.id for row in store.queued_requests()] == ["0x01", "0x02"]
    assert [row.record.id for row in store.requests()] == ["0x02", "0x01"]


def test_take_request__limit__counts_the_action_of_the_fund_in_the_window(store: SqlStore) -> None:
    take(store, another(1), at=NOW, at_most=2)
    take(store, another(2), at=NOW + 10, at_most=2)
    with pytest.raises(RequestRefused, match=r"as often as may be \(2\)") as refused:
        take(store, another(3), at=NOW + HOUR - 1, at_most=2)
    assert refused.value.reason == "too_often"
    take(store, another(4, fund="beta"), at=NOW + 11, at_most=2)
    take(store, another(5, action="hold"), at=NOW + 11, at_most=2)
    take(store, another(3), at=NOW + HOUR, at_most=2)  # what was refused did not use up its nonce
    assert [row.record.id for row in store.requests("alpha")] == ["0x03", "0x05", "0x02", "0x01"]
    assert [row.record.id for row in store.requests(limit=1)] == ["0x03"]


@pytest.mark.parametrize("change", [{"deadline": Timestamp(2**200)}, {"slot": Timestamp(2**63)}])
def test_take_request__time_beyond_any__is_malformed(store: SqlStore, change: dict[str, object]) -> None:
    with pytest.raises(RequestRefused) as refused:
        take(store, replace(FIRST, **change))  # type: ignore[arg-type]
    assert refused.value.reason == "malformed"
    assert store.requests() == ()


@pytest.mark.parametrize("same", [True, False])
def test_take_request__by_several_at_once__one_is_taken(url: str, same: bool) -> None:
    start = Barrier(4)

    def act(number: int) -> str:
        with SqlStore.open(url) as store:
            start.wait()
            try:
                take(store, FIRST if same else another(number), at_most=1)
            except RequestRefused as refused:
                return refused.reason
            return "taken"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(act, range(1, 5)))
    assert answers == sorted(["taken", *["replayed" if same else "too_often"] * 3])
    with SqlStore.open(url) as store:
        assert len(store.requests()) == 1


@pytest.mark.parametrize("state", [RequestState.DONE, RequestState.REFUSED])
def test_finish_request__queued__ends_once(store: SqlStore, state: RequestState) -> None:
    take(store, FIRST)
    take(store, another(2))
    store.finish_request("0x01", state, "slot 7", LATER)
    before = content_of(store)
    store.finish_request("0x01", state, "slot 7", Timestamp(LATER + 1))
    for other in (RequestState.DONE, RequestState.REFUSED):
        with pytest.raises(StoreError, match="has ended as"):
            store.finish_request("0x01", other, "something else", LATER)
    assert content_of(store) == before
    assert [row.record.id for row in store.queued_requests()] == ["0x02"]
    ended = store.requests()[1]
    assert (ended.state, ended.result, ended.finished_at) == (state, "slot 7", LATER)


def test_finish_request__unknown_or_as_queued__raises(store: SqlStore) -> None:
    take(store, FIRST)
    with pytest.raises(StoreError, match="not recorded"):
        store.finish_request("0x09", RequestState.DONE, "done", LATER)
    with pytest.raises(StoreError, match="cannot end as queued"):
        store.finish_request("0x01", RequestState.QUEUED, "", LATER)
