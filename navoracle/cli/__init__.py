"""The command line: one module per group of commands.

A module's top imports what its signatures and its tables are made of; what does the work is imported by the function
that does it. So `--help` and a usage error are there at once: `tests/unit/cli/test_startup.py` holds it.
"""
