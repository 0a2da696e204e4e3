"""The read model: funds, frames, evidence, prices, posts, risks, events and alerts, as API and dashboard show them."""

from navoracle.read_model.funds import FundsQuestion
from navoracle.read_model.model import ReadModel
from navoracle.read_model.sources import FundFacts, Live, Sources

__all__ = ["FundFacts", "FundsQuestion", "Live", "ReadModel", "Sources"]
