"""The content security policy lets in the package's own files, and inline scripts with the answer's nonce."""

from __future__ import annotations

from navoracle.dashboard.policy import policy


def test_policy__with_and_without_a_nonce__allows_nothing_unsafe() -> None:
    assert "'nonce-abc'" in policy("abc")
    assert "nonce" not in policy()
    for found in (policy("abc"), policy()):
        assert "unsafe" not in found
        assert found.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in found
