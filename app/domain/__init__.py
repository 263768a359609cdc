"""Values that cross the client's rooms: ids, rows, change sets, status, errors, clock.

It never does I/O and imports nothing of the client but itself and the contract.
"""
