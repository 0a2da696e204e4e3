"""How the keeper is watched: its logs."""
