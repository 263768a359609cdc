"""A day's use of the app in minutes, watched for growth; left out unless PARLEY_SOAK is set."""
