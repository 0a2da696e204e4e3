"""The read model: funds, frames, evidence, prices, posts, risks, events and alerts, as API and dashboard show them."""
