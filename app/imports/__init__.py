"""What an import from a phone takes on this computer: reading, likenesses, keeping, uploading.

It never decides who somebody is and never shows anything.
"""
