"""Benches print ratios against a yardstick measured in the same run, never absolute promises."""
