"""The connectors to the clients' channels and the contract they share.

It never decides whether a message may go.
"""
