"""The parts tests share: fault proxy, vectors and process helpers.

It never replaces a part of Parley by a fake.
"""
