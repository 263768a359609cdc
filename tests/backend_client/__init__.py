"""Tests of the client of the governed API. It never uses a network beyond loopback."""
