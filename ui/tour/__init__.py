"""The tour: the real app driven through its main job with real key and mouse events.

It never touches the user's own data and never reaches a client: it plays in a throw-away folder.
"""
