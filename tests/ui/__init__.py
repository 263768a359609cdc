"""Tests of the window. It never uses a network beyond loopback."""
