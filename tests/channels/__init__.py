"""Connectors against independent peers: programs of others that speak the vendors' protocols.

`make test-channels` installs the peers and sets PARLEY_PEERS; without it these tests are skipped.
"""
