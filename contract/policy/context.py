"""Owns one draft with its facts and bundle, as the detectors look at them.

It never judges anything, and it works out nothing before a rule asks for it.
"""

from __future__ import annotations

import functools
import re
from collections import OrderedDict

from contract.policy.bundle import CompiledBundle
from contract.policy.incremental import DraftScanner
from contract.policy.kept_findings import KeptFindings
from contract.policy.model import ContactPointFacts, Draft, Facts
from contract.policy.text_scan import TextScan

MAX_FILE_SCANS = 24

_JOINTS = re.compile(r"[_.+\-]+")


class ScanMemo:
    """Keeps scans of texts between evaluations of nearly the same draft, for one thread.

    What is decided is the same with and without it. It is bounded, and holds texts of drafts
    and files: clear it when they may no longer be kept.
    """

    def __init__(self) -> None:
        self.findings = KeptFindings()
        self._drafts = DraftScanner()
        self._bundle_hash = ""
        self._draft: TextScan | None = None
        self._files: OrderedDict[str, TextScan] = OrderedDict()

    def draft_scan(self, bundle: CompiledBundle, text: str) -> TextScan:
        """Return the scan of the draft's own text, read anew only where it was edited."""
        self._keep_for(bundle)
        if self._draft is None or self._draft.typed != text:
            self._draft = TextScan(bundle, text, self._drafts.scan(text))
        return self._draft

    def file_scan(self, bundle: CompiledBundle, text: str) -> TextScan:
        """Return the scan of a text that stays the same, the kept one if there is one."""
        self._keep_for(bundle)
        found = self._files.get(text)
        if found is None:
            found = self._files[text] = TextScan(bundle, text)
            if len(self._files) > MAX_FILE_SCANS:
                self._files.popitem(last=False)
        else:
            self._files.move_to_end(text)
        return found

    def forget(self) -> None:
        """Drop all texts kept: when a draft is sent, or the session locks."""
        self.findings = KeptFindings()
        self._drafts.forget()
        self._draft = None
        self._files.clear()

    def _keep_for(self, bundle: CompiledBundle) -> None:
        if bundle.hash != self._bundle_hash:
            self._draft = None
            self._files.clear()
            self._bundle_hash = bundle.hash


class Context:
    """One draft with its facts, and what several rules share, worked out at most once."""

    def __init__(
        self, bundle: CompiledBundle, facts: Facts, draft: Draft, memo: ScanMemo | None = None
    ) -> None:
        self.bundle = bundle
        self.facts = facts
        self.draft = draft
        self.memo = memo
        self._text: TextScan | None = None
        self.has_more_texts = bool(draft.attachments or draft.quoted_text)

    @property
    def text(self) -> TextScan:
        """The draft's own text."""
        if self._text is None:
            typed = self.draft.text
            if self.memo is not None:
                self._text = self.memo.draft_scan(self.bundle, typed)
            else:
                self._text = TextScan(self.bundle, typed)
        return self._text

    @functools.cached_property
    def quoted(self) -> TextScan | None:
        """The text of the message answered, if there is one."""
        return self._unchanging(self.draft.quoted_text) if self.draft.quoted_text else None

    @functools.cached_property
    def files(self) -> list[tuple[str, TextScan]]:
        """The text of each attached file that has any, with the file's SHA-256."""
        files = [file for file in self.draft.attachments if file.text]
        return [(file.sha256, self._unchanging(file.text)) for file in files]

    @functools.cached_property
    def file_names(self) -> list[tuple[str, TextScan]]:
        """The words of each file's name, which the client reads, too, with the file's SHA-256."""
        words = [(file.sha256, _JOINTS.sub(" ", file.name)) for file in self.draft.attachments]
        return [(sha256, self._unchanging(name)) for sha256, name in words if name.strip()]

    def _unchanging(self, text: str) -> TextScan:
        if self.memo is not None:
            return self.memo.file_scan(self.bundle, text)
        return TextScan(self.bundle, text)

    @functools.cached_property
    def points(self) -> tuple[ContactPointFacts, ...]:
        """Facts of the recipients' contact points; one without facts counts as never asked."""
        known = {point.contact_point_id: point for point in self.facts.contact_points}
        contacts = {to.contact_point_id: to.contact_id for to in self.draft.recipients}
        return tuple(
            known.get(point_id)
            or ContactPointFacts(contact_point_id=point_id, contact_id=contact_id)
            for point_id, contact_id in contacts.items()
        )

    def client_language(self) -> str:
        """Return the language of words the client reads: the first recipient's, if known."""
        return next((point.language for point in self.points if point.language), "")
