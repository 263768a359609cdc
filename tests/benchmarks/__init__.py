"""Benchmarks: each figure beside its goal, taken from the real parts on this machine.

No test collects them: `make bench` runs them, and a goal that is missed fails nothing.
"""
