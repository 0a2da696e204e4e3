"""Services behind the off-chain port: HTTP and exchanges."""
