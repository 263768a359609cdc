"""The client's frozen values: ids, messages, conversations, change sets and errors.

It does no I/O and imports only the contract.
"""
