"""All pages, in the order of the navigation. A new page is a file in `pages/` and a line here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from navoracle.dashboard.feed import View
from navoracle.dashboard.pages import fund, funds, guardian, kpis, operations, overview, prices, risk
from navoracle.dashboard.parts import fund_list
from navoracle.read_model.model import ReadModel


@dataclass(frozen=True, slots=True)
class PageSpec:
    """A page.

    Attributes:
        path: below `/dashboard`; `{name:path}` in it takes the rest of the address.
        title: in the navigation and in the window's title.
        parameters: what the page is of, from the address: its path's parameters and its query.
        load: reads everything that the page shows for its parameters; runs in another thread and may wait.
        build: makes the page's elements, and returns what shows newer data in them.
        in_navigation: False for pages that others lead to.
    """

    path: str
    title: str
    parameters: Callable[[Mapping[str, str]], Hashable]
    load: Callable[[ReadModel, Any], Any]
    build: Callable[[View[Any, Any], Any], Callable[[Any], None]]
    in_navigation: bool = True


PAGES: Final = (
    PageSpec("/", "Overview", overview.parameters, overview.load, overview.build),
    PageSpec("/funds", "Funds", funds.parameters, funds.load, funds.build),
    PageSpec("/funds/{fund:path}", "Fund", fund.parameters, fund.load, fund.build, in_navigation=False),
    PageSpec("/prices", "Prices", prices.parameters, prices.load, prices.build),
    PageSpec("/risk", "Risk", fund_list.parameters, risk.load, risk.build),
    PageSpec("/kpis", "KPIs", fund_list.parameters, kpis.load, kpis.build),
    PageSpec("/operations", "Operations", operations.parameters, operations.load, operations.build),
    PageSpec("/guardian", "Guardian", guardian.parameters, guardian.load, guardian.build),
)
