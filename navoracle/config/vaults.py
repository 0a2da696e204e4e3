"""What must fit together where a fund has a vault of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from navoracle.positions import Erc20Supply, FundVaultPosition

if TYPE_CHECKING:
    from navoracle.config.funds import FundSection
    from navoracle.config.models import Config


def vault_problems(name: str, fund: FundSection, config: Config) -> list[str]:
    """What contradicts the fund's vault, one sentence each."""
    read = [position for position in fund.positions if isinstance(position, FundVaultPosition)]
    place, vault = f"funds.{name}.vault", fund.vault
    if vault is None:
        return [
            f"{place}: positions read the vault {each.vault}; name it here as well, its fees and flows are the fund's"
            for each in read
        ]
    problems = []
    if fund.fees != type(fund.fees)():
        problems.append(f"{place}: the vault has the fee terms; leave funds.{name}.fees out")
    if fund.publisher is not None:
        problems.append(f"{place}: a FundVault settles on posts to a NavRegistry; leave funds.{name}.publisher out")
    if fund.chain != vault.chain:
        problems.append(f"{place}: the fund is posted to {fund.chain or 'no registry'}, its vault is on {vault.chain}")
    if config.home_chain != vault.chain:
        problems.append(
            f"{place}: home_chain is {config.home_chain}; a post must be valued at the time of the vault's block, so "
            f"it must be {vault.chain}"
        )
    if [(each.chain, each.vault) for each in read] != [(vault.chain, vault.contract)]:
        problems.append(
            f"{place}: exactly one position of kind fund_vault must read {vault.contract}; without it, idle and queued "
            "units would count as nothing"
        )
    supply = fund.supply
    if not isinstance(supply, Erc20Supply) or (supply.chain, supply.token) != (vault.chain, vault.contract):
        problems.append(f"{place}: the fund's shares are the vault's: supply must be erc20 of {vault.contract}")
    return problems
