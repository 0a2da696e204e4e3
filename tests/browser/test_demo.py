"""The demo as a new user starts it: no page fails, and what they show is what the keeper wrote and the chain serves."""

from __future__ import annotations

import json
import statistics
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from navoracle.dashboard import formats
from navoracle.dashboard.registry import PAGES
from navoracle.state_files.reader import read_index, read_set
from tests.browser.accessibility import violations
from tests.browser.conftest import Demo, Visit, settled, until
from tests.browser.pictures import take
from tests.browser.test_stand import fact, rows

pytestmark = [pytest.mark.sockets]

FUND: Final = "multi"
WITH_VAULT: Final = "stable"
PATHS: Final = {page.title: page.path.replace("{fund:path}", FUND) for page in PAGES}
MINE: Final = ("Overview", "Funds", "Fund", "Prices")
MOST_BYTES: Final = 3_000_000
DRAWN_WITHIN: Final = 1.5
"""Seconds from asking for the page to its first paint, and to the NAV in it."""

NAV_SEEN: Final = """
  const look = () => {
    if (/[0-9]/.test(document.getElementById('nav')?.textContent ?? '')) {
      requestAnimationFrame(() => setTimeout(() => { window.navSeen = performance.now(); }));
    } else setTimeout(look, 5);
  };
  look();
"""
"""Notes when the NAV has been drawn."""


@pytest.mark.parametrize("title", MINE)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1_280), ("dark", 1_280), ("light", 390)])
def test_page__light_dark_and_phone__fails_nowhere_and_everybody_can_use_it(
    playing: Visit, title: str, scheme: str, width: int, tmp_path: Path
) -> None:
    watched = playing.open(PATHS[title], scheme=scheme, width=width)
    page = settled(watched.page)
    until(page, "() => [...document.querySelectorAll('[data-since]')].every((each) => each.innerText !== ' ')")

    take(page, f"{title.lower()}-{'phone' if width < 500 else scheme}", tmp_path)
    watched.check()  # before axe, whose own styles the page's policy keeps out
    assert violations(page) == []
    watched.context.close()


@pytest.mark.parametrize("title", [title for title in PATHS if title not in MINE])
def test_page__of_a_demo__fails_nowhere(playing: Visit, title: str) -> None:
    watched = playing.open(PATHS[title])

    settled(watched.page)
    assert watched.page.locator(".trouble").inner_text() == ""
    watched.check()
    watched.context.close()


def test_first_page__nothing_cached__is_small_and_soon_drawn(playing: Visit) -> None:
    drawn: list[float] = []
    for _ in range(5):
        watched = playing.open("/", before=NAV_SEEN)
        settled(watched.page)
        until(watched.page, "() => window.navSeen !== undefined")
        sizes = watched.page.evaluate(
            "performance.getEntries().filter((each) => 'transferSize' in each).map((each) => each.transferSize)"
        )
        paint = watched.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        drawn.append(max(paint, watched.page.evaluate("window.navSeen")) / 1_000)
        assert 100_000 < sum(sizes) <= MOST_BYTES
        watched.context.close()
    told = ", ".join(f"{seconds:.2f}" for seconds in drawn)
    print(f"the first page takes {sum(sizes):,d} bytes; it and the NAV in it are drawn after {told} s")

    assert statistics.median(drawn) < DRAWN_WITHIN


def test_fund__bridge__is_drawn_and_told_in_figures(playing: Visit, tmp_path: Path) -> None:
    watched = playing.open(f"/funds/{WITH_VAULT}")
    page = settled(watched.page)
    card = page.locator("#bridge")
    card.locator("canvas").wait_for()

    told = {row[0]: row[1] for row in rows(page, "Bridge")}
    assert list(told) == ["Then", "Prices", "Income", "Fees", "Flows", "Unexplained", "Now"]
    amounts = [Decimal(told[name].replace(",", "")) for name in told]
    assert abs(sum(amounts[:-1]) - amounts[-1]) <= Decimal("0.06")  # each is rounded for reading
    label = card.locator(".chart").get_attribute("aria-label") or ""
    assert f"Prices {told['Prices']}" in label
    take(page, "bridge", tmp_path, part=card)
    watched.check()
    watched.context.close()


def test_overview__next_slot__is_shown_without_reload_and_equals_files_and_chain(playing: Visit, demo: Demo) -> None:
    watched = playing.open(f"/?fund={FUND}")
    page = settled(watched.page)
    page.evaluate("window.sameDocument = true")
    before = read_index(demo.state)["funds"][FUND]["updated_at"]

    deadline = time.monotonic() + 120
    differences = ["nothing was shown yet"]
    while differences:
        assert time.monotonic() < deadline, differences
        page.wait_for_timeout(100)
        state = read_set(demo.state, FUND)
        differences = differing(page, state["nav_state.json"], state["nav.json"])
        if state["nav_state.json"]["updated_at"] <= before:
            differences.append("no slot since the page was opened")

    assert page.evaluate("window.sameDocument")
    watched.check()
    watched.context.close()


def test_fund__verify_pressed__computes_the_frame_again_from_its_evidence(playing: Visit) -> None:
    watched = playing.open(f"/funds/{FUND}")
    page = settled(watched.page)

    page.get_by_role("table", name="Frames and their evidence").get_by_role("button").last.click()

    told = page.locator("#verification")
    told.get_by_text("Verified", exact=True).wait_for(timeout=60_000)
    assert "Covered by post" in told.inner_text()
    assert rows(page, "Posts")
    watched.check()
    watched.context.close()


def test_status_page__beside_the_state_files__is_readable_without_a_server(
    playing: Visit, demo: Demo, tmp_path: Path
) -> None:
    page = playing.open("/").page
    page.goto(f"file://{demo.state / 'status.html'}")

    assert page.get_by_role("rowheader", name=FUND).is_visible()
    assert violations(page) == []
    assert json.loads((demo.state / "status.json").read_text())["funds_total"] == 3
    take(page, "status-light", tmp_path)


def test_page__server_dies__says_so_and_greys_out(playing: Visit, demo: Demo, tmp_path: Path) -> None:
    watched = playing.open(f"/?fund={FUND}")
    page = settled(watched.page)

    demo.kill()  # the last test of this module: nothing is served after it

    page.get_by_text("No connection to the keeper's server since").wait_for(timeout=30_000)
    assert page.evaluate("getComputedStyle(document.querySelector('.page')).opacity") == "0.6"
    take(page, "overview-dead-server", tmp_path)


def differing(page: Page, state: dict[str, Any], nav: dict[str, Any]) -> list[str]:
    """Where card and donut differ from the files, which the next slot may replace meanwhile."""
    served = state["confirmed"]
    slices = {formats.word(each["label"]): f"{formats.amount(each['usd'])} USD" for each in nav["aum"]["slices"]}
    pairs = {
        "nav": (page.locator("#nav").get_attribute("title"), state["nav"]),
        "per share": (fact(page, "Per share"), formats.per_share(state["price_per_share"])),
        "on chain": (fact(page, "On chain"), formats.amount(served["nav"]) + (" (held)" if served["held"] else "")),
        "difference": (fact(page, "Difference"), formats.wei(served["nav_difference"])),
        "donut": ({row[0]: row[1] for row in rows(page, "Assets under management, by slice") if len(row) > 1}, slices),
    }
    return [f"{name}: shown {shown}, in the file {said}" for name, (shown, said) in pairs.items() if shown != said]
