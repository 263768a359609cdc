"""The installer for macOS: an app bundle and the disk image it comes in, made without a Mac.

It never signs with an identity and never notarises: that is done on a Mac, from what stands here.
"""

# Intel Macs are left out: docs/decisions/0024-apple-silicon-alone.md
ARCHITECTURE = "arm64"
MINIMUM_SYSTEM = (13, 0)
