"""Tests of the client's core. It never uses a network beyond loopback."""
