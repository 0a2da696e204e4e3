"""What a verification says."""

from __future__ import annotations

from navoracle.read_model.records import Record, Time, WadText


class VerifiedPost(Record):
    """A post whose root covers the evidence."""

    post: int
    state: str
    """Of its transaction."""
    chain: str
    contract: str
    evidence_root: str
    transaction: str | None
    """The hash of the transaction that was mined."""
    block: int | None


class Verification(Record):
    """Whether a fund's NAV and verdicts follow from its evidence, bit for bit, and whether the posts are of them."""

    frame: str
    fund: str
    verified: bool
    failure: str | None
    """The first difference; null where there is none."""
    advice: str | None
    """What to do about it."""
    status: str | None
    """What the evidence gives; null, as all below, where the verification failed."""
    nav: WadText | None
    price_per_share: WadText | None
    now: Time | None
    """The valuation time."""
    evidence_hash: str | None
    code_version: str | None
    """The version that wrote the evidence."""
    posts: list[VerifiedPost]
