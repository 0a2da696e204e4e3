"""Proposals at a Safe Transaction Service, through safe-eth-py; each is kept as a signed file too.

safe-eth-py is an extra (`pip install "navoracle[safe]"`), loaded when such a service is configured. What the service
says is believed only as far as it can be checked: every transaction that it lists must have the hash that it says.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from eth_utils.address import to_checksum_address

from navoracle.domain.errors import (
    ConfigurationError,
    DomainError,
    MalformedResult,
    ProposalRefused,
    SourceDown,
    VerificationFailed,
)
from navoracle.ports import Address
from navoracle.redaction import redact_text, redact_url
from navoracle.safe.account import SafeState
from navoracle.safe.document import SignedProposal
from navoracle.safe.folder import ProposalFolder
from navoracle.safe.known import KnownProposal
from navoracle.safe.transaction import NOBODY, SafeTransaction

EXTRA: Final = "navoracle[safe]"
PAGE: Final = 100
MOST_PAGES: Final = 10
_LONGEST_ANSWER: Final = 300
_WHERE: Final = "the Safe Transaction Service"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where the service of a chain is (None: where safe-eth-py knows it), and the key that it asks for.

    `timeout` is seconds for a connection and between two parts of an answer, `deadline` for a whole request.
    """

    chain_id: int
    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout: int = 10
    deadline: float = 30.0


class TransactionService:
    """A Safe Transaction Service.

    Raises:
        ConfigurationError: safe-eth-py is not installed, or knows no service of this chain and none is named.
    """

    def __init__(self, at: ServiceAddress) -> None:
        self._at = at
        api: Any = _load("safe_eth.safe.api")
        eth: Any = _load("safe_eth.eth")
        self._refusal: type[Exception] = api.SafeAPIException
        self._transaction: Any = _load("safe_eth.safe").SafeTx
        try:
            # Every argument is given: those left out are taken from the environment.
            self._api: Any = api.TransactionServiceApi(
                eth.EthereumNetwork(at.chain_id),
                base_url=at.url,
                api_key=at.api_key,
                request_timeout=at.timeout,
            )
        except eth.EthereumNetworkNotSupported:
            raise ConfigurationError(
                f"safe-eth-py knows no Safe Transaction Service of chain {at.chain_id}",
                advice="Set `safe.service.url`, or leave `service` out and let owners sign the files.",
            ) from None
        # No proxy or password out of the environment, and no other host than the one that was named.
        self._api.http_session.trust_env = False
        self._api.http_session.max_redirects = 0
        self.name = redact_url(str(self._api.base_url))

    async def listed(self, safe: Address, chain_id: int, since: int) -> tuple[KnownProposal, ...]:
        """The transactions of a Safe from a nonce on, proposed by an owner or a proposer that its owners named.

        Raises:
            SourceDown: the service does not answer. MalformedResult: it answers something else.
            VerificationFailed: a transaction has another hash than it says.
        """
        found: list[KnownProposal] = []
        for page in range(MOST_PAGES):
            rows = await self._page(safe, since, page * PAGE)
            found += [self._known(row, safe, chain_id) for row in rows if row.get("trusted") is not False]
            if len(rows) < PAGE:
                return tuple(found)
        raise MalformedResult(
            f"{self.name} lists more than {MOST_PAGES * PAGE} transactions of Safe {safe} from nonce {since} on",
            advice="Let the Safe's owners remove proposals that nobody will sign.",
        )

    async def submit(self, signed: SignedProposal) -> None:
        """Propose a transaction, and see that the service lists it.

        Raises:
            ProposalRefused: the service did not take it. SourceDown: it did not answer; it may have taken it.
            VerificationFailed: safe-eth-py hashes it otherwise.
        """
        said = signed.transaction
        theirs = self._transaction(
            None,
            said.safe,
            said.to,
            said.value,
            said.data,
            said.operation,
            0,
            0,
            0,
            None,
            None,
            signatures=signed.signature.to_bytes(),
            safe_nonce=said.nonce,
            safe_version=signed.proposal.version.partition("+")[0],
            chain_id=said.chain_id,
        )
        if bytes(theirs.safe_tx_hash) != said.digest:
            raise VerificationFailed(
                f"safe-eth-py hashes the proposal to 0x{bytes(theirs.safe_tx_hash).hex()}, not to {said.id}",
                advice="Nothing was sent. Report it with the proposal's file.",
            )
        try:
            await self._ask(lambda: self._api.post_transaction(theirs))
        except self._refusal as error:
            raise ProposalRefused(
                f"{self.name} did not take the proposal {said.id}: {_short(error)}",
                advice="Make the keeper's key an owner of the Safe, or a proposer that an owner named there.",
            ) from None
        if all(
            found.transaction.digest != said.digest for found in await self.listed(said.safe, said.chain_id, said.nonce)
        ):
            raise ProposalRefused(
                f"{self.name} took the proposal {said.id}, and does not list it",
                advice="Look at the Safe's queue; owners can sign the file meanwhile.",
            )

    async def _page(self, safe: Address, since: int, offset: int) -> list[Mapping[str, Any]]:
        try:
            rows = await self._ask(
                lambda: self._api.get_transactions(safe, nonce__gte=since, limit=PAGE, offset=offset, ordering="nonce")
            )
        except self._refusal as error:
            raise SourceDown(
                f"{self.name} does not list the transactions of Safe {safe}: {_short(error)}",
                advice="Check the URL and the API key of `safe.service`; nothing was proposed.",
            ) from None
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise _malformed(self.name, "no list of transactions")
        return rows

    def _known(self, row: Mapping[str, Any], safe: Address, chain_id: int) -> KnownProposal:
        try:
            transaction = SafeTransaction(
                chain_id=chain_id,
                safe=safe,
                nonce=int(row["nonce"]),
                to=_address(row["to"]),
                value=int(row["value"]),
                data=bytes.fromhex((row["data"] or "0x").removeprefix("0x")),
                operation=int(row["operation"]),
                safe_tx_gas=int(row["safeTxGas"]),
                base_gas=int(row["baseGas"]),
                gas_price=int(row["gasPrice"]),
                gas_token=_address(row["gasToken"]),
                refund_receiver=_address(row["refundReceiver"]),
            )
            said, executed, proposer = str(row["safeTxHash"]).lower(), row["isExecuted"] is True, row["proposer"]
            by = None if proposer is None else _address(proposer)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise _malformed(self.name, f"a transaction without the fields of one ({type(error).__name__})") from error
        except DomainError as error:
            raise _malformed(self.name, error.message) from error
        if said != transaction.id:
            raise VerificationFailed(
                f"{self.name} lists a transaction of Safe {safe} as {said[:66]}, and it hashes to {transaction.id}",
                advice="Sign nothing at this service, and tell the Safe's other owners: it shows what is not there.",
            )
        return KnownProposal(transaction, self.name, None, by, executed)

    async def _ask(self, question: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._at.deadline):
                return await asyncio.to_thread(question)
        # What `requests` raises is an OSError, what is no JSON a ValueError. Their text may hold the URL.
        except (OSError, ValueError, TimeoutError) as error:
            raise SourceDown(
                f"{self.name} does not answer: {type(error).__name__}",
                advice="It may have taken a proposal all the same: propose again later, a duplicate is found.",
            ) from None


