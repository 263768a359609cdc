"""Health checks, logs and the self-test of the running client.

It never lets a message body, name, address or token out.
"""
