"""Builds the system from a configuration: which adapters stand behind which ports. Nothing else builds them."""
