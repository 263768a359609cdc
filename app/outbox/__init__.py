"""Durable sending: one lane per conversation, with back-off and crash-safe states.

It never decides policy and never delivers to a channel.
"""
