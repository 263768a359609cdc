"""One test for each rule of law and of channels that policy, consent and archive decide.

The list with sources and what is still to come stands in docs/compliance.md.
"""
