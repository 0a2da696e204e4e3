"""Prices, Risk, KPIs, Operations and Guardian over a keeper of which everything is known."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from navoracle.dashboard import formats
from tests.browser.accessibility import violations
from tests.browser.conftest import Visit, Watched, settled
from tests.browser.figures import fact, rows
from tests.browser.keeper import ASKED, STRESS
from tests.browser.pictures import take
from tests.browser.stand import MARKUP, Stand
from tests.unit.requests.builders import GUARDIAN, NOBODY

pytestmark = [pytest.mark.sockets]

RISK, KPIS = f"/risk?fund={quote(MARKUP)}", f"/kpis?fund={quote(MARKUP)}"
PATHS = {
    "prices-of-sources": "/prices",
    "prices-markup": f"/prices?text={quote(MARKUP)}",
    "risk-markup": RISK,
    "kpis-markup": KPIS,
    "operations": "/operations",
    "guardian": "/guardian",
}
SIGNATURE = "Signature (0x…), or the whole signed document"


@pytest.fixture(autouse=True)
def _let_something_be_wrong(stand: Stand) -> None:
    stand.alert()


@pytest.fixture
def guardian(many: Visit) -> Iterator[Watched]:
    watched = many.open("/guardian")
    settled(watched.page)
    yield watched
    watched.check()
    watched.context.close()


@pytest.mark.parametrize("name", PATHS)
def test_page__light_dark_and_phone__fits_and_is_accessible(many: Visit, name: str, tmp_path: Path) -> None:
    for scheme, width, label in (("light", 1_280, "light"), ("dark", 1_280, "dark"), ("light", 390, "phone")):
        watched = many.open(PATHS[name], scheme=scheme, width=width)
        page = settled(watched.page)
        page.wait_for_timeout(400)  # charts are drawn after their data is there
        assert page.evaluate("window.broken === undefined")
        watched.check()  # before axe and the camera, which put styles of their own into the page
        assert violations(page) == [], f"{name} {label}"
        take(page, f"{name}-{label}", tmp_path, keep=False)
        watched.context.close()


def test_prices__asset__shows_sources_with_ages_and_why_what_is_not_known_is_not(many: Visit) -> None:
    watched = many.open("/prices?asset=USDC")
    page = settled(watched.page)

    table = {row[0]: row for row in rows(page, "Sources")}
    assert table
    assert {row[2]: row[7] for row in table.values()} == {
        "0.998700": "counts",
        "1.99740": "excluded it is too far from the median",
    }
    assert {row[1] for row in rows(page, "Newest prices")} == {"asset", "debt"}
    assert fact(page, "Gap").startswith("n/a (no evidence")
    assert "3 frames" in page.locator("#history").inner_text()
    page.get_by_label("Search asset").fill("nothing like it")
    page.get_by_text("No frame of the last day has such a price.").wait_for()
    assert page.get_by_label("Search asset").input_value() == "nothing like it"
    watched.check()


def test_prices__asset_that_nobody_priced__says_so(many: Visit) -> None:
    watched = many.open("/prices?asset=" + quote(MARKUP))
    settled(watched.page).get_by_text(f"No frame of the last day priced {MARKUP}.").wait_for()
    assert watched.page.evaluate("window.broken === undefined")
    watched.check()


def test_risk__fund__shows_the_figures_of_its_file_with_words_beside_colours(many: Visit, stand: Stand) -> None:
    document = stand.document("risk")
    watched = many.open(RISK)
    page = settled(watched.page)

    assert fact(page, "Status") == document["risk_status"] == "critical"
    (loan,) = rows(page, "Loans")
    (entry,) = document["lending"]
    assert loan[1] == entry["status"]
    assert loan[2].split() == [*formats.percent(entry["ltv"]).split(), entry["ltv_status"]]
    assert loan[4] == formats.percent(entry["move_to_liquidation"])
    shown = rows(page, "Stress table")
    assert [row[0] for row in shown] == [line.name for line in STRESS]
    assert shown[1][6] == "liquidated alpha.risk.aave"
    assert shown[3][3:6] == ["n/a", "n/a", "n/a"]
    label = page.locator("#stress .chart").get_attribute("aria-label")
    assert label is not None
    assert "ETH falls by 30.00 %: 1.500000, liquidations" in label
    assert "everything by 30.00 %: not known" in label
    assert page.locator("#alerts").inner_text().count("What to do:") == len(document["alerts"])
    assert [row[1] for row in rows(page, "Changes of the status")] == ["critical", "safe"]
    watched.check()


def test_kpis__without_telemetry__are_unknown_with_a_reason_and_never_zero(many: Visit, stand: Stand) -> None:
    document = stand.document("kpis")
    watched = many.open(KPIS)
    page = settled(watched.page)

    assert fact(page, "Maker fill") == "83.00 %"
    assert fact(page, "Fallback") == "n/a (the telemetry does not say it)"
    assert fact(page, "Median slippage") == "1.25 bps"
    assert fact(page, "Drawdown") == formats.percent(document["risk"]["drawdown_pct"])
    symbols = {row[0]: row for row in rows(page, "Symbols")}
    assert set(symbols) == set(document["symbols"])
    assert symbols["XAUT"][1] == "caution"
    assert symbols["ETH"][3].split("\n")[0].startswith("n/a")
    assert "too few prices" in symbols["ETH"][3]
    assert ["execution", "unknown the telemetry is too old"] in [row[:2] for row in rows(page, "Telemetry")]
    watched.check()


def test_operations__alert__is_taken_care_of_by_name_and_everybody_sees_it(many: Visit, stand: Stand) -> None:
    first, second = many.open("/operations"), many.open("/operations")
    page, other = settled(first.page), settled(second.page)
    button = page.get_by_role("button", name="Take care of SignerBalanceLow:main")

    button.click()
    page.get_by_text("Write your name first").wait_for()
    page.get_by_label("Your name").fill("Ann <b>")
    button.click()
    page.get_by_text("Noted: Ann <b> takes care of SignerBalanceLow:main.").wait_for()

    expect(button).to_have_count(0)
    other.get_by_role("table", name="Open alerts").get_by_text("Ann <b>").wait_for(timeout=10_000)
    assert [row.acknowledged_by for row in stand.alerts() if row.key == "SignerBalanceLow:main"] == ["Ann <b>"]
    first.check()
    second.check()


def test_operations__events__are_searched_and_paged(many: Visit) -> None:
    watched = many.open("/operations")
    page = settled(watched.page)
    newest = rows(page, "Events")

    page.get_by_role("button", name="Older events").click()
    page.get_by_text(re.compile("older ones: 15 of")).wait_for()
    older = rows(page, "Events")
    assert not {tuple(row) for row in newest} & {tuple(row) for row in older}
    page.get_by_label("Search message").fill("event 37 ")
    expect(page.get_by_role("table", name="Events").locator("tbody tr")).to_have_count(1)
    (found,) = rows(page, "Events")
    assert found[4].startswith(f"event 37 <b>of</b> {ASKED}")
    assert {row[3].split(" ")[0] for row in rows(page, "Slots")} == {"claimed", "posted", "held", "skipped", "failed"}
    assert rows(page, "Senders")[0][6] == "9 h 0 min nearly empty"
    watched.check()


def test_operations__exports__are_files_behind_the_login(many: Visit, outside: Visit) -> None:
    watched = many.open("/operations")
    page = settled(watched.page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="slots as CSV").click()
    table = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    assert {row["state"] for row in table} == {"claimed", "posted", "held", "skipped", "failed"}
    with page.expect_download() as waiting:
        page.get_by_role("link", name="events as JSON lines").click()
    assert all(json.loads(line)["message"] for line in Path(waiting.value.path()).read_text().splitlines())
    watched.check()
    stranger = outside.open("/exports/events.csv")
    assert "/dashboard/login" in stranger.page.url


def prepared(page: Page, reason: str = "the price feed looks wrong") -> dict[str, object]:
    """Prepare a hold, and give the file that the page offers to save."""
    page.get_by_label("Reason, for those who read the log").fill(reason)
    page.get_by_role("button", name="Prepare the request").click()
    expect(page.locator("#digest")).to_have_text(re.compile("^0x"))
    found: dict[str, object] = json.loads(page.locator(".document pre").inner_text())
    return found


def signed_by(key: Path, document: dict[str, object], folder: Path) -> str:
    """What the command prints that signs a request; it needs no configuration."""
    file = folder / "request.json"
    file.write_text(json.dumps(document))
    command = [str(Path(sys.executable).with_name("navoracle")), "emergency", "--request", str(file)]
    done = subprocess.run(
        [*command, "--key-file", str(key), "--json"], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The guardian's key."""
    file = tmp_path / "guardian.key"
    file.touch(0o600)
    file.write_text("0x" + (101).to_bytes(32, "big").hex())
    return file


