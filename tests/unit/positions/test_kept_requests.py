"""Requests that a position keeps from reading to reading: they follow its fields, and decimals are still read anew."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.domain.positions import Component, Holding
from navoracle.keeper.collect import read_all
from navoracle.ports import Call
from navoracle.positions import Erc20Position, Erc4626Position
from navoracle.readers import DECIMALS
from navoracle.recorded.reader import RecordedReader
from navoracle.testing import FakeChain, block_stamp, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
HOLDER, OTHER, TOKEN, VAULT = (address(number) for number in range(1, 5))
ERC20 = Erc20Position(
    kind="erc20",
    id="p",
    asset="A",
    component=Component.CASH,
    chain="local",
    token=TOKEN,
    holder=HOLDER,
    decimals=6,
)
ERC4626 = Erc4626Position(
    kind="erc4626",
    id="p",
    asset="A",
    component=Component.CASH,
    chain="local",
    vault=VAULT,
    holder=HOLDER,
    underlying=TOKEN,
    underlying_decimals=6,
)


def asked(reader: Any) -> tuple[Any, ...]:
    """What the reader asks first."""
    return tuple(next(reader.read(AT)))


@pytest.mark.parametrize("reader", [ERC20, ERC4626], ids=["erc20", "erc4626"])
def test_read__again__asks_the_very_same_requests(reader: Any) -> None:
    fresh = type(reader).model_validate(reader.describe())
    first = asked(fresh)
    assert all(one is other for one, other in zip(first, asked(fresh), strict=True))
    assert fresh == type(reader).model_validate(reader.describe())
    assert fresh.describe() == reader.describe()


@pytest.mark.parametrize(
    ("reader", "field", "value"),
    [
        (ERC20, "holder", OTHER),
        (ERC20, "token", OTHER),
        (ERC4626, "holder", OTHER),
        (ERC4626, "vault", OTHER),
        (ERC4626, "underlying", OTHER),
    ],
)
def test_read__copy_with_another_field__asks_for_that_field(reader: Any, field: str, value: Any) -> None:
    before = asked(reader)
    changed = reader.model_copy(update={field: value})
    assert asked(changed) == asked(type(reader).model_validate({**reader.describe(), field: value}))
    assert asked(changed) != before == asked(reader)


async def test_read_all__one_token_changed_its_decimals__fails_its_readers_only() -> None:
    chain = FakeChain(block_stamp(NOW))
    tokens = [address(100 + number) for number in range(3)]
    readers = [
        ERC20.model_copy(update={"id": f"{token}.{holder}", "token": token, "holder": holder})
        for token in tokens
        for holder in (HOLDER, OTHER)
    ]
    for token in tokens:
        chain.put(token, "decimals()", (), ("uint8",), 6)
        for holder in (HOLDER, OTHER):
            chain.put(token, "balanceOf(address)", (holder,), ("uint256",), 5)

    async def found() -> Any:
        return await read_all(readers, [chain.block], AT.now, {"local": chain}, RecordedReader({}))

    good = await found()
    assert len(good.values) == 6
    (holding,) = good.values[readers[0].id]
    assert isinstance(holding, Holding)
    assert holding.amount.value == 5
    chain.put(tokens[1], "decimals()", (), ("uint8",), 7)
    after = await found()
    assert set(after.failures) == {reader.id for reader in readers if reader.token == tokens[1]}
    assert {failure.code for failure in after.failures.values()} == {"decimals_changed"}
    assert len(after.values) == 4
    # Each frame asks once for the decimals of each token, whatever the number of its readers.
    for requests in chain.rounds:
        assert [request.data for request in requests if isinstance(request, Call)].count(DECIMALS) == 3
        assert requests.count(Call(tokens[0], encode_call("decimals()"))) == 1
