"""A day's use of the app in minutes, watched for growth.

It is not played unless PARLEY_SOAK is set.
"""
