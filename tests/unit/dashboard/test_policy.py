"""The nonce goes into the page's own scripts and styles, and never into what comes as data."""

from __future__ import annotations

import re
from types import SimpleNamespace

from nicegui.client import templates

from navoracle.dashboard.policy import give_nonces, policy

DATA = "<script>bad()</script><style>bad{}</style>"


def page() -> str:
    give_nonces()
    give_nonces()  # a second attachment changes nothing
    empty: dict[str, object] = dict.fromkeys(
        ("elements", "title", "head_html", "imports", "vue_config", "vue_config_script", "js_imports", "vue_scripts"),
        DATA,
    )
    return templates.env.get_template("index.html").render(
        **empty,
        request=SimpleNamespace(state=SimpleNamespace(nonce="n0nce")),
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
    assert "<style></style>" not in found


def test_policy__with_and_without_a_nonce__allows_nothing_unsafe() -> None:
    assert "'nonce-abc'" in policy("abc")
    assert "nonce" not in policy()
    for found in (policy("abc"), policy()):
        assert "unsafe" not in found
        assert found.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in found
