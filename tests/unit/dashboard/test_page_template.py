"""The page's template: a nonce in its own scripts and styles alone, its own styles, and what is seen first."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from jinja2 import DictLoader
from nicegui.client import templates

from navoracle.dashboard import page_template
from navoracle.dashboard.page_template import adapt_template
from navoracle.domain.errors import DomainError

DATA = "<script>bad()</script><style>bad{}</style>"


def page(first_paint: str | None = "<p>seen first</p>") -> str:
    adapt_template()
    adapt_template()  # a second attachment changes nothing
    empty: dict[str, object] = dict.fromkeys(
        ("elements", "title", "head_html", "imports", "vue_config", "vue_config_script", "js_imports", "vue_scripts"),
        DATA,
    )
    state = {"nonce": "n0nce"} if first_paint is None else {"nonce": "n0nce", "first_paint": first_paint}
    return templates.env.get_template("index.html").render(
        **empty,
        request=SimpleNamespace(state=SimpleNamespace(**state)),
        body_html="<style></style>\n" + DATA,
        prod_js=True,
        translations={},
        js_imports_urls=[],
    )


def test_template__own_scripts_and_styles__carry_the_nonce_and_data_does_not() -> None:
    found = page()

    tags = re.findall(r"<(?:script|style)\b[^>]*>", found)
    own = [tag for tag in tags if "nonce" in tag]
    assert len(own) >= 8
    assert all('nonce="n0nce"' in tag for tag in own)
    assert {tag for tag in tags if "nonce" not in tag} == {"<script>", "<style>"}  # those of the data alone
    assert found.count("<script>bad()") == found.count("<style>bad{}")


def test_template__style_attributes_and_empty_styles__are_gone() -> None:
    found = page()

    assert ' style="' not in found
    assert not re.search(r"<style[^>]*></style>", found)


def test_template__page__is_seen_before_any_script_and_needs_no_other_style_sheet() -> None:
    found = page()

    assert '<div id="app"><p>seen first</p></div>' in found
    assert "--ground: " in found
    assert "@import" not in found
    assert "esm-fallback {" not in found
    assert found.index("dataset.theme = ") < found.index("<body>")


def test_template__page_of_an_error__has_nothing_to_be_seen_first() -> None:
    assert '<div id="app"></div>' in page(None)


def test_template__other_one_than_it_was_made_for__is_an_error_with_advice() -> None:
    loader = DictLoader({"index.html": "<html><body></body></html>"})

    with pytest.raises(DomainError, match="not as expected") as told:
        page_template._adapted(templates.env, loader, "index.html")

    assert "nicegui" in told.value.advice
