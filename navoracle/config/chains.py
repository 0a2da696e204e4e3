"""The sections of a chain: its nodes, what is asked of them, its registry and signer."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from navoracle.config.base import Name, NodeUrl, Seconds, Section
from navoracle.config.safe import SafeSection
from navoracle.config.signers import SignerSection
from navoracle.config.transactions import TransactionsSection
from navoracle.ports import Address
from navoracle.readers import ChecksumAddress
from navoracle.redaction import HIDDEN, host_of, redact_url

MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"

Pinning = Literal["auto", "hash", "number"]


class EndpointSection(Section):
    """One node of a chain: its URL (http, https, ws or wss), who runs it, and what it may be asked.

    Nodes of one operator count once towards the quorum; unless it is named, the operator is the URL's host. `pin` says
    how reads are pinned on this node where it differs from the chain's.
    """

    url: NodeUrl
    operator: Name | None = None
    requests_per_second: Annotated[int, Field(gt=0, le=10_000)] | None = None
    concurrency: Annotated[int, Field(gt=0, le=256)] = 8
    pin: Pinning | None = None

    @property
    def operated_by(self) -> str:
        """Who runs it."""
        return self.operator or host_of(self.url.get_secret_value())


class SequencerSection(Section):
    """The uptime feed of a rollup's sequencer; while it is down, and `grace` seconds after, the chain is not read."""

    feed: ChecksumAddress
    grace: Seconds = 3_600


class ChainSection(Section):
    """One chain: its nodes, finality rule, registry and signer.

    `rpc` is short for one endpoint. `quorum` operators must agree: 2 where there are two or more, unless it says
    otherwise. A node may lie `max_lag` blocks behind the others, and its head `max_head_age` seconds behind the clock.
    `signer` posts; `guardian` is a hot key that may hold funds where one is insolvent, and is never the poster's.
    `safe` is the Safe that transactions are proposed to, where they are not sent.
    """

    chain_id: Annotated[int, Field(gt=0)]
    rpc: NodeUrl | None = None
    endpoints: tuple[EndpointSection, ...] = ()
    quorum: Annotated[int, Field(ge=1)] | None = None
    max_lag: Annotated[int, Field(ge=0, le=10_000)] = 5
    max_head_age: Annotated[int, Field(gt=0)] = 900
    finality: Literal["confirmations", "safe", "finalized"] = "confirmations"
    confirmations: Annotated[int, Field(ge=0, le=10_000)] = 2
    pin: Pinning = "auto"
    multicall: ChecksumAddress = Address(MULTICALL3)
    sequencer: SequencerSection | None = None
    registry: ChecksumAddress | None = None
    signer: SignerSection | None = None
    guardian: SignerSection | None = None
    safe: SafeSection | None = None
    transactions: TransactionsSection = TransactionsSection()
    timeout: Annotated[int, Field(gt=0, le=600)] = 20

    @property
    def nodes(self) -> tuple[EndpointSection, ...]:
        """Its endpoints, however they are written."""
        return self.endpoints if self.rpc is None else (EndpointSection(url=self.rpc),)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if (self.rpc is None) == (not self.endpoints):
            raise ValueError("give either `rpc` (one URL) or `endpoints` (a list of `url`), and not both")
        urls = [endpoint.url.get_secret_value() for endpoint in self.endpoints]
        for index, url in enumerate(urls):
            # A configuration that was shown hides what tells such URLs apart, and can be read again.
            if url in urls[:index] and not url.endswith(HIDDEN):
                raise ValueError(f"endpoints.{index}: the same URL is listed before ({redact_url(url)}); remove one")
        operators = {endpoint.operated_by for endpoint in self.nodes}
        if self.quorum is not None and self.quorum > len(operators):
            raise ValueError(
                f"quorum is {self.quorum} and there are {len(operators)} operators of endpoints: it could never be "
                "reached; add endpoints of other operators (or name their `operator`), or lower the quorum"
            )
        return self
