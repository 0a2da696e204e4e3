"""axe-core, injected from its package."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

from tests.protocols.packages import package

AXE: Final = "axe-core@4.14.1"


def violations(page: Page) -> list[str]:
    """What axe finds that is serious or critical, with the elements."""
    source = (package(AXE) / "axe.min.js").read_text()
    page.evaluate(source)  # through the debugger's protocol: the page's own policy lets no script in
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']} ({each['impact']}): {[node['target'] for node in each['nodes']][:3]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
