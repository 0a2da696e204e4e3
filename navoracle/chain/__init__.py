"""Chains: nodes, pinned reads through Multicall3, transactions and signers, deployment, the embedded chain."""
