"""The pages, one file each. `navoracle.dashboard.registry` lists them."""
