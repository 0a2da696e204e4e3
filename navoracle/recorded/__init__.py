"""Recorded price series and documents: what is read off chain."""
