"""The dialogs a user can meet: passphrase, lost key, faults at start.

They never block the loop; ui.bridge.dialogs opens them.
"""
