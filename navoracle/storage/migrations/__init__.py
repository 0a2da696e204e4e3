"""The history of the schema, one file a revision; `navoracle.storage.schema` runs them."""
