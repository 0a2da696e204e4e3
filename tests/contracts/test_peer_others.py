"""The doubles of Enzyme's manual value and of Centrifuge's hub and spoke: hardly a guard between a key and a price."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.peers import HOUR, OWNER, POSTER, STRANGER, WAD, PeerChain

POOL, SHARE_CLASS, CHAIN_ID = 1 << 48 | 7, bytes(15) + b"\1", 3


class Others(PeerChain):
    """An Enzyme value and a Centrifuge pool, both posted to by POSTER."""

    def __init__(self) -> None:
        super().__init__()
        self.value = self.deploy("EnzymeValue", self.accounts[OWNER], self.accounts[POSTER], b"NAV".ljust(32, b"\0"))
        self.hub = self.deploy("CentrifugeHub", self.accounts[OWNER])
        self.spoke = self.web3.eth.contract(
            address=self.view(self.hub, "spoke"), abi=self.deploy("CentrifugeSpoke", self.accounts[OWNER]).abi
        )
        self.send(self.next_time(), OWNER, self.hub, "updateManager", POOL, self.accounts[POSTER], True)
        self.send(self.next_time(), OWNER, self.hub, "addShareClass", POOL, SHARE_CLASS)
        self.start = self.next_time()

    def price(self, time: int, price: int, computed_at: int) -> None:
        self.send(time, POSTER, self.hub, "updateSharePrice", POOL, SHARE_CLASS, price, computed_at)

    def notify(self, time: int) -> None:
        self.send(time, POSTER, self.hub, "notifySharePrice", POOL, SHARE_CLASS, CHAIN_ID, self.accounts[POSTER])

    def on_spoke(self, *, check: bool) -> int:
        return int(self.view(self.spoke, "pricePoolPerShare", POOL, SHARE_CLASS, check))


@pytest.fixture(scope="module")
def shared() -> Others:
    return Others()


@pytest.fixture
def chain(shared: Others) -> Iterator[Others]:
    with shared.rewound():
        yield shared


def test_enzyme_value__of_any_size_at_any_time__is_stored(chain: Others) -> None:
    for second, value in enumerate((WAD, 1_000 * WAD, 0, -1, 2**191 - 1, -(2**191))):
        receipt = chain.send(chain.start + second, POSTER, chain.value, "updateValue", value)
        assert chain.events(chain.value, receipt) == [("ValueUpdated", {"value": value})]
        assert chain.view(chain.value, "getValueWithTimestamp") == [value, chain.start + second]


def test_enzyme_value__by_others_than_the_updater__is_refused(chain: Others) -> None:
    now = chain.start
    assert chain.refusal(now, OWNER, chain.value, "updateValue", 1) == "updateValue: Unauthorized"
    assert chain.refusal(now, POSTER, chain.value, "setUpdater", chain.accounts[STRANGER]) == "onlyOwner: Unauthorized"
    chain.send(now, OWNER, chain.value, "setUpdater", chain.accounts[STRANGER])
    assert chain.view(chain.value, "getUpdater") == chain.accounts[STRANGER]
    assert chain.refusal(now + 1, POSTER, chain.value, "updateValue", 1) == "updateValue: Unauthorized"


def test_centrifuge_price__computed_in_the_future__is_refused(chain: Others) -> None:
    now = chain.start
    for computed_at, expected in ((now, ""), (now + 1, "CannotSetFuturePrice")):
        arguments = (POOL, SHARE_CLASS, WAD, computed_at)
        assert chain.refusal(now, POSTER, chain.hub, "updateSharePrice", *arguments) == expected


def test_centrifuge_price__by_others_or_of_no_share_class__is_refused(chain: Others) -> None:
    now = chain.start
    arguments = (POOL, SHARE_CLASS, WAD, now)
    assert chain.refusal(now, OWNER, chain.hub, "updateSharePrice", *arguments) == "NotManager"
    unknown = (POOL, bytes(16), WAD, now)
    assert chain.refusal(now, POSTER, chain.hub, "updateSharePrice", *unknown) == "ShareClassNotFound"
    grant = (POOL, chain.accounts[STRANGER], True)
    assert chain.refusal(now, POSTER, chain.hub, "updateManager", *grant) == "NotAuthorized"
    assert chain.view(chain.hub, "manager", POOL, chain.accounts[POSTER])


def test_centrifuge_price__older_than_the_last_and_of_any_size__is_stored_by_the_hub_alone(chain: Others) -> None:
    now = chain.start
    chain.price(now, WAD, now)
    chain.notify(now + 1)
    chain.price(now + 2, 50 * WAD, now - HOUR)
    assert chain.view(chain.hub, "pricePoolPerShare", POOL, SHARE_CLASS) == [50 * WAD, now - HOUR]
    notified = (POOL, SHARE_CLASS, CHAIN_ID, chain.accounts[POSTER])
    assert chain.refusal(now + 3, POSTER, chain.hub, "notifySharePrice", *notified) == "CannotSetOlderPrice"
    assert chain.on_spoke(check=True) == WAD


def test_centrifuge_spoke__once_a_price_is_too_old__refuses_only_a_checked_read(chain: Others) -> None:
    now = chain.start
    checked = (POOL, SHARE_CLASS, True)
    assert chain.refusal(now, STRANGER, chain.spoke, "pricePoolPerShare", *checked) == "InvalidPrice"
    chain.price(now, WAD, now)
    chain.notify(now + 1)
    chain.wait_until(now + 10_000 * HOUR)
    assert chain.on_spoke(check=True) == WAD
    chain.send(now + 10_000 * HOUR, OWNER, chain.spoke, "setMaxSharePriceAge", POOL, SHARE_CLASS, 11_000 * HOUR)
    assert chain.refusal(now + 11_000 * HOUR, STRANGER, chain.spoke, "pricePoolPerShare", *checked) == ""
    late = now + 11_000 * HOUR + 1
    assert chain.refusal(late, STRANGER, chain.spoke, "pricePoolPerShare", *checked) == "InvalidPrice"
    chain.wait_until(late)
    assert chain.on_spoke(check=False) == WAD
    refused = chain.refusal(late, POSTER, chain.spoke, "updatePricePoolPerShare", POOL, SHARE_CLASS, 1, late)
    assert refused == "NotAuthorized"
