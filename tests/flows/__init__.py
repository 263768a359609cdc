"""Tests of whole flows through app and backend. It never uses a network beyond loopback."""
