"""Over 10,000 funds and behind a password: login, markup in names, the grid, live figures, headers."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from decimal import Decimal
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from navoracle.dashboard import formats
from tests.browser.accessibility import violations
from tests.browser.conftest import Visit, log_in, settled, until
from tests.browser.stand import ASSET, MANY, MARKUP, Stand

pytestmark = [pytest.mark.sockets]


def asked(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of an answer; a redirection is not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args: object, **_named: object) -> None:
            return None

    try:
        answer = urllib.request.build_opener(Stay).open(urllib.request.Request(url, headers=headers), timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, dict(answer.headers.items()), answer.read().decode()


@pytest.mark.parametrize("path", ["/", "/funds", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"])
def test_dashboard__visitor_without_login__sees_nothing(outside: Visit, path: str) -> None:
    status, headers, body = asked(f"{outside.base}/dashboard{path}")

    assert status == 303
    assert headers["location"].startswith("/dashboard/login")
    assert body == ""


def test_dashboard__websocket_without_login__is_refused(outside: Visit) -> None:
    page = outside.open("/login").page

    refused = page.evaluate(
        """() => new Promise((resolve) => {
          const socket = new WebSocket(`ws://${location.host}/dashboard/_nicegui_ws/socket.io/?EIO=4&transport=websocket`);
          socket.onopen = () => resolve("open");
          socket.onerror = () => resolve("refused");
        })"""
    )

    assert refused == "refused"


@pytest.mark.parametrize(
    ("headers", "status"), [({"Host": "evil.example"}, 421), ({"Origin": "http://evil.example"}, 403)]
)
def test_dashboard__wrong_name_or_origin__is_refused(outside: Visit, headers: dict[str, str], status: int) -> None:
    assert asked(f"{outside.base}/dashboard/login", **headers)[0] == status


def test_dashboard__policy__lets_in_nothing_but_its_own_files(outside: Visit) -> None:
    _, headers, body = asked(f"{outside.base}/dashboard/login")

    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in body
    assert headers["x-frame-options"] == "DENY"


def test_login__right_password__opens_a_session_of_a_strict_cookie(many: Visit) -> None:
    watched = many.open("/")

    (cookie,) = watched.context.cookies()
    assert settled(watched.page).url == f"{many.base}/dashboard/"
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert not cookie["secure"]  # by http, from this machine
    watched.check()


def test_fund__name_with_markup__is_text_everywhere(many: Visit, stand: Stand) -> None:
    stand.alert()
    for path in ("/?fund=" + quote(MARKUP), "/funds?text=onerror", "/funds/" + quote(MARKUP, safe="")):
        watched = many.open(path)
        page = settled(watched.page)

        page.get_by_text(MARKUP).first.wait_for()
        if "text=" not in path:
            page.get_by_text(ASSET, exact=True).first.wait_for()
            chart = page.locator(".chart[aria-label^='Assets under management']")
            chart.scroll_into_view_if_needed()
            box = chart.bounding_box()
            assert box is not None
            for part in (0.2, 0.35, 0.65, 0.8):  # over the donut, so that its tooltip is shown
                page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * part)
        assert page.evaluate("window.broken === undefined")
        assert page.locator("img, b").count() == 0
        watched.check()


def test_overview__everything_known__shows_the_figures_of_the_state_files(many: Visit, stand: Stand) -> None:
    state, nav = stand.document("nav_state"), stand.document("nav")
    watched = many.open("/?fund=" + quote(MARKUP))
    page = settled(watched.page)

    assert page.locator("#nav").inner_text() == formats.amount(state["nav"])
    assert page.locator("#nav").get_attribute("title") == state["nav"]
    assert fact(page, "Per share") == formats.per_share(state["price_per_share"])
    assert fact(page, "Difference") == formats.wei(state["confirmed"]["nav_difference"])
    assert fact(page, "On chain") == formats.amount(state["confirmed"]["nav"])
    assert nav["fx"]["currency"] in fact(page, "Reporting")
    shown = {row[0]: row[1:] for row in rows(page, "Assets under management, by slice")}
    for each in nav["aum"]["slices"]:
        label = formats.word(each["label"])
        assert shown[label][0] == f"{formats.amount(each['usd'])} USD"
        assert shown[label][2] == f"{formats.amount(each['reporting'])} {nav['fx']['currency']}"
    label = page.locator(".chart[aria-label^='Assets under management']").get_attribute("aria-label") or ""
    assert all(formats.amount(each["usd"]) in label for each in nav["aum"]["slices"])
    page.get_by_label("Slices by").select_option("offexchange")
    page.get_by_role("rowheader", name=next(iter(nav["aum"]["offexchange"]))).wait_for()
    assert {row[0] for row in rows(page, "Assets under management, by slice")} == set(nav["aum"]["offexchange"])
    watched.check()


def test_overview__new_state__is_shown_without_reload(many: Visit, stand: Stand) -> None:
    watched = many.open("/?fund=" + quote(MARKUP))
    page = settled(watched.page)
    page.evaluate("window.sameDocument = true")
    before = fact(page, "Age")
    until(page, "(was) => document.querySelector('dd [data-since]').textContent !== was", before)

    stand.write("123456.78")

    page.get_by_text("123,456.78", exact=True).wait_for(timeout=10_000)
    assert page.evaluate("window.sameDocument === true")
    watched.check()


def test_funds__ten_thousand__are_filtered_sorted_and_paged_where_they_are_kept(many: Visit) -> None:
    watched = many.open("/funds")
    page = settled(watched.page)
    page.get_by_text(f"of {MANY:,d}").wait_for()
    table = page.get_by_role("table")
    assert table.locator("tbody tr").count() == 50

    seconds = []
    for text in ("fund-0777", "fund-0123", "fund-0055"):
        field = page.get_by_label("Search name, chain or reason")
        began = time.monotonic()
        field.fill(text)
        page.get_by_text(re.compile(r"1 to 10 of 10$")).wait_for()
        until(page, "(text) => document.querySelector('tbody th').innerText.startsWith(text)", text)
        seconds.append(time.monotonic() - began)
        assert all(row[0].startswith(text) for row in rows(page, "Funds"))
        assert field.input_value() == text
    print(f"a filter over {MANY} funds takes {min(seconds):.3f} s, 0.2 s of which wait for a pause in typing")
    page.get_by_label("Search name, chain or reason").fill("")
    page.get_by_text(f"of {MANY:,d}").wait_for()
    page.get_by_role("button", name="NAV").click()
    until(page, "() => document.querySelector('th[aria-sort]')?.innerText.startsWith('NAV')")
    navs = [Decimal(row[4].replace(",", "")) for row in rows(page, "Funds")]
    assert navs == sorted(navs)
    page.get_by_role("button", name="Next").click()
    page.get_by_text("51 to 100").wait_for()
    watched.check()


def test_page__keyboard_alone__skips_to_the_content(many: Visit) -> None:
    watched = many.open("/funds")
    page = settled(watched.page)

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")
    watched.check()


def test_page__address_of_no_fund__says_so(many: Visit) -> None:
    watched = many.open("/funds/nobody")

    settled(watched.page).get_by_text("There is no fund nobody").wait_for()
    watched.check()


def test_login__wrong_password__is_told_and_limited(outside: Visit) -> None:
    watched = outside.open("/login")
    watched.expected = "401|429"

    said = []
    for _ in range(7):
        log_in(watched.page, "wrong wrong wrong")
        said.append(watched.page.get_by_role("alert").inner_text())

    assert said[0] == "That is not the password."
    assert said[-1] == "Too many attempts. Wait a minute."
    assert violations(watched.page) == []
    watched.check()


def fact(page: Page, name: str) -> str:
    """What stands beside a name in a list of figures."""
    return (
        page.locator("dt", has_text=re.compile(f"^{re.escape(name)}$"))
        .first.locator("xpath=following::dd[1]")
        .inner_text()
    )


def rows(page: Page, caption: str) -> list[list[str]]:
    """The cells of a table, row by row."""
    table = page.get_by_role("table", name=caption)
    found: list[list[str]] = table.evaluate(
        "(table) => [...table.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText))"
    )
    return found
