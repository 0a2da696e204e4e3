"""The demo as a new user starts it: no page fails, and what they show is what the keeper wrote and the chain serves."""

from __future__ import annotations

import json
import statistics
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import expect

from navoracle.dashboard import formats
from navoracle.dashboard.registry import PAGES
from navoracle.state_files.reader import read_index
from tests.browser.accessibility import violations
from tests.browser.conftest import Demo, Visit, settled, until
from tests.browser.figures import HELD, READ, READ_RETURNS, differing, exact_fact, fact, figure, rows, worth
from tests.browser.pictures import take
from tests.browser.test_pages import SIGNATURE, prepared, signed_by
from tests.demo_process import PATIENCE, until_final
from tests.demo_process import until as until_chain
from tests.requirements import PROJECT

pytestmark = [pytest.mark.sockets]

FUND: Final = "multi"
WITH_VAULT: Final = "stable"
SHOWN: Final = {
    "Prices": "/prices?asset=USDC",
    "Overview": f"/?fund={FUND}",
    "Fund": f"/funds/{WITH_VAULT}",
    "KPIs": f"/kpis?fund={FUND}",
}
PATHS: Final = {page.title: SHOWN.get(page.title, page.path) for page in PAGES}
FUND_ID: Final = 3
STOPPED: Final = "levered-pt"
STOPPED_ID: Final = 2
GOLD: Final = PROJECT / "config" / "gold-attestation.json"
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


@pytest.mark.parametrize("title", PATHS)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1_280), ("dark", 1_280), ("light", 390)])
def test_page__light_dark_and_phone__fails_nowhere_and_everybody_can_use_it(
    playing: Visit, title: str, scheme: str, width: int, tmp_path: Path
) -> None:
    watched = playing.open(PATHS[title], scheme=scheme, width=width)
    page = settled(watched.page)
    until(page, "() => [...document.querySelectorAll('[data-since]')].every((each) => each.innerText !== ' ')")

    assert page.locator(".trouble").inner_text() == ""
    take(page, f"{title.lower()}-{'phone' if width < 500 else scheme}", tmp_path)
    watched.check()  # before axe, whose own styles the page's policy keeps out
    assert violations(page) == []
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


def test_fund__bridge__is_drawn_and_told_in_figures_between_the_components_of_its_ends(
    playing: Visit, tmp_path: Path
) -> None:
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
    whole = {row[0]: row[1:] for row in rows(page, "Components of the NAV")}["NAV"]
    assert whole[:2] == [told["Then"], told["Now"]]
    assert whole[0] != whole[1]
    take(page, "bridge", tmp_path, part=card)
    watched.check()
    watched.context.close()


def test_fund__high_water_mark_and_fee_clock__are_those_of_its_vault(playing: Visit, demo: Demo) -> None:
    watched = playing.open(f"/funds/{WITH_VAULT}")
    page = settled(watched.page)
    vault = demo.process.environment["STABLE_VAULT"]
    mark, since = demo.process.node.call(vault, "feeState()", "uint256,uint256")
    assert mark > 10**18  # performance fees were taken in the story

    assert exact_fact(page, "High-water mark") == formats.of_wad(str(mark))
    assert fact(page, "Fees since") == formats.moment(since)
    assert fact(page, "Kept by") == "the fund's vault"
    watched.check()
    watched.context.close()


def test_overview__post_that_a_guardian_asked_for__is_shown_without_reload_and_equals_files_and_chain(
    playing: Visit, demo: Demo
) -> None:
    watched = playing.open(f"/?fund={FUND}")
    page = settled(watched.page)
    page.evaluate("window.sameDocument = true")
    before = read_index(demo.state)["funds"][FUND]["updated_at"]
    posted = served(demo)[2]

    demo.process.ask("emergency_update", FUND, "guardian")

    deadline = time.monotonic() + 120
    differences = ["nothing was shown yet"]
    while differences:
        assert time.monotonic() < deadline, differences
        page.wait_for_timeout(100)
        differences = differing(page, demo.state, FUND, served(demo), lambda at: slices(demo, at))
        if served(demo)[2] <= posted or read_index(demo.state)["funds"][FUND]["updated_at"] <= before:
            differences.append("no slot since the page was opened")

    assert page.evaluate("window.sameDocument")
    watched.check()
    watched.context.close()


