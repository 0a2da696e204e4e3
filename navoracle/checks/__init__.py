"""`navoracle check`: a whole configuration held against the chains that it names."""