def test_guardian__signature_of_the_command__is_sent_and_taken_once(
    guardian: Watched, stand: Stand, key_file: Path, tmp_path: Path
) -> None:
    page = guardian.page
    document = prepared(page, "the feed <b>looks</b> wrong")
    assert page.locator("#digest").inner_text() == document["digest"]
    assert {row[0] for row in rows(page, "Fields of the request")} == set(document["request"])  # type: ignore[call-overload]

    page.get_by_label(SIGNATURE).fill(signed_by(key_file, document, tmp_path))
    page.get_by_role("button", name="Check the signature").click()
    page.get_by_text(f"{GUARDIAN.address} signed hold of {ASKED}: the feed <b>looks</b> wrong").wait_for()
    assert "nothing of it is posted any more" in page.locator("#will-happen").inner_text()
    assert document["digest"] not in stand.requests(), "it was taken before it was sent"
    page.get_by_role("button", name="Send it to the keeper").click()

    page.get_by_text(f"Taken: hold of {ASKED}, signed in the role GUARDIAN.").wait_for()
    assert document["digest"] in stand.requests()
    page.get_by_role("table", name="Requests that were taken").get_by_text("the feed <b>looks</b> wrong").wait_for()
    page.get_by_role("button", name="Check the signature").click()
    page.get_by_role("button", name="Send it to the keeper").click()
    page.get_by_text(re.compile(r"Refused \(replayed\)")).wait_for()


