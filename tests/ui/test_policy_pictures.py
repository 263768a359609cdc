"""Pictures of findings in narrow windows, long words and three scripts, for people to look at.

They never compare pixels: each checks that nothing is pushed out of the window.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from app.domain.drafts import CheckedDraft
from contract.policy.model import Action, Decision, Finding, Fix, FixKind, OverrideKind
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import conversation, decision_of, hana, until, window_over_values
from ui.bridge.spawn import Spawner
from ui.models.conversation_facts import ConversationFacts
from ui.models.draft_policy import PolicyChecks
from ui.theme.fonts import load_fonts
from ui.theme.palette import apply_theme
from ui.theme.tokens import DARK, LIGHT, Tokens

PICTURES = Path("out") / "ui"
_WORDS = {
    "de": (
        "Nicht das Konto dieses Kunden",
        "Diese Kontonummer gehört nicht zu Dr. Maximiliane Freifrau von Hohenstein-Wittgenstein.",
        ("Entfernen", "Entwurf zum richtigen Kunden verschieben…"),
    ),
    "ja": (
        "このお客様の口座ではありません",
        "開いているお客様の口座番号ではありません。伏せるか削除してください。",
        ("削除", "正しいお客様の会話へ下書きを移す…"),
    ),
    "zh": (
        "不是此客户的账户",
        "该账号不属于当前客户。请遮盖或删除。",
        ("删除", "将草稿移至正确的客户…"),
    ),
}


def _findings(language: str, count: int) -> list[Finding]:
    title, detail, (remove, move) = _WORDS[language]
    actions = (Action.BLOCK, Action.JUSTIFY, Action.WARN, Action.APPROVE, Action.HINT)
    return [
        Finding(
            rule_id=f"recipients.wrong-client-{number}",
            action=actions[number % len(actions)],
            confidence=85,
            message_key="other",
            message=title,
            detail=detail,
            start=number * 4,
            end=number * 4 + 3,
            why="GDPR 5(1)(f); Regulation S-P, 17 CFR 248.30",
            fixes=(
                Fix(kind=FixKind.REMOVE, label=remove),
                Fix(kind=FixKind.MOVE, label=move, replacement="talk-2"),
            ),
            override_kind=OverrideKind.FALSE_POSITIVE,
        )
        for number in range(count)
    ]


def _inside(widget: QWidget, window: QWidget) -> bool:
    corner = widget.mapTo(window, QPoint(0, 0))
    end = widget.mapTo(window, QPoint(widget.width(), widget.height()))
    return (
        corner.x() >= 0
        and corner.y() >= 0
        and end.x() <= window.width()
        and (end.y() <= window.height())
    )


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["de", "ja", "zh"])
@pytest.mark.parametrize("size", [(1280, 720), (900, 600)], ids=["1280x720", "smallest"])
def test_findings_leave_room_for_text_button_and_conversation(
    qapp: QApplication, tokens: Tokens, language: str, size: tuple[int, int]
) -> None:
    def check(_: CheckedDraft) -> Decision:
        return decision_of(_findings(language, 7))

    async def work() -> None:
        load_fonts()
        apply_theme(qapp, tokens)
        spawner = Spawner(lambda name, fault: None)
        window = window_over_values(qapp, spawner, PolicyChecks(check, language=lambda: language))
        window.set_tokens(tokens)
        window.show_conversation(ConversationFacts(conversation(), (hana(),)))
        window.resize(*size)
        window.show()
        window.composer.edit.setPlainText("DE89 3704 0044 0532 0130 00 約定 保证 " * 2)
        await until(lambda: bool(window.composer.finding_words()))
        await asyncio.sleep(0.1)
        PICTURES.mkdir(parents=True, exist_ok=True)
        name = f"findings-{language}-{tokens.name}-{size[0]}.png"
        assert window.grab().save(str(PICTURES / name))
        assert _inside(window.composer.send_button, window)
        assert _inside(window.composer.edit, window)
        assert window.timeline.height() >= 60
        links = window.composer.findChildren(QPushButton)
        ends = [one.mapTo(window, QPoint(one.width(), 0)).x() for one in links if one.isVisible()]
        assert max(ends) <= window.composer.mapTo(window, QPoint(window.composer.width(), 0)).x()
        await spawner.close()
        window.close()
        window.deleteLater()

    run_in_qt_loop(qapp, work())
    apply_theme(qapp, LIGHT)
