"""Tests of survival of faults. It never uses a network beyond loopback."""