def test_guardian__signer_without_a_role__is_refused_and_told_why(guardian: Watched, tmp_path: Path) -> None:
    page = guardian.page
    document = prepared(page)
    file = tmp_path / "nobody.key"
    file.touch(0o600)
    file.write_text("0x" + (105).to_bytes(32, "big").hex())

    page.get_by_label(SIGNATURE).fill(json.loads(signed_by(file, document, tmp_path))["signature"])
    page.get_by_role("button", name="Check the signature").click()
    page.get_by_text(f"{NOBODY.address} signed hold").wait_for()
    page.get_by_role("button", name="Send it to the keeper").click()

    page.get_by_text(re.compile(r"Refused \(wrong role\)")).wait_for()
    assert "GUARDIAN or RISK" in page.locator("#sent").inner_text()


def test_guardian__private_key_put_in__never_leaves_the_browser(guardian: Watched) -> None:
    page = guardian.page
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    page.reload()
    settled(page)
    secret = "5e" * 32
    for text in (
        secret,
        f"0x{secret}",
        f" {secret}\n",
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
    ):
        page.get_by_label(SIGNATURE).fill(text)
        page.get_by_text("That looks like a private key or its words.").wait_for()
        assert page.get_by_label(SIGNATURE).input_value() == ""
        page.get_by_role("button", name="Check the signature").click()
    page.wait_for_timeout(500)
    assert sent, "nothing was heard of what the page sends"
    assert not any(secret in frame or "sausage" in frame for frame in sent)


def test_guardian__wallet_in_the_browser__signs_the_typed_data(many: Visit) -> None:
    watched = many.open("/guardian")
    page = watched.page
    asked: list[str] = []

    def sign(text: str) -> str:
        asked.append(text)
        return f"0x{'11' * 64}1b"

    page.expose_function("signTyped", sign)
    page.add_init_script(
        f"""window.ethereum = {{ request: async (ask) => ask.method === 'eth_requestAccounts'
          ? ['{GUARDIAN.address.lower()}'] : window.signTyped(ask.params[1]) }};"""
    )
    page.reload()
    settled(page)
    document = prepared(page)

    page.get_by_role("button", name="Sign with this browser's wallet").click()

    page.get_by_text(f"This is no signature of the key {GUARDIAN.address}.").wait_for()  # it signed something else
    assert [json.loads(text) for text in asked] == [document["typed_data"]]
    watched.check()


def test_guardian__reason_that_cannot_be_used__is_told(guardian: Watched) -> None:
    page = guardian.page
    page.get_by_role("button", name="Prepare the request").click()
    page.get_by_text(re.compile("Not prepared: .*reason")).wait_for()
    assert page.locator(".document").is_hidden()
