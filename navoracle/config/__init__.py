"""Configuration: YAML into models that forbid what they do not know."""
