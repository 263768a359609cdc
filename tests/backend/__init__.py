"""Tests of the backend service. It never uses a network beyond loopback."""