def test_guardian__hold_signed_with_the_command__is_on_the_chain_and_on_the_page(
    playing: Visit, demo: Demo, tmp_path: Path
) -> None:
    other = playing.open(f"/?fund={STOPPED}")
    settled(other.page)
    watched = playing.open("/guardian")
    page = settled(watched.page)
    expect(page.locator("#question")).to_contain_text(f"Now: {STOPPED} is live, served by the registry")
    page.get_by_label("Fund").select_option(FUND)
    expect(page.locator("#question")).to_contain_text(f"Now: {FUND} is live, served by the registry")
    page.get_by_label("Fund").select_option(STOPPED)
    expect(page.locator("#question")).to_contain_text(f"Now: {STOPPED} is live")
    document = prepared(page, "tried in a browser")

    page.get_by_label(SIGNATURE).fill(signed_by(Path(demo.process.key("guardian")), document, tmp_path))
    page.get_by_role("button", name="Check the signature").click()
    page.get_by_text(f"signed hold of {STOPPED}: tried in a browser").wait_for()
    assert not served(demo, STOPPED_ID)[4] & HELD
    page.get_by_role("button", name="Send it to the keeper").click()
    page.get_by_text(f"Taken: hold of {STOPPED}, signed in the role GUARDIAN.").wait_for()

    until_chain(
        lambda: bool(served(demo, STOPPED_ID)[4] & HELD), "the registry holds the fund", lambda: demo.process.said
    )
    expect(other.page.locator("#answer-do")).to_contain_text("BreakerOpen", timeout=PATIENCE * 1_000)
    expect(other.page.locator("#alerts")).to_contain_text(f"FundHeld · {STOPPED}", timeout=PATIENCE * 1_000)
    expect(figure(other.page, "On chain")).to_contain_text("(held)", timeout=PATIENCE * 1_000)
    until_final(demo.process.node)
    demo.process.run(
        "emergency", "release", STOPPED, "--send", "--key-file", demo.process.key("risk"), *demo.process.own
    )
    demo.process.ask("reset_breaker", STOPPED, "risk")
    expect(other.page.locator("#safety")).to_contain_text("serves its value", timeout=PATIENCE * 1_000)
    for each in (watched, other):
        each.check()
        each.context.close()


def test_fund__verify_pressed__computes_the_frame_again_from_its_evidence(playing: Visit) -> None:
    watched = playing.open(f"/funds/{FUND}")
    page = settled(watched.page)

    page.get_by_role("table", name="Frames and their evidence").get_by_role("button").last.click()

    told = page.locator("#verification")
    told.get_by_text("Verified", exact=True).wait_for(timeout=PATIENCE * 1_000)
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


def served(demo: Demo, number: int = FUND_ID) -> tuple[Any, ...]:
    """What the registry serves of a fund."""
    registry = demo.process.environment["REGISTRY"]
    return demo.process.node.call(registry, READ, READ_RETURNS, number)


def slices(demo: Demo, at: int) -> dict[str, int]:
    """The worth (Wad) of what the fund holds at a block's time: balances and feeds of the chain, and attested gold."""
    said, node = demo.process.environment, demo.process.node
    block, holder = node.block_at(at), said["MULTI_HOLDER"]
    amounts = {
        asset: node.call(said[token], "balanceOf(address)", "uint256", holder, block=block)[0]
        for asset, token in (("WBTC", "WBTC"), ("ETH", "WETH"), ("USDC", "USDC"))
    }
    amounts["ETH"] += node.balance(holder, block)
    amounts["XAUT"] = int(json.loads(GOLD.read_text())["attestation"]["amount"])
    scales = {"WBTC": 8, "ETH": 18, "USDC": 6, "XAUT": 0}
    groups = ("CHAINLINK", "REDSTONE", "CHRONICLE")
    return {
        asset: worth(node, amount, scales[asset], [said[f"FEED_{asset}_{group}"] for group in groups], block)
        for asset, amount in amounts.items()
    }
