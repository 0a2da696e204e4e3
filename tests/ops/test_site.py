"""The site of the guide builds without a complaint, is whole, and asks no other host for anything."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from navoracle.config.descriptions import models_of
from navoracle.config.models import Config
from navoracle.config.reference import anchor_of
from tests.requirements import PROJECT

pytestmark = pytest.mark.slow

FETCHED = {
    "script": ("src",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "form": ("action",),
    "use": ("href", "xlink:href"),
}
"""What a browser fetches, or sends to, without being asked: tags and their attributes."""


class Page(HTMLParser):
    """What a page fetches, where it leads, and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.fetched += [found[name] for name in FETCHED.get(tag, ()) if name in found]
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if found.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = found["content"]
        self.places |= {found[name] for name in ("id", "name") if name in found}


@pytest.fixture(scope="module")
def site() -> Path:
    """The built site."""
    if not (PROJECT / ".tools" / "bin" / "uv").is_file():
        pytest.skip("uv is not in .tools: run scripts/setup")
    shutil.rmtree(PROJECT / "build" / "site", ignore_errors=True)
    built = subprocess.run([PROJECT / "scripts" / "docs"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return PROJECT / "build" / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Every page, by its path in the site."""
    return {
        path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    }


def test_site__every_page_of_the_guide__is_there_and_in_the_navigation(site: Path, pages: dict[str, Page]) -> None:
    documents = [path.relative_to(PROJECT / "docs").as_posix() for path in (PROJECT / "docs").rglob("*.md")]
    built = {"index.html" if name == "README.md" else name.removesuffix(".md") + ".html" for name in documents}
    assert built <= pages.keys()
    assert {"project/index.html", "project/CHANGELOG.html", "project/SECURITY.html"} <= pages.keys()
    assert built <= {link.partition("#")[0] or "index.html" for link in pages["index.html"].links} | {"index.html"}
    assert (site / "search" / "search_index.json").is_file()


def test_site__what_a_browser_fetches__is_its_own(pages: dict[str, Page]) -> None:
    fetched = {target for page in pages.values() for target in page.fetched}
    assert len(fetched) > 5
    assert [
        target for target in fetched if urlsplit(target).scheme not in {"", "data"} or target.startswith("//")
    ] == []


def test_site__style_sheets__fetch_nothing_from_elsewhere(site: Path) -> None:
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        fetched = re.findall(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')]+)", text)
        assert fetched == [], sheet.name


def test_site__every_page__forbids_other_hosts_by_policy(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
        assert "http" not in page.policy, name
        assert "*" not in page.policy, name
        assert rules["default-src"].startswith("'self'"), name


def test_site__no_page__asks_for_what_the_theme_would_fetch(pages: dict[str, Page], site: Path) -> None:
    for name in pages:
        text = (site / name).read_text(encoding="utf-8")
        assert 'class="mermaid"' not in text, name
        assert 'data-md-component="source"' not in text, name


def targets(pages: dict[str, Page]) -> Iterator[tuple[str, str]]:
    for name, page in pages.items():
        if name != "404.html":  # its links are from the root, wherever it is shown
            yield from ((name, link) for link in page.links if not urlsplit(link).scheme)


def test_site__links__lead_to_pages_and_places_that_exist(pages: dict[str, Page], site: Path) -> None:
    assert sum(1 for _ in targets(pages)) > 1_000
    for name, link in targets(pages):
        parts = urlsplit(link)
        path = ((site / name).parent / unquote(parts.path)).resolve() if parts.path else site / name
        if path.is_dir():
            path = path / "index.html"
        assert path.is_file(), f"{name}: {link}"
        if parts.fragment and path.suffix == ".html":
            known = pages[path.relative_to(site.resolve()).as_posix()].places
            assert unquote(parts.fragment) in known, f"{name}: {link}"


def test_site__configuration__has_a_place_for_every_model(pages: dict[str, Page]) -> None:
    places = pages["configuration.html"].places
    assert {anchor_of(model.__name__) for model in models_of(Config) if model is not Config} <= places
