"""Back-tests: the keeper's own frame over recorded prices and a test clock."""
