"""Proposals to a Safe: what the keeper would send, signed by its key, for a Safe's owners to check and execute."""

from navoracle.safe.account import SafeChain, SafeState, read_safe
from navoracle.safe.calls import DecodedCall, SafeCall
from navoracle.safe.desk import Outcome, ProposalDesk
from navoracle.safe.document import Proposal, SignedProposal, check_signatures, parse_proposal
from navoracle.safe.examine import Check, Examination, examine
from navoracle.safe.folder import ProposalFolder
from navoracle.safe.known import KnownProposal, Placement, Proposals, Standing
from navoracle.safe.purpose import Purpose
from navoracle.safe.service import ServiceProposals, TransactionService
from navoracle.safe.transaction import SafeTransaction

__all__ = [
    "Check",
    "DecodedCall",
    "Examination",
    "KnownProposal",
    "Outcome",
    "Placement",
    "Proposal",
    "ProposalDesk",
    "ProposalFolder",
    "Proposals",
    "Purpose",
    "SafeCall",
    "SafeChain",
    "SafeState",
    "SafeTransaction",
    "ServiceProposals",
    "SignedProposal",
    "Standing",
    "TransactionService",
    "check_signatures",
    "examine",
    "parse_proposal",
    "read_safe",
]
