"""Over 10,000 funds and behind a password: login, markup in names, the grid, live figures, headers."""

from __future__ import annotations

import re
import statistics
import urllib.error
import urllib.request
from decimal import Decimal
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from navoracle.dashboard import formats
from tests.browser.accessibility import violations
from tests.browser.conftest import Visit, log_in, settled, until
from tests.browser.figures import fact, rows
from tests.browser.stand import ASSET, MANY, MARKUP, Stand

pytestmark = [pytest.mark.sockets]

FILTERED_WITHIN = 0.3
"""Seconds from the last key to the rows, which the pause in typing is a part of."""


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
    risk = stand.document("kpis")["risk"]
    told = f"{formats.amount(risk['atr_ratio'], 3)}: {formats.word(risk['atr_regime'])}" if risk["atr_ratio"] else "n/a"
    assert fact(page, "ATR ratio").startswith(told)
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

    assert all(row[0].startswith("fund-0055") for row in filtered(page, "fund-0055", 10)[1])
    page.get_by_label("Search name, chain or reason").fill("")
    page.get_by_text(f"of {MANY:,d}").wait_for()
    page.get_by_role("button", name="NAV").click()
    until(page, "() => document.querySelector('th[aria-sort]')?.innerText.startsWith('NAV')")
    navs = [Decimal(row[4].replace(",", "")) for row in rows(page, "Funds")]
    assert navs == sorted(navs)
    page.get_by_role("button", name="Next").click()
    page.get_by_text("51 to 100").wait_for()
    watched.check()


LIVE = """(root) => {
  const lines = [];
  const tell = (node, depth) => {
    const said = {};
    for (const { name, value } of node.attributes) {
      const own = ['style', 'inert', '_echarts_instance_', 'selected', 'value'].includes(name) ||
        (name === 'id' && /^c[0-9]+$/.test(value)) || (name === 'class' && /^(q-|nicegui-|$)/.test(value));
      if (!own) said[name] = name === 'disabled' ? '' : value;
    }
    const counts = 'data-since' in said || 'data-until' in said;
    if (node.id === 'clock') delete said['data-now'];
    const direct = [...node.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE);
    const time = node.textContent === '' ? '' : 'TIME';
    const text = counts ? time : direct.map((each) => each.nodeValue).join('');
    lines.push(`${' '.repeat(depth)}${node.tagName} ${JSON.stringify(Object.entries(said).sort())} ${text}`);
    if (!node.classList.contains('chart')) for (const each of node.children) tell(each, depth + 1);
  };
  tell(root, 0);
  return lines;
}"""
"""What an element is and what is in it, line by line: of a page that lives, and of the one that was seen before it."""


@pytest.mark.parametrize(
    "path",
    [
        "/?fund=" + quote(MARKUP), "/funds?text=fund-0012", "/funds/" + quote(MARKUP, safe=""), "/prices",
        "/risk?fund=" + quote(MARKUP), "/kpis?fund=" + quote(MARKUP), "/operations", "/guardian",
    ],
)  # fmt: skip
def test_page__before_its_scripts_have_run__is_what_they_make_of_it(many: Visit, path: str) -> None:
    watched = many.open(path)
    page = settled(watched.page)
    page.wait_for_timeout(300)
    live = page.evaluate(f"({LIVE})(document.querySelector('.nicegui-content'))")
    answer = watched.context.request.get(f"{many.base}/dashboard{path}").text()
    text = re.sub(r"<style.*?</style>", "", answer, flags=re.DOTALL)  # another answer's nonce would be refused here
    first = page.evaluate(
        f"(text) => ({LIVE})(new DOMParser().parseFromString(text, 'text/html').querySelector('.nicegui-content'))",
        text,
    )
    assert first == live
    assert len(first) > 50
    watched.check()


def test_overview__without_a_choice__is_of_the_fund_that_needs_attention_most(many: Visit, stand: Stand) -> None:
    stand.alert()
    watched = many.open("/")
    page = settled(watched.page)

    assert page.locator("h1").inner_text() == MARKUP
    answers = {name: page.locator(f"#answer-{name}").inner_text() for name in ("right", "fresh", "safe", "do")}
    assert "Look at the node." in answers["do"]
    assert "NavStale" in answers["do"]
    assert "health factor 1.0655" in answers["safe"]
    assert answers["right"].split("\n")[0].startswith("Right")
    for name in answers:
        target = page.locator(f"#answer-{name} a").first.get_attribute("href")
        assert target is not None
        assert page.locator(target).is_visible()
    page.get_by_role("navigation", name="Funds that need attention").get_by_text("more").wait_for()
    watched.check()


def test_page__printed__is_light_and_has_nothing_to_press(many: Visit) -> None:
    watched = many.open("/?fund=" + quote(MARKUP), scheme="dark")
    page = settled(watched.page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.locator("#nav").is_visible()
    assert not page.locator(".top").is_visible()
    assert not page.get_by_label("Slices by").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
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


def filtered(page: Page, text: str, expected: int) -> tuple[float, list[list[str]]]:
    """Seconds from the last key to the rows of a filter, as the page itself measures them, and the rows."""
    field = page.get_by_label("Search name, chain or reason")
    field.fill("")
    until(page, "() => document.querySelector('input[type=search]').value === ''")
    page.wait_for_timeout(400)
    page.evaluate(
        """(text) => {
          const table = document.querySelector('.records tbody');
          document.querySelector('input[type=search]').addEventListener(
            'input', () => { window.pressedAt = performance.now(); window.shownAt = null; }, { once: true });
          const look = () => {
            const rows = [...table.querySelectorAll('th')];
            const done = rows.length > 0 && rows.every((each) => each.innerText.startsWith(text));
            if (window.pressedAt && done) window.shownAt = performance.now();
            else requestAnimationFrame(look);
          };
          window.pressedAt = null;
          requestAnimationFrame(look);
        }""",
        text,
    )
    field.fill(text)
    until(page, "() => Boolean(window.shownAt)")
    page.get_by_text(re.compile(rf"1 to {expected} of {expected}$")).wait_for()
    assert field.input_value() == text
    return page.evaluate("window.shownAt - window.pressedAt") / 1_000, rows(page, "Funds")


def test_funds__filter__is_as_quick_with_ten_thousand_as_with_a_hundred(many: Visit, stand: Stand) -> None:
    watched = many.open("/funds")
    page = settled(watched.page)
    page.get_by_text(f"of {MANY:,d}").wait_for()
    large = [filtered(page, text, 10)[0] for text in ("fund-0777", "fund-0123", "fund-0055", "fund-0901", "fund-0666")]
    try:
        stand.serve_only(100)
        page.get_by_label("Search name, chain or reason").fill("")
        page.get_by_text(re.compile("of 100$")).wait_for(timeout=10_000)
        small = [
            filtered(page, text, 10)[0] for text in ("fund-0007", "fund-0003", "fund-0005", "fund-0001", "fund-0006")
        ]
    finally:
        stand.serve_only(MANY)
    of_large, of_small = statistics.median(large), statistics.median(small)
    print(
        f"from the last key to the rows: {of_large:.3f} s over {MANY:,d} funds ({min(large):.3f} to {max(large):.3f}), "
        f"{of_small:.3f} s over 100, {of_large / of_small:.2f} times as long"
    )
    assert of_large < FILTERED_WITHIN
    watched.check()
