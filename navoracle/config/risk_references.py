"""What a fund's risk section says of the rest of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from navoracle.config.risk import LoanSection, RiskSection
from navoracle.positions import AaveV3Account, MorphoBlueAccount
from navoracle.readers import check_address

if TYPE_CHECKING:
    from navoracle.config.funds import FundSection
    from navoracle.config.models import Config

_AT_MORPHO = frozenset({"collateral", "loan"})


def risk_problems(name: str, fund: FundSection, config: Config) -> list[str]:
    """What a fund's risk section refers to and is not there, one sentence each, with its path."""
    risk = fund.risk
    if risk is None:
        return []
    place = f"funds.{name}.risk"
    known = {config.unit_of_account, *config.assets}
    problems = [
        f"{where}: {asset} is not among assets; add it there, with sources"
        for where, asset in _assets(place, risk)
        if asset not in known
    ]
    held = {position.id for position in fund.positions}
    for index, loan in enumerate(risk.lending):
        where = f"{place}.lending.{index}"
        chain = None if loan.account is None else loan.account.chain
        if chain is not None and chain not in config.chains:
            problems.append(f"{where}.account: chain {chain} is not among chains")
        problems += [
            f"{where}.positions: {position} is not among the fund's positions ({', '.join(sorted(held))})"
            for position in loan.positions or ()
            if position not in held
        ]
        problems += _names_of_tokens(where, loan)
    if risk.limits.max_drawdown is not None and fund.gate is None:
        problems.append(
            f"{place}.limits.max_drawdown: a drawdown is measured from the peak that the fund's gate keeps; add "
            f"`funds.{name}.gate`, or set it to null"
        )
    return problems


def _assets(place: str, risk: RiskSection) -> Iterator[tuple[str, str]]:
    for index, loan in enumerate(risk.lending):
        for token, asset in (loan.assets or {}).items():
            yield f"{place}.lending.{index}.assets.{token}", asset
    for index, venue in enumerate(risk.margin):
        for asset in venue.account.assets:
            yield f"{place}.margin.{index}.account", asset
    if risk.delta is not None:
        for asset in risk.delta.assets:
            yield f"{place}.delta.assets", asset
    for index, block in enumerate(risk.stress):
        for asset in block.assets:
            yield f"{place}.stress.{index}.assets", asset


def _names_of_tokens(where: str, loan: LoanSection) -> Iterator[str]:
    """Tokens are named by address at Aave, and by what they are for at Morpho, which has one of each."""
    named = loan.assets or {}
    if isinstance(loan.account, MorphoBlueAccount) and named.keys() != _AT_MORPHO:
        yield f"{where}.assets: a Morpho market has `collateral` and `loan`; name the asset of each, and nothing else"
    if isinstance(loan.account, AaveV3Account):
        for token in named:
            try:
                check_address(token)
            except ValueError as error:
                yield f"{where}.assets: {error}"
