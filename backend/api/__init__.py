"""The HTTP face of the backend: routes, authentication, event stream and OpenAPI.

It never decides policy and never writes to a channel.
"""
