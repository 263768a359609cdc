"""Owns the block of accounts that ask first: nothing but the question goes before it is accepted.

It never weighs anything else, and no bundle switches it off: the account says so, not a rule.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from backend.directory.people import read_contacts
from contract.policy.facts import consent_of
from contract.policy.model import Action, Decision, Finding, OverrideKind
from contract.wire import ConsentKind, ConsentStatus, Conversation, Me

RULE_ID = "consent.opt-in-first"
_WHY = "MiFID II article 16(7), Delegated Regulation 2017/565 article 76; GDPR article 7"
_TITLES = {
    "de": "Der Kunde hat der Aufzeichnung hier noch nicht zugestimmt",
    "en": "The client has not agreed to being recorded here yet",
    "fr": "Le client n’a pas encore accepté l’enregistrement ici",
    "ja": "お客様はこのチャネルでの記録にまだ同意していません",
    "zh": "客户尚未同意在此渠道录存消息",
    "zh-Hant": "客戶尚未同意在此渠道錄存訊息",
}
_DETAILS = {
    "de": "Parley fragt zuerst. Nach der Zustimmung können Sie senden; Ihr Text bleibt hier.",
    "en": "Parley asks first. You can send once they agree; your text stays here.",
    "fr": "Parley demande d’abord. Vous pourrez envoyer après accord ; votre texte reste ici.",
    "ja": "Parleyが先に確認します。同意が得られたら送信できます。文章はここに残ります。",
    "zh": "Parley会先征求同意。客户同意后即可发送；您的文字保留在此。",
    "zh-Hant": "Parley會先徵求同意。客戶同意後即可傳送；您的文字保留在此。",
}
_GROUP = "This account asks each client first, and a group can’t be asked: write to them alone."


def with_consent_first(
    connection: Connection, me: Me, conversation: Conversation, decision: Decision
) -> Decision:
    """Return the decision, a block where the account asks first and not everybody has accepted."""
    finding = _missing(connection, me, conversation)
    if finding is None:
        return decision
    return msgspec.structs.replace(
        decision,
        findings=(finding, *decision.findings),
        action=Action.BLOCK,
        override_kind=OverrideKind.NOT_ALLOWED,
    )


def is_to_be_asked(connection: Connection, me: Me, conversation: Conversation) -> bool:
    """Tell whether the account asks first and not everybody there has accepted."""
    return _missing(connection, me, conversation) is not None


def _missing(connection: Connection, me: Me, conversation: Conversation) -> Finding | None:
    if not conversation.consent_first:
        return None
    people = read_contacts(connection, me.employee_id, conversation.contact_ids)
    accepted = {
        person.contact_id
        for person in people
        if consent_of(person.consents, ConsentKind.RECORDING, conversation.channel)
        is ConsentStatus.ACCEPTED
    }
    missing = tuple(one for one in conversation.contact_ids if one not in accepted)
    if not missing and not conversation.group:
        return None
    detail = _GROUP if conversation.group else _in_language(_DETAILS, me.language)
    return Finding(
        rule_id=RULE_ID,
        action=Action.BLOCK,
        confidence=85,
        message_key="opt-in-first",
        message=_in_language(_TITLES, me.language),
        detail=detail,
        category="Consent",
        why=_WHY,
        contact_ids=missing,
    )


def _in_language(words: dict[str, str], language: str) -> str:
    found = words.get(language) or words.get(language.partition("-")[0])
    return found or words["en"]
