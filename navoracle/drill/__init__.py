"""The drill: the faults that a keeper has to survive, put on it on a node of one's own.

A drill runs the real service, its store, its lanes and its guards against a local anvil behind proxies that inject
faults. Funds, limits and lanes are those of a configuration; prices and holdings are made up, and so are all keys.
"""
