"""Builds the system from a configuration: which adapters stand behind which ports. Nothing else builds them."""

from navoracle.chain.deploy import NO_ADDRESS, GuardBounds
from navoracle.composition.cadence import watch_of
from navoracle.composition.claims import check_claims
from navoracle.composition.deployment import (
    MAX_POST_AGE,
    Grants,
    Opening,
    RegistryPlan,
    deploy_multicall,
    deploy_planned,
    deployment_chain,
    plan_registry,
)
from navoracle.composition.discovered import Discovery, NamedFeed, Questions
from navoracle.composition.discovery import discover
from navoracle.composition.draft_writing import Wishes
from navoracle.composition.drafting import draft_of
from navoracle.composition.endpoints import chain_reader_at
from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.composition.feeds import DeployedFeeds, FeedsPlan, deploy_feeds, plan_feeds
from navoracle.composition.plans import subject_of
from navoracle.composition.publishers import chains_of_publishers, peer_publisher, resolved_peer
from navoracle.composition.reach import Reach, reach, require_registry
from navoracle.composition.rehearsals import copy_for_rehearsal
from navoracle.composition.requests import drop_folder, request_desk, sign_request
from navoracle.composition.resolving import resolve, resolve_each
from navoracle.composition.service import RunningService, open_service
from navoracle.composition.stores import (
    RehearsalStore,
    current_revision,
    migrate_to,
    newest_revision,
    open_existing_store,
    open_fresh_store,
    open_store,
    rehearsal_store,
    store_exists,
)
from navoracle.composition.system import ChainAccess, System, chain_access, open_system
from navoracle.composition.worlds import RecordedCase, open_world

__all__ = [
    "MAX_POST_AGE",
    "NO_ADDRESS",
    "ChainAccess",
    "DeployedFeeds",
    "Discovery",
    "FeedsPlan",
    "Grants",
    "GuardBounds",
    "NamedFeed",
    "Opening",
    "Questions",
    "Reach",
    "RecordedCase",
    "RegistryPlan",
    "RehearsalStore",
    "RunningService",
    "System",
    "Wishes",
    "chain_access",
    "chain_reader_at",
    "chains_of_publishers",
    "check_claims",
    "copy_for_rehearsal",
    "current_revision",
    "deploy_feeds",
    "deploy_multicall",
    "deploy_planned",
    "deployment_chain",
    "discover",
    "draft_of",
    "drop_folder",
    "migrate_to",
    "newest_revision",
    "open_existing_store",
    "open_fresh_store",
    "open_service",
    "open_store",
    "open_system",
    "open_world",
    "peer_publisher",
    "plan_feeds",
    "plan_from_evidence",
    "plan_registry",
    "reach",
    "rehearsal_store",
    "request_desk",
    "require_registry",
    "resolve",
    "resolve_each",
    "resolved_peer",
    "sign_request",
    "store_exists",
    "subject_of",
    "watch_of",
]
