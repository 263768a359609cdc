"""Facts for the evaluator and the decisions taken on submissions.

It never delivers and never changes an archived entry.
"""
