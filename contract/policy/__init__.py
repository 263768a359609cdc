"""Owns pre-send policy: one pure function and the bundle it reads, the same on both sides.

It never performs I/O, reads a clock or knows which side it runs on.

Callers use: `compile_bundle(files, side) -> CompiledBundle` (bundle.py),
`evaluate(bundle, facts, draft) -> Decision` (evaluate.py) and
`apply_fix(text, finding, fix) -> str` (fixes.py); values are in model.py.
"""