class ServiceProposals:
    """Proposals at a service, each with its signed file beside it; implements `Proposals`.

    The service says what waits. The files say what ours are for, and which of them were there before.
    """

    def __init__(self, folder: ProposalFolder, service: TransactionService) -> None:
        self._folder = folder
        self._service = service

    async def known(self, state: SafeState) -> tuple[KnownProposal, ...]:
        """What the service lists from the Safe's nonce on, and our past ones. Raises as its two sources."""
        files = {found.transaction.digest: found for found in await self._folder.known(state)}
        listed = await self._service.listed(state.safe, state.chain_id, state.nonce)
        past = [found for found in files.values() if found.transaction.nonce < state.nonce]
        return (*past, *(_with_purpose(found, files) for found in listed))

    async def put(self, signed: SignedProposal) -> str:
        """Keep the file, then propose at the service. Raises as its two parts."""
        file = await self._folder.put(signed)
        await self._service.submit(signed)
        return f"{self._service.name}, {file}"


def _with_purpose(found: KnownProposal, files: Mapping[bytes, KnownProposal]) -> KnownProposal:
    file = files.get(found.transaction.digest)
    return found if file is None else replace(found, purpose=file.purpose, place=f"{found.place}, {file.place}")


def _address(text: object) -> Address:
    return NOBODY if text is None else Address(to_checksum_address(str(text)))


def _short(error: Exception) -> str:
    """What the service said, cut and without what may be secret."""
    text = "".join(letter if letter.isprintable() else " " for letter in str(error))
    return redact_text(text)[:_LONGEST_ANSWER]


def _malformed(name: str, what: str) -> MalformedResult:
    return MalformedResult(
        f"{name} answered with {what}", advice=f"Check that `safe.service.url` is {_WHERE} of the Safe's chain."
    )


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigurationError(
            f"{_WHERE} is asked through safe-eth-py, which is not installed",
            advice=f'Run: pip install "{EXTRA}"',
        ) from None
