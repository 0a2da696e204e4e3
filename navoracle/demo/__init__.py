"""The demonstration: a small world on an embedded chain, and the keeper at work in it."""
