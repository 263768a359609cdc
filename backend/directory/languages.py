"""Owns the guess in which language somebody nobody knows writes, from the script of their words.

It never guesses between languages of one script: there the account's own language holds.
"""

from __future__ import annotations

_SIMPLIFIED = frozenset("们这说时会为请谢问么吗对没过还现发给让谁买卖钱")
_TRADITIONAL = frozenset("們這說時會為請謝問麼嗎對沒過還現發給讓誰買賣錢")


def guessed_language(text: str, account_language: str) -> str:
    """Return ja, zh-Hans or zh-Hant where the script tells, else the account's language."""
    if any("\u3041" <= char <= "\u30ff" for char in text):
        return "ja"
    if not any("\u4e00" <= char <= "\u9fff" for char in text):
        return account_language
    simplified = sum(char in _SIMPLIFIED for char in text)
    traditional = sum(char in _TRADITIONAL for char in text)
    if simplified == traditional:
        spoken = account_language.partition("-")[0]
        return account_language if spoken in ("ja", "zh") else "zh-Hans"
    return "zh-Hans" if simplified > traditional else "zh-Hant"
