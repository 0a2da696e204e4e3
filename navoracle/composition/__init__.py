"""Builds the system from a configuration: which adapters stand behind which ports. Nothing else builds them."""

from navoracle.composition.plans import plan_from_evidence, resolve, subject_of
from navoracle.composition.system import ChainAccess, System, chain_access, open_system

__all__ = ["ChainAccess", "System", "chain_access", "open_system", "plan_from_evidence", "resolve", "subject_of"]
