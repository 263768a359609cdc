"""Tests of the project's own checks and test support. It never uses a network beyond loopback."""
