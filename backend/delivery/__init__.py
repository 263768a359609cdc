"""The transactional outbox's workers and the delivery state machine.

It never claims a job whose message is not archived.
"""
