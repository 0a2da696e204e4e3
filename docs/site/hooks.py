"""What mkdocs does not know of this guide; the hooks' names are its own.

- The navigation is the tables of `docs/README.md`, so that a page is listed in one place.
- Pages outside of `docs/` (the README, the changelog, ...) become pages under `project/`, and other files of the
  project that a page links to are copied under `files/`: the site is whole without the repository.
- The reference of the configuration is written from the models in the place of its marker.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from navoracle.config.reference import settings_reference

PROJECT: Final = Path(__file__).resolve().parents[2]
DOCUMENTS: Final = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
SETTINGS: Final = "<!-- settings -->"

_LINK: Final = re.compile(r"\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_ROW: Final = re.compile(r"^\| \[([^\]]+)\]\(([^)#]+)\) \|", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the navigation."""
    index = (PROJECT / "docs" / "README.md").read_text(encoding="utf-8")
    navigation: list[dict[str, object]] = [{"Home": "README.md"}]
    for part in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        title = part.partition("\n")[0]
        pages = [{name: _place(f"docs/{target}")} for name, target in _ROW.findall(part)]
        if pages:
            navigation.append({title: pages})
    config.nav = navigation
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files outside of `docs/`."""
    for name in DOCUMENTS:
        files.append(File.generated(config, f"project/{name}", content=(PROJECT / name).read_text(encoding="utf-8")))
    linked = {
        target
        for file in files.documentation_pages()
        for _, link, _ in _LINK.findall(file.content_string)
        if (target := _target(link, file.src_uri)) is not None
        and _place(target).startswith("files/")
        and not (PROJECT / target).is_dir()
    }
    for target in sorted(linked):
        files.append(File.generated(config, _place(target), abs_src_path=str(PROJECT / target)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to where things are on the site, and write the reference of the configuration."""

    def led(match: re.Match[str]) -> str:
        text, link, anchor = match.groups()
        target = _target(link, page.file.src_uri)
        if target is None:
            return match.group(0)
        if (PROJECT / target).is_dir():
            return str(text)  # a folder has no page
        place = posixpath.relpath(_place(target), posixpath.dirname(page.file.src_uri) or ".")
        return f"[{text}]({place}{anchor or ''})"

    return _LINK.sub(led, markdown).replace(SETTINGS, settings_reference())


def _target(link: str, source: str) -> str | None:
    """The file of the project that a page's link leads to, from the project's folder; None for another host's."""
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(_origin(source)), link))


def _origin(source: str) -> str:
    """Where a page of the site comes from."""
    return source.removeprefix("project/") if source.startswith("project/") else f"docs/{source}"


def _place(target: str) -> str:
    """Where a file of the project is on the site."""
    target = posixpath.normpath(target)
    if target in DOCUMENTS:
        return f"project/{target}"
    return target.removeprefix("docs/") if target.startswith("docs/") else f"files/{target}"
