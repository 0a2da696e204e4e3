"""The dashboard in a real browser: headless Chromium, for which no other host can be resolved."""
