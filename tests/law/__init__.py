"""The rules of law and of channels that policy, consent and archive decide, one test for each.

It does not test rules that come with later work; docs/compliance.md names both.
"""
