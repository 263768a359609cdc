"""The archive's proofs as this computer checks them: keys, trees, receipts, the alarm.

It never believes a reply: leaves are built from what was sent, keys and trees are kept here.
"""
