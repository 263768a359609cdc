"""Proofs of app.outbox."""
