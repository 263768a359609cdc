"""A bundle with a rule of every kind, on both sides and on the server alone, in two languages.

It is no example for a compliance officer: its terms are few and its limits low.
"""

from __future__ import annotations

RULES = """
rules:
  - {id: walls.any, kind: wall, action: block, message: wall, category: Recipients}
  - {id: consent.out, kind: opt_out, action: block, message: plain, category: Consent}
  - id: consent.notice
    kind: recording_notice
    states: [refused]
    action: block
    message: plain
    category: Consent
  - id: consent.opt-in
    kind: opt_in
    states: [not_asked, refused]
    channels: [sms]
    action: warn
    override: allowWithoutJustification
    message: plain
    category: Consent
  - {id: consent.words, kind: opt_out_words, terms: [words/stop.csv], action: log, scope: server,
     message: plain, category: Consent}
  - {id: windows.closed, kind: channel_window, channels: [whatsapp, wechat], action: block,
     message: plain, category: Channel}
  - {id: windows.quiet, kind: quiet_hours, from: "20:00", to: "08:00", action: warn,
     message: plain, category: Channel}
  - {id: numbers.card, kind: payment_card, evidence: words/card.csv, action: block,
     message: named, fixes: [mask, remove], category: Numbers}
  - id: numbers.iban
    kind: iban
    action: justify
    message: named
    own_action: allow
    other_action: block
    other_message: plain
    fixes: [mask, move]
    category: Numbers
  - {id: numbers.ssn, kind: identifier, detect: us_ssn, action: block, message: named,
     fixes: [mask], category: Numbers}
  - {id: numbers.isin, kind: identifier, detect: isin, action: hint, message: named,
     category: Numbers}
  - {id: numbers.phone, kind: identifier, detect: phone, action: hint, message: named,
     category: Numbers}
  - {id: numbers.secret, kind: identifier, detect: secret, action: block, message: named,
     fixes: [remove], category: Numbers}
  - id: accounts.any
    kind: account_number
    own_action: allow
    book_action: block
    book_message: wrong
    other_action: block
    action: block
    message: wrong
    fixes: [move, mask]
    category: Recipients
  - {id: names.any, kind: wrong_client, action: block, message: wrong, fixes: [move, remove],
     category: Recipients}
  - id: words.promise
    kind: lexicon
    terms: [words/promise.csv]
    action: justify
    override: allowFalsePositiveOverride
    message: named
    fixes: [replace]
    category: Words
  - {id: words.ack, kind: regex, pattern: '\\bguess(es|ing)?\\b', action: warn,
     message: named, category: Words}
  - {id: words.exact, kind: regex, pattern: 'PROJECT-[0-9]+', case_sensitive: true, action: approve,
     message: named, category: Words}
  - {id: words.capital, kind: disclaimer, terms: [words/funds.csv], text: risk, action: warn,
     message: plain, fixes: [add_disclaimer], category: Words}
  - {id: gifts.limit, kind: gift, terms: [words/gift.csv], limit_minor: 30000, currency: USD,
     other_limits: {EUR: 28000, JPY: 45000}, unknown_action: hint, unknown_message: plain,
     action: approve, message: named, category: Gifts}
  - {id: reach.retail, kind: retail_reach, limit: 25, action: approve, message: plain,
     category: Reach}
  - {id: files.large, kind: attachment, max_bytes: 1000000, block_types: [video/*], action: block,
     message: named, category: Files}
  - {id: files.locked, kind: attachment, encrypted: true, unread: true, action: approve,
     message: named, category: Files}
  - {id: files.odd, kind: attachment, executable: true, mismatch: true, action: block,
     message: named, category: Files}
  - {id: server.deal, kind: lexicon, scope: server, terms: [words/deals.csv], action: block,
     message: plain, category: Deals}
  - {id: server.watch, kind: regex, scope: server, pattern: 'osprey', action: log,
     message: plain, category: Deals}
"""
MESSAGES = """key,language,title,detail
wall,en,Not allowed with this client,"Ask Compliance, ref. {reference}."
wall,de,Mit diesem Kunden nicht erlaubt,"Fragen Sie Compliance, Ref. {reference}."
wrong,en,Not this client,Move the draft or take it out.
wrong,de,Nicht dieser Kunde,Verschieben oder entfernen Sie es.
plain,en,A rule holds this,
plain,de,Eine Regel steht entgegen,
named,en,“{match}” is held by a rule,
named,de,„{match}“ unterliegt einer Regel,
neutral,en,Held,"Ask Compliance, ref. {reference}."
risk,en,Capital at risk.,
risk,de,Ihr Kapital ist im Risiko.,
fix.mask,en,Mask,
fix.remove,en,Remove,
fix.replace,en,Say “{replacement}”,
fix.move,en,Move to the right conversation,
fix.add_disclaimer,en,Add the disclaimer,
"""
WORDS = {
    "promise": [("guaranteed", "en", "expected"), ("保本保息", "zh", ""), ("元本保証", "ja", "")],
    "card": [("card", "en", ""), ("karte", "de", "")],
    "funds": [("fund", "en", ""), ("fonds", "de", "")],
    "gift": [("gift", "en", ""), ("geschenk", "de", ""), ("礼物", "zh", ""), ("贈り物", "ja", "")],
    "deals": [("falcon", "en", "")],
    "stop": [("stop", "en", ""), ("do not text me", "en", ""), ("退订", "zh", "")],
}


def bundle_files(version: str = "2026.11.1") -> dict[str, bytes]:
    """Return the source files of the bundle."""
    files = {
        "bundle.yaml": f"name: every kind\nversion: {version}\n".encode(),
        "rules.yaml": RULES.encode(),
        "messages.csv": MESSAGES.encode(),
    }
    for name, rows in WORDS.items():
        lines = ["term,language,replacement", *(",".join(row) for row in rows)]
        files[f"words/{name}.csv"] = ("\n".join(lines) + "\n").encode()
    return files
