"""Tests of the contract. It never uses a network beyond loopback."""
