"""Builds composers and whole windows over values, for tests that need no core.

It never opens a store or a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from PySide6.QtWidgets import QApplication

from app.domain.drafts import CheckedDraft, Draft
from app.domain.errors import AppError
from app.domain.inbox import InboxCounts, InboxKey, InboxPage, InboxQuery, InboxRow
from app.domain.search import ArchiveAnswer, ArchiveState, SearchResults
from app.domain.timeline import TimelineRow, TimelineWindow
from contract.ids import (
    AttachmentId,
    ContactId,
    ContactPointId,
    ConversationId,
    MessageId,
)
from contract.policy.model import Action, Decision, Finding, Fix, FixKind, OverrideKind
from contract.wire import (
    Attachment,
    Channel,
    Consent,
    ConsentKind,
    ConsentStatus,
    Contact,
    ContactPoint,
    Conversation,
    IdempotencyClass,
    Mode,
    SendCapability,
)
from tests.ui.sample_rows import HOUR_MS, NOW_UTC_MS, sample_inbox, sample_timeline, term_sheet
from ui.bridge.spawn import Spawner
from ui.models.composer_presenter import ComposerPresenter
from ui.models.draft_policy import PolicyChecks
from ui.models.inbox_presenter import InboxPresenter
from ui.models.people_model import PeopleModel
from ui.models.search_presenter import SearchPresenter
from ui.models.timeline_presenter import TimelinePresenter
from ui.theme.tokens import LIGHT
from ui.views.composer import Composer
from ui.views.main_window import MainWindow, WindowParts

CARD = "4111 1111 1111 1111"


class StillClock:
    """A clock that stands."""

    def now_utc_ms(self) -> int:
        return NOW_UTC_MS

    def monotonic_s(self) -> float:
        return 0.0


def conversation(
    number: int = 1, *, mode: Mode = Mode.GOVERNED, closes_in_ms: int | None = 23 * HOUR_MS + 1
) -> Conversation:
    """Return a WhatsApp conversation with Hana whose window closes in `closes_in_ms`."""
    return Conversation(
        conversation_id=ConversationId(f"talk-{number}"),
        version=1,
        channel=Channel.WHATSAPP,
        account_id=sample_inbox()[0].conversation.account_id,
        title="Hana Watanabe",
        mode=mode,
        contact_ids=(ContactId("hana"),),
        initials="HW",
        window_closes_at_utc_ms=None if closes_in_ms is None else NOW_UTC_MS + closes_in_ms,
        send=SendCapability(
            text_max_chars=160,
            attachments=True,
            replies=True,
            typing=True,
            receipts_delivered=True,
            receipts_read=True,
            idempotency=IdempotencyClass.SERVER_KEY,
        ),
    )


def hana(status: ConsentStatus = ConsentStatus.ACCEPTED) -> Contact:
    """Return a contact whose recording consent stands at `status`."""
    point = ContactPoint(
        contact_point_id=ContactPointId("p1"),
        channel=Channel.WHATSAPP,
        mode=Mode.GOVERNED,
        label="+81 •• 12",
    )
    consent = Consent(kind=ConsentKind.RECORDING, status=status, decided_at_utc_ms=1)
    return Contact(
        contact_id=ContactId("hana"),
        version=1,
        display_name="Hana Watanabe",
        initials="HW",
        organisation="Sakura Family Office",
        points=(point,),
        consents=(consent,),
    )


def decide(draft: CheckedDraft) -> Decision | None:
    """Block a card number, ask a reason for "guaranteed"."""
    text = draft.text
    found = [
        *_spans(text, CARD, Action.BLOCK, "A payment card number", FixKind.MASK, "•••• 1111"),
        *_spans(text, "guaranteed", Action.JUSTIFY, "A promise", FixKind.REPLACE, "expected"),
    ]
    return decision_of(found)


def decision_of(found: Sequence[Finding]) -> Decision:
    """Return a decision with these findings, as the evaluator orders them."""
    ordered = sorted(found, key=lambda one: (-one.action.rank, one.start))
    return Decision(
        evaluator_version="1",
        bundle_version="1",
        bundle_hash="",
        facts_hash="",
        draft_hash="",
        findings=tuple(ordered),
        action=max((one.action for one in found), default=Action.ALLOW),
        override_kind=OverrideKind.NOT_ALLOWED,
    )


def _spans(
    text: str, words: str, action: Action, message: str, kind: FixKind, instead: str
) -> list[Finding]:
    start = text.find(words)
    if start < 0:
        return []
    return [
        Finding(
            rule_id=message,
            action=action,
            confidence=85,
            message_key=message,
            message=message,
            start=start,
            end=start + len(words),
            why="A rule of law",
            fixes=(Fix(kind=kind, label=kind.value.capitalize(), replacement=instead),),
        )
    ]


@dataclass
class Outgoing:
    """Takes what a composer sends and saves; `gate` holds a send back, `fault` refuses it."""

    sends: list[tuple[str, str, str]] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    answers: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    drafts: dict[str, Draft] = field(default_factory=dict)
    saves: int = 0
    typed: list[bool] = field(default_factory=list)
    gate: asyncio.Event | None = None
    fault: AppError | None = None
    upload_gate: asyncio.Event | None = None

    async def send(
        self,
        conversation_id: ConversationId,
        text: str,
        *,
        quote: MessageId | None = None,
        attachment_ids: tuple[AttachmentId, ...] = (),
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        false_positives: tuple[str, ...] = (),
        template_id: str = "",
    ) -> MessageId:
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.sends.append((conversation_id, text, justification))
        self.answers.append((acknowledged, false_positives))
        self.drafts.pop(conversation_id, None)
        return MessageId(f"m{len(self.sends)}")

    async def edit_sent(
        self,
        message_id: MessageId,
        text: str,
        *,
        justification: str = "",
        acknowledged: tuple[str, ...] = (),
        false_positives: tuple[str, ...] = (),
    ) -> None:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.edits.append((message_id, text))

    async def save_draft(self, draft: Draft) -> None:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.saves += 1
        self.drafts[draft.conversation_id] = draft

    async def typing(self, conversation_id: ConversationId, typing: bool) -> None:
        self.typed.append(typing)

    async def upload(self, path: Path, progress: Callable[[int, int], None]) -> Attachment:
        if not path.is_file():
            raise FileNotFoundError(path)
        progress(400, 1000)
        if self.upload_gate is not None:
            await self.upload_gate.wait()
        return msgspec.structs.replace(term_sheet(), name=path.name)


@dataclass
class ComposerKit:
    """A composer on screen with what it sends to and every fault it met."""

    outgoing: Outgoing
    presenter: ComposerPresenter
    view: Composer
    spawner: Spawner
    faults: list[str]
    said: list[str]

    async def close(self) -> None:
        """End every task and hide the composer."""
        await self.spawner.close()
        self.view.close()
        self.view.deleteLater()


def composer_kit(checks: PolicyChecks | None = None) -> ComposerKit:
    """Return a shown composer holding an empty draft of conversation 1."""
    outgoing, faults, said = Outgoing(), list[str](), list[str]()
    spawner = Spawner(lambda name, fault: faults.append(f"{name}:{fault.code}"))
    presenter = ComposerPresenter(
        outgoing, checks or PolicyChecks(decide), spawner, StillClock().now_utc_ms
    )
    presenter.announced.connect(said.append)
    view = Composer(presenter, LIGHT)
    view.resize(700, 300)
    view.show()
    presenter.show(conversation(), (hana(),), None)
    view.edit.setFocus()
    return ComposerKit(outgoing, presenter, view, spawner, faults, said)


class InboxValues:
    """An inbox that never changes."""

    async def page(self, query: InboxQuery, limit: int, after: InboxKey | None) -> InboxPage:
        return InboxPage(tuple(sample_inbox()), None)

    async def keys(
        self, query: InboxQuery, limit: int, after: InboxKey | None
    ) -> tuple[InboxKey, ...]:
        return ()

    async def rows(self, conversation_ids: Collection[ConversationId]) -> tuple[InboxRow, ...]:
        return tuple(
            r for r in sample_inbox() if r.conversation.conversation_id in conversation_ids
        )

    async def counts(self, now_utc_ms: int, expiring_before_utc_ms: int) -> InboxCounts:
        return InboxCounts(10, 3, 4, 2)


class TimelineValues:
    """A timeline that never changes."""

    async def around(
        self,
        conversation_id: ConversationId,
        anchor: MessageId | None = None,
        before: int = 60,
        after: int = 60,
    ) -> TimelineWindow:
        return TimelineWindow(conversation_id, tuple(sample_timeline()), False, False)

    async def older(
        self, conversation_id: ConversationId, first: MessageId, limit: int = 60
    ) -> TimelineWindow:
        return TimelineWindow(conversation_id, (), False, True)

    async def newer(
        self, conversation_id: ConversationId, last: MessageId, limit: int = 60
    ) -> TimelineWindow:
        return TimelineWindow(conversation_id, (), True, False)

    async def rows(
        self, conversation_id: ConversationId, message_ids: object
    ) -> tuple[TimelineRow, ...]:
        return ()

    async def first_new(
        self, conversation_id: ConversationId, read_upto_utc_ms: int
    ) -> MessageId | None:
        return None

    async def first_from(self, conversation_id: ConversationId, at_utc_ms: int) -> MessageId | None:
        return None


class NothingFound:
    """A search without hits."""

    def search(
        self,
        text: str,
        limit_people: int,
        limit_messages: int,
        *,
        home: ConversationId | None = None,
        below_row: int | None = None,
    ) -> asyncio.Future[SearchResults]:
        return asyncio.ensure_future(self._search(text, below_row))

    async def _search(self, text: str, below_row: int | None) -> SearchResults:
        return SearchResults(text, (), (), 1.0)

    async def ask_archive(self, text: str, cursor: str = "") -> ArchiveAnswer:
        return ArchiveAnswer(ArchiveState.ANSWERED)

    async def names(self, typed: str) -> tuple[str, ...]:
        return ()

    async def titles(self, typed: str) -> tuple[str, ...]:
        return ()


def window_over_values(
    application: QApplication, spawner: Spawner, checks: PolicyChecks | None = None
) -> MainWindow:
    """Return a window whose inbox and timeline hold the sample rows once their reads ran."""
    clock = StillClock()
    inbox = InboxPresenter(InboxValues(), clock, spawner.spawn, application)
    timeline = TimelinePresenter(TimelineValues(), clock, spawner.spawn, application)
    composer = ComposerPresenter(
        Outgoing(), checks or PolicyChecks(decide), spawner, clock.now_utc_ms, application
    )
    search = SearchPresenter(NothingFound(), spawner, clock.now_utc_ms, application)
    people = PeopleModel(application)
    people.set_contacts([hana()])
    window = MainWindow(WindowParts(inbox, timeline, composer, search, people, "0.1.0"), LIGHT)
    inbox.refresh()
    timeline.open(ConversationId("talk-1"), "Hana Watanabe")
    composer.show(conversation(), (hana(),), None)
    return window


async def until_filled(window: MainWindow) -> None:
    """Return once the window's list and timeline show what was read for them."""
    models = (window.inbox.list.model(), window.timeline.presenter.model)
    await until(lambda: all(model.rowCount() > 0 for model in models))


async def until(condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Return once `condition` holds; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)
