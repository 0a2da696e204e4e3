"""The pages of `navoracle run`: a newcomer's keeper of a vault on the demo's chain, configured by `navoracle init`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from navoracle.dashboard.registry import PAGES
from tests.browser.conftest import Demo, Visit, free_port, settled
from tests.browser.figures import READ, READ_RETURNS, differing, worth
from tests.browser.pictures import take
from tests.demo_process import GROUPS, NAVORACLE, DemoProcess, until_final

pytestmark = [pytest.mark.sockets]

FUND: Final = "vusdc"
FUND_ID: Final = 1


@dataclass(frozen=True)
class OwnKeeper:
    """A running `navoracle run --live`."""

    demo: DemoProcess
    folder: Path
    process: subprocess.Popen[bytes]
    port: int
    registry: str

    @property
    def said(self) -> str:
        """What it has told so far."""
        return (self.folder / "err").read_text()

    def served(self) -> tuple[Any, ...]:
        """What its registry serves."""
        return self.demo.node.call(self.registry, READ, READ_RETURNS, FUND_ID)

    def slices(self, at: int) -> dict[str, int]:
        """The worth (Wad) of what the vault holds at a block's time, by what the chain says."""
        said, node = self.demo.environment, self.demo.node
        block = node.block_at(at)
        (amount,) = node.call(said["USDC"], "balanceOf(address)", "uint256", said["USDC_VAULT"], block=block)
        return {"USDC": worth(node, amount, 6, [said[f"FEED_USDC_{group.upper()}"] for group in GROUPS], block)}


@pytest.fixture(scope="module")
def own(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnKeeper]:
    """A keeper made with the commands of the first minute; nothing is posted yet."""
    folder, port, process = tmp_path_factory.mktemp("own"), free_port(), demo.process
    process.init(folder)
    registry = process.deploy(folder, "--min-interval", "1", port=port)
    configuration = folder / "navoracle.yaml"
    text = configuration.read_text()
    assert "# guards: { max_change_bps: 3000 }" in text
    configuration.write_text(text.replace("# guards: { max_change_bps: 3000 }", "guards: { min_interval: 1 }"))
    with (folder / "err").open("w") as err:
        running = subprocess.Popen([NAVORACLE, "run", "--live"], cwd=folder, env=process.environment, stderr=err)
    found = OwnKeeper(process, folder, running, port, registry)
    try:
        until_final(process.node)  # the roles too
        yield found
    finally:
        running.kill()
        running.wait(30)


@pytest.fixture
def keeping(browser: Browser, own: OwnKeeper) -> Visit:
    """Opens pages of the newcomer's keeper."""
    return Visit(browser, f"http://127.0.0.1:{own.port}")


def test_run__post_that_a_manager_asked_for__is_shown_without_reload_and_equals_files_and_chain(
    keeping: Visit, own: OwnKeeper
) -> None:
    watched = keeping.open("/")
    page = settled(watched.page)
    page.evaluate("window.sameDocument = true")
    opened = own.served()[2]

    signed = ["--reason", "a first post", "--key-file", own.demo.key("manager"), "--to-database", "--live"]
    own.demo.run("emergency", "update", FUND, *signed, folder=own.folder)

    deadline = time.monotonic() + 120
    differences = ["nothing was posted yet"]
    while differences:
        assert time.monotonic() < deadline, (differences, own.said)
        page.wait_for_timeout(200)
        if own.served()[2] > opened:
            differences = differing(page, own.folder / "state", FUND, own.served(), own.slices)
    assert page.evaluate("window.sameDocument")
    watched.check()
    watched.context.close()


@pytest.mark.parametrize("path", [page.path.replace("{fund:path}", FUND) for page in PAGES])
def test_run__page__fails_nowhere(keeping: Visit, path: str) -> None:
    watched = keeping.open(path)

    assert settled(watched.page).locator(".trouble").inner_text() == ""
    watched.check()
    watched.context.close()


def test_run__server_dies__page_says_so_and_greys_out(keeping: Visit, own: OwnKeeper, tmp_path: Path) -> None:
    watched = keeping.open("/")
    page = settled(watched.page)

    own.process.kill()  # the last test of this module: nothing is served after it

    page.get_by_text("No connection to the keeper's server since").wait_for(timeout=30_000)
    assert page.evaluate("getComputedStyle(document.querySelector('.page')).opacity") == "0.6"
    take(page, "overview-dead-server", tmp_path)
