"""Signed requests: what guardians, managers, RISK and the risk engine ask of the keeper, verified and taken once."""
