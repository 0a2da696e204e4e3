"""Pictures of pages, and what must hold of how they look."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.browser.conftest import PICTURES
from tests.requirements import PROJECT

_TOO_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter((each) => !each.closest('.records') && !each.closest('.visually-hidden') && !each.matches('.skip'))
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((each) => `${each.tagName}.${each.className}: ${each.textContent.slice(0, 40)}`)"""


def take(page: Page, name: str, folder: Path, *, keep: bool = True, part: Locator | None = None) -> None:
    """Take a picture of the whole page, or of a part; it is as wide as the window, and nothing hangs out of it."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
    assert page.evaluate(_TOO_WIDE) == [], name
    kept = folder if PICTURES is None or not keep else PROJECT / PICTURES
    kept.mkdir(parents=True, exist_ok=True)
    picture = kept / f"{name}.png"
    picture.write_bytes(page.screenshot(full_page=True) if part is None else part.screenshot())
