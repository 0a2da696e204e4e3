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
    """One node of a chain.

    Attributes:
        url: http, https, ws or wss; out of the environment where it holds a key.
        operator: who runs it; the URL's host unless named. Nodes of one operator count once towards the quorum.
        requests_per_second: the most that it is asked; no limit unless set.
        concurrency: the most requests that wait for it at once.
        pin: how reads are pinned on this node, where it differs from the chain's.
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
    """The uptime feed of a rollup's sequencer; while it is down the chain is not read.

    Attributes:
        feed: the uptime feed.
        grace: seconds after it came back during which the chain is not read.
    """

    feed: ChecksumAddress
    grace: Seconds = 3_600


class ChainSection(Section):
    """One chain: its nodes, finality rule, registry and signer.

    Attributes:
        chain_id: what every node must say.
        rpc: short for one endpoint: its URL.
        endpoints: its nodes; either these or `rpc`.
        quorum: how many operators must agree; 2 where there are two or more, unless it says otherwise.
        max_lag: blocks that a node may lie behind the others.
        max_head_age: seconds that a node's newest block may lie behind the clock.
        finality: which block is valued at: `confirmations` behind the newest, or the node's `safe` or `finalized`.
        confirmations: how many blocks, for that.
        pin: how reads are pinned to the block: by its hash, by its number with the hash compared after, or as the
            node can.
        multicall: the chain's Multicall3.
        sequencer: of a rollup.
        registry: the NavRegistry that its funds are posted to.
        signer: the key that posts.
        guardian: a hot key that may hold funds that are insolvent; never the poster's.
        safe: the Safe that transactions are proposed to, where they are not sent.
        transactions: what they may cost, and how they are seen to their end.
        timeout: seconds that one request to a node may take.
        testnet: whether its money is play money; what is only for test networks asks for it.
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
    testnet: bool = False

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
