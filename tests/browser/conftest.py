"""The browser, its pages, and the two dashboards that they look at."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, StorageState, sync_playwright

from tests.browser.stand import PASSWORD, Stand
from tests.demo_process import DemoProcess, going_on

CHROMIUM: Final = shutil.which("chromium")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PICTURES: Final = os.environ.get("NAVORACLE_PICTURES")
"""Where pictures of the pages are kept; without it they are taken and thrown away."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here is slow, opens sockets, and needs Chromium."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="chromium is not installed: run scripts/browser as root"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module; while it is there Playwright's loop runs in this thread, and no other one can."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@dataclass
class Watched:
    """A page, and everything that went wrong in it.

    Attributes:
        expected: what of it is meant to happen, as a pattern.
    """

    page: Page
    context: BrowserContext
    wrong: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    bytes: int = 0
    expected: str = r"^$"

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self._note(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self._note(f"page error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2].split(":")[0]))

    def _failed(self, request: Request) -> None:
        # What the page gave up itself, because it moved on, no host has refused.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"failed: {request.url} {request.failure}")

    def _note(self, what: str) -> None:
        self.wrong.append(what)

    def check(self) -> None:
        """Nothing went wrong, and nobody else was asked."""
        assert [what for what in self.wrong if not re.search(self.expected, what)] == []
        assert self.hosts <= {"127.0.0.1"}


@dataclass(frozen=True)
class Visit:
    """Opens pages of one dashboard; `session` is what somebody who is logged in has."""

    browser: Browser
    base: str
    session: StorageState | None = None

    def open(self, path: str, *, scheme: str = "light", width: int = 1_280, before: str = "") -> Watched:
        """A new visitor's page; `before` is a script that runs before any of its own."""
        context = self.browser.new_context(
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
            storage_state=self.session,
        )
        found = Watched(context.new_page(), context)
        if before:
            found.page.add_init_script(before)
        found.page.goto(f"{self.base}/dashboard{path}")
        return found


def log_in(page: Page, password: str) -> None:
    """Fill the login page in."""
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


DRAWN: Final = """() => [...document.querySelectorAll('.chart')].every(
  (each) => each.offsetParent === null || each.hasAttribute('_echarts_instance_'))"""
"""Whether every chart that is shown has been drawn; their library comes after the page."""


def settled(page: Page) -> Page:
    """Wait until the page is there, live, and dressed, and its charts are drawn."""
    page.wait_for_selector("h1")
    until(page, "() => window.socket?.connected && document.getElementById('theme')?.hasAttribute('aria-label')")
    until(page, "() => document.fonts.status === 'loaded'")
    until(page, DRAWN)
    return page


def until(page: Page, holds: str, arg: object = None, seconds: float = 30) -> None:
    """Wait until a function of the page gives true; Playwright's own way of waiting is code to the page's policy."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(holds, arg):
        assert time.monotonic() < deadline, f"not within {seconds} s: {holds} {arg}"
        page.wait_for_timeout(50)


@pytest.fixture(scope="package")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A dashboard with 10,000 funds and a password."""
    made = Stand(tmp_path_factory.mktemp("stand"))
    made.write()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def outside(browser: Browser, stand: Stand) -> Visit:
    """Opens pages of the stand as somebody who is not logged in."""
    return Visit(browser, f"http://127.0.0.1:{stand.port}")


@pytest.fixture(scope="module")
def session(browser: Browser, stand: Stand) -> StorageState:
    """What somebody has who logged in at the stand: logins are limited, so all tests share one."""
    watched = Visit(browser, f"http://127.0.0.1:{stand.port}").open("/login")
    log_in(watched.page, PASSWORD)
    settled(watched.page)
    found = watched.context.storage_state()
    watched.context.close()
    return found


@pytest.fixture
def many(browser: Browser, stand: Stand, session: StorageState) -> Visit:
    """Opens pages of the stand, logged in."""
    return Visit(browser, f"http://127.0.0.1:{stand.port}", session)


@dataclass(frozen=True)
class Demo:
    """The demo that a new user starts: its day is over, and it goes on in real time."""

    process: DemoProcess
    port: int
    state: Path


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole day of the demo, with its pages and its chain; all modules share one."""
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    with going_on(folder, "--port", str(port), "--state-files", str(folder / "state")) as process:
        yield Demo(process, port, folder / "state")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
    return found


@pytest.fixture
def playing(browser: Browser, demo: Demo) -> Visit:
    """Opens pages of the demo."""
    return Visit(browser, f"http://127.0.0.1:{demo.port}")
