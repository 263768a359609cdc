"""Tests of checks, results and logs. It never uses a network beyond loopback."""
