"""The window's own words beside a finding, in the languages in which findings speak.

It never words a rule's reason: that comes with the firm's bundle.
"""

from __future__ import annotations

from enum import StrEnum

FALLBACK_LANGUAGE = "en"


class Say(StrEnum):
    """What there is to say; `{file}` is a file's name, `{count}` a number."""

    WHY = "why"
    REASON = "reason"
    ACKNOWLEDGE = "acknowledge"
    ACKNOWLEDGED = "acknowledged"
    REPORT_FALSE = "report_false"
    REPORTED = "reported"
    TAKE_BACK = "take_back"
    REMOVE_FILE = "remove_file"
    IN_FILE = "in_file"
    REASON_LATER = "reason_later"
    APPROVAL_LATER = "approval_later"
    APPROVAL_NEXT = "approval_next"
    RULE = "rule"
    MORE = "more"
    TO_MEND = "to_mend"
    TO_CHECK = "to_check"
    HINT = "hint"


_LANGUAGES = ("en", "de", "fr", "ja", "zh")
_WORDS: dict[Say, tuple[str, str, str, str, str]] = {
    Say.WHY: ("Why?", "Warum?", "Pourquoi ?", "理由を見る", "为什么？"),
    Say.REASON: (
        "Send with reason…",
        "Mit Begründung senden…",
        "Envoyer avec un motif…",
        "理由を添えて送信…",
        "附理由发送…",
    ),
    Say.ACKNOWLEDGE: (
        "Send anyway",
        "Trotzdem senden",
        "Envoyer quand même",
        "このまま送信",
        "仍要发送",
    ),
    Say.ACKNOWLEDGED: (
        "You go on against this.",
        "Sie senden trotzdem.",
        "Vous passez outre.",
        "承知のうえで送信します。",
        "您已知悉并继续。",
    ),
    Say.REPORT_FALSE: (
        "Report as false",
        "Als falsch melden",
        "Signaler comme erreur",
        "誤検出として報告",
        "报告误判",
    ),
    Say.REPORTED: (
        "Reported as false when you send.",
        "Wird beim Senden als falsch gemeldet.",
        "Sera signalé comme erreur à l’envoi.",
        "送信時に誤検出として報告します。",
        "发送时将报告为误判。",
    ),
    Say.TAKE_BACK: ("Take back", "Zurücknehmen", "Annuler", "取り消す", "撤回"),
    Say.REMOVE_FILE: (
        "Remove file",
        "Datei entfernen",
        "Retirer le fichier",
        "ファイルを外す",
        "移除文件",
    ),
    Say.IN_FILE: ("in “{file}”", "in „{file}“", "dans « {file} »", "「{file}」内", "位于“{file}”"),
    Say.REASON_LATER: (
        "once the rest is mended, sending needs a reason.",
        "ist der Rest behoben, braucht das Senden eine Begründung.",
        "une fois le reste corrigé, l’envoi demande un motif.",
        "ほかを直したあと、送信には理由が必要です。",
        "修正其余内容后，发送需要说明理由。",
    ),
    Say.APPROVAL_LATER: (
        "once the rest is mended, it goes to a supervisor first.",
        "ist der Rest behoben, geht es zuerst an die Aufsicht.",
        "une fois le reste corrigé, un responsable doit l’approuver.",
        "ほかを直したあと、まず上長の承認を受けます。",
        "修正其余内容后，须先经主管批准。",
    ),
    Say.APPROVAL_NEXT: (
        "It goes to a supervisor first.",
        "Es geht zuerst an die Aufsicht.",
        "Un responsable doit d’abord l’approuver.",
        "まず上長の承認を受けます。",
        "须先经主管批准。",
    ),
    Say.RULE: ("Rule {rule}", "Regel {rule}", "Règle {rule}", "規則 {rule}", "规则 {rule}"),
    Say.MORE: (
        "{count} more",
        "{count} weitere",
        "{count} de plus",
        "ほか{count}件",
        "还有{count}项",
    ),
    Say.TO_MEND: ("To mend", "Zu beheben", "À corriger", "要修正", "需修改"),
    Say.TO_CHECK: ("Please check", "Bitte prüfen", "À vérifier", "要確認", "请检查"),
    Say.HINT: ("Hint", "Hinweis", "Remarque", "ヒント", "提示"),
}


def say(what: Say, language: str, **places: str | int) -> str:
    """Return the words in a language ("de", "zh-Hans" …), in English where it is not known."""
    short = language.partition("-")[0].lower()
    column = _LANGUAGES.index(short if short in _LANGUAGES else FALLBACK_LANGUAGE)
    words = _WORDS[what][column]
    for name, value in places.items():
        words = words.replace(f"{{{name}}}", str(value))
    return words
