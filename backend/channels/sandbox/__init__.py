"""The sandbox: a vendor and the clients' phones that live beside an embedded backend.

It never reaches a network and never reads the backend's database.
"""
