"""navoracle: compute the net asset value of on-chain vaults, guard it, post it, and leave evidence to recompute it."""

__version__ = "0.1.0"
