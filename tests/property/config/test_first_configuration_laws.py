"""Whatever was found and wished for, a first configuration parses, and says what was found and nothing else."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args

import yaml
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.composition.discovered import Discovery, NamedFeed
from navoracle.composition.draft_writing import Wishes
from navoracle.composition.drafting import draft_of
from navoracle.config.draft import Draft, remark, render, safe_name, variable_name
from navoracle.config.loading import load_config
from navoracle.config.models import Config
from navoracle.discovery import FeedKind, Found, FoundFeed, FoundToken, Holding, RegisteredFund, Role
from navoracle.domain.frame import BlockStamp
from navoracle.domain.positions import Component
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.positions import Erc20Supply

addresses = st.integers(1, 2**160 - 1).map(lambda number: Address(to_checksum_address(number.to_bytes(20, "big"))))
hostile = st.sampled_from(
    ["a\nsigner: {key_file: x}", "x # y", "${HOME}", '"', "'", "{", "]", "no", "null", "1e5", "2024-99-99", "0x10"]
)
texts = st.none() | st.text(max_size=80) | hostile
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
tokens = st.builds(FoundToken, addresses, texts, st.integers(0, 36))
coins = tokens | st.builds(FoundToken, st.none(), st.none(), st.just(18))
amounts = st.integers(0, 2**200)

few = settings(max_examples=40)
"""Loading a whole configuration takes a while."""

STAMP: Final = BlockStamp("home", 1, 7, "0x" + "1" * 64, "0x" + "2" * 64, Timestamp(1))


@st.composite
def holdings(draw: st.DrawFn) -> Holding:
    token, underlying = draw(tokens), draw(st.none() | tokens)
    through = underlying is not None and draw(st.booleans())
    component = Component.COLLATERAL if through else draw(st.sampled_from([Component.CASH, Component.DEBT]))
    return Holding(token, draw(addresses), draw(amounts), component, underlying, through)


@st.composite
def vaults(draw: st.DrawFn, kinds: tuple[str, ...] = ("fund_vault", "erc4626", "token")) -> Found:
    kind = draw(st.sampled_from(kinds))
    base = None if kind == "token" else draw(tokens)
    contract = draw(addresses)
    held = () if base is None else (Holding(base, draw(addresses), draw(amounts), Component.CASH),)
    payouts = draw(st.lists(tokens, max_size=2, unique_by=lambda token: token.address)) if kind == "fund_vault" else []
    return Found(
        kind,
        contract,
        shares=FoundToken(contract, draw(texts), draw(st.integers(0, 36))),
        base=base,
        roles=(Role("owner", draw(addresses)),),
        holdings=held,
        total=draw(amounts) if kind == "erc4626" else None,
        registry=draw(addresses) if kind == "fund_vault" else None,
        fund_id=draw(st.integers(0, 65_535)) if kind == "fund_vault" else None,
        payouts=tuple(token for token in payouts if base is None or token.address != base.address),
        notes=(draw(texts) or "",),
    )


@st.composite
def peers(draw: st.DrawFn) -> Found:
    kind = draw(
        st.sampled_from(["veda", "lagoon", "mellow", "mellow_submitter", "mellow_feed", "midas", "midas_growth"])
    )
    counts = kind in ("veda", "lagoon") or (kind.startswith("mellow") and kind != "mellow_feed")
    base = draw(tokens if kind in ("veda", "lagoon") else coins) if counts else None
    held = kind in ("veda", "lagoon") and base is not None
    own: dict[str, dict[str, Any]] = {
        "veda": {"base_token": None if base is None else base.address, "fixed_rate": draw(st.booleans())},
        "lagoon": {"post_unguarded": False},
        "midas_growth": {"growth_apr": draw(st.integers(-(2**40), 2**40))},
    }
    settings = own.get(kind, {"send_suspicious": False} if counts else {})
    others = draw(st.lists(coins, max_size=3, unique_by=lambda token: token.address)) if counts and not held else []
    return Found(
        kind,
        draw(addresses),
        shares=draw(tokens) if held or draw(st.booleans()) else None,
        base=base,
        roles=(Role("owner", draw(addresses)),),
        holdings=(Holding(base, draw(addresses), draw(amounts), Component.CASH),) if held and base is not None else (),
        total=draw(amounts) if held else None,
        settings=settings,
        priced=tuple(token for token in others if base is None or token.address != base.address),
    )


@st.composite
def registries(draw: st.DrawFn) -> tuple[Found, tuple[tuple[RegisteredFund, Found | None], ...]]:
    contract = draw(addresses)
    numbers = draw(st.lists(st.integers(0, 65_535), min_size=1, max_size=3, unique=True))
    funds = []
    for number in numbers:
        vault = draw(st.none() | vaults(("erc4626", "token")))
        funds.append((RegisteredFund(number, draw(addresses), None), vault))
    found = Found("nav_registry", contract, funds=tuple(fund for fund, _ in funds))
    return found, tuple(funds)


@st.composite
def discoveries(draw: st.DrawFn) -> Discovery:
    chain = draw(st.sampled_from(["home", "ethereum", "veda", "lagoon", "no", "1"]))
    registry: Found | None = None
    funds: tuple[tuple[RegisteredFund, Found | None], ...] = ()
    which = draw(st.sampled_from(["vault", "peer", "registry"]))
    if which == "registry":
        found, funds = draw(registries())
        registry = found
    elif which == "peer":
        found = draw(peers())
    else:
        found = draw(vaults())
        wanted = found.registry or (draw(addresses) if draw(st.booleans()) else None)
        registry = None if wanted is None else Found("nav_registry", wanted)
    named = draw(st.lists(holdings(), max_size=3)) if len(funds) < 2 else []
    return Discovery(
        chain=chain,
        chain_id=draw(st.integers(1, 2**40)),
        stamp=replace(STAMP, chain=chain),
        nodes=draw(st.integers(1, 3)),
        multicall=draw(st.none() | addresses),
        found=found,
        funds=funds,
        registry=registry,
        holdings=tuple(named),
        feeds=(),
    )


wishes = st.builds(
    Wishes,
    unit=st.none() | names,
    fund=st.none() | names,
    fund_id=st.none() | st.integers(0, 65_535),
    key_file=st.none() | st.text(st.characters(codec="utf-8", exclude_characters="$\0"), min_size=1, max_size=30),
)


def loaded(draft: Draft, text: str) -> Config:
    """The configuration of a text, with something in the place of every variable."""
    values = {
        variable.name: f"http://node-{number}.example:8545"
        if variable.secret
        else to_checksum_address(keccak_like(number))
        for number, variable in enumerate(draft.variables)
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "navoracle.yaml"
        file.write_text(text, encoding="utf-8")
        return load_config(file, values)


def keccak_like(number: int) -> bytes:
    return bytes([0xAB, number + 1]) * 10


@few
@given(discoveries(), wishes)
def test_first_configuration__whatever_was_found__parses_and_says_just_that(found: Discovery, wished: Wishes) -> None:
    draft = draft_of(found, wished)
    text = render(draft, "./navoracle.schema.json")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=./navoracle.schema.json"
    assert set(yaml.safe_load(text)) <= {
        *("version", "unit_of_account", "home_chain", "store", "state_files"),
        *("chains", "publishers", "assets", "funds"),
    }
    config = loaded(draft, text)
    (chain,) = config.chains.values()
    assert (config.home_chain, chain.chain_id, chain.registry) == (found.chain, found.chain_id, draft.registry)
    assert len(chain.nodes) == found.nodes
    assert (chain.signer is None) is (wished.key_file is None)
    assert list(config.funds) == [fund.name for fund in draft.funds]
    assert len(config.funds) == max(1, len(found.funds))
    for fund, drafted in zip(config.funds.values(), draft.funds, strict=True):
        assert (fund.id, fund.publisher, len(fund.positions)) == (drafted.id, drafted.publisher, len(drafted.positions))
        assert isinstance(fund.supply, Erc20Supply)
    assert set(config.assets) == set(draft.assets)
    # No secret is in the text: nodes are named by their variables alone.
    assert "http" not in yaml.safe_dump(yaml.safe_load(text)["chains"])


@few
@given(discoveries(), wishes)
def test_first_configuration__what_is_not_known__is_a_variable_that_the_text_explains(
    found: Discovery, wished: Wishes
) -> None:
    draft = draft_of(found, wished)
    text = render(draft, "schema.json")
    content = yaml.safe_dump(yaml.safe_load(text))
    used = {variable.name for variable in draft.variables if f"${{{variable.name}}}" in content.replace("\n", "")}
    assert used == {variable.name for variable in draft.variables}
    assert all(f"export {variable.name}=..." in text for variable in draft.variables)
    for fund in draft.funds:
        assert fund.positions


@given(vaults(("erc4626",)), st.integers(1, 2**100))
def test_first_configuration__total_above_what_was_found__is_never_counted_as_nothing(vault: Found, more: int) -> None:
    held = sum(holding.amount for holding in vault.holdings)
    for total, left in ((held + more, True), (held, False), (max(0, held - 1), False)):
        said = Found(vault.kind, vault.contract, vault.shares, vault.base, holdings=vault.holdings, total=total)
        draft = draft_of(Discovery("home", 1, STAMP, 1, None, said, (), None, (), ()), Wishes())
        assert any(item.settings["id"] == "elsewhere" for item in draft.funds[0].positions) is left


def contract_of(source: object) -> object:
    """What a source asks, however its kind calls it."""
    return next((found for name in ("feed", "oracle", "proxy") if (found := getattr(source, name, None))), None)


@few
@given(
    tokens,
    st.lists(
        st.tuples(names, addresses, st.integers(1, 10**6), st.sampled_from(get_args(FeedKind))),
        max_size=4,
        unique_by=lambda each: each[0],
    ),
)
def test_first_configuration__named_feeds__are_its_sources_and_two_groups_are_always_there(
    base: FoundToken, named: list[tuple[str, Address, int, FeedKind]]
) -> None:
    vault = Found("erc4626", Address(base.address or ""), shares=base, base=base, total=0)
    empty = draft_of(Discovery("home", 1, STAMP, 1, None, vault, (), None, (), ()), Wishes())
    (asset,) = empty.assets
    feeds = tuple(
        (NamedFeed(asset, group, feed, heartbeat), FoundFeed(feed, kind, 8, "a\nb: c", 1))
        for group, feed, heartbeat, kind in named
    )
    draft = draft_of(Discovery("home", 1, STAMP, 1, None, vault, (), None, (), feeds), Wishes())
    config = loaded(draft, render(draft, "schema.json"))
    sources = config.assets[asset].sources
    told = [(source.group, contract_of(source), getattr(source, "heartbeat", None), source.kind) for source in sources]
    assert told[: len(named)] == named
    assert len({source.group for source in sources}) == max(2, len(named))


@given(texts, names, st.lists(names, max_size=5))
def test_safe_name__any_text__is_a_name_that_is_not_taken(text: str | None, fallback: str, taken: list[str]) -> None:
    name = safe_name(text, fallback, taken)
    assert name not in taken
    assert name[0].isalnum()
    assert len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert variable_name("feed", name, taken=taken).isidentifier()


@given(st.text())
def test_remark__any_text__stays_on_its_line(text: str) -> None:
    line = remark(text)
    assert len(line.splitlines()) <= 1
    assert yaml.safe_load(f"a: 1 # {line}") == {"a": 1}
