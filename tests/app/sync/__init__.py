"""Proofs of app.sync."""
