"""Serves the wire of imports from values that tests set, beside the small world's other routes.

It never reads a file and never stores a message: for that, tests start the real backend.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract import api, wire
from contract.ids import ConversationId
from contract.import_wire import ConfirmImport, ImportPhase, ImportStatus, StageImport
from contract.problems import ProblemCode
from tests.app.small_backend import SmallBackend, problem

IMPORT_ID = "import-1"
_FIGURES = {"new": 5, "known": 2, "unidentified": 1, "files": 1, "notes": ("A note.",)}


class ImportWorld(SmallBackend):
    """`steps` are the phases that each look at the import finds, the last one for good.

    `staged` and `confirmed` hold what was asked, `forgotten` how often an import was deleted.
    `moved` refuses the next confirmation because other figures hold by now.
    """

    def __init__(self) -> None:
        super().__init__(conversations=1, messages=1)
        self.steps = [ImportPhase.READING, ImportPhase.READY]
        self.staged: list[StageImport] = []
        self.confirmed: list[int] = []
        self.forgotten = 0
        self.moved = False
        self.gone = False
        self.port = 0
        self.app.router.routes[:0] = [
            Route(api.IMPORT_FILES, self._announce, methods=["POST"]),
            Route(api.IMPORTS, self._stage, methods=["POST"]),
            Route(api.IMPORT_CONFIRM, self._confirm, methods=["POST"]),
            Route(api.IMPORT, self._status, methods=["GET"]),
            Route(api.IMPORT, self._forget, methods=["DELETE"]),
        ]

    def original(self) -> bytes:
        """Return the bytes of the file that came."""
        ((_, data),) = self.files.values()
        return bytes(data)

    async def _stage(self, request: Request) -> Response:
        if spoilt := self._spoilt(request):
            return spoilt
        self.staged.append(msgspec.json.decode(await request.body(), type=StageImport))
        self.gone = False
        return self._answer(202)

    async def _status(self, request: Request) -> Response:
        if self.gone:
            return problem(ProblemCode.NOT_FOUND)
        if spoilt := self._spoilt(request):
            return spoilt
        answer = self._answer(200)
        if len(self.steps) > 1:
            self.steps.pop(0)
        return answer

    async def _confirm(self, request: Request) -> Response:
        if self.moved:
            self.moved = False
            return problem(ProblemCode.CONFLICT)
        asked = msgspec.json.decode(await request.body(), type=ConfirmImport)
        self.confirmed.append(asked.expected_new)
        self.steps = [ImportPhase.RECORDING, ImportPhase.DONE]
        return self._answer(200)

    async def _forget(self, request: Request) -> Response:
        self.forgotten += 1
        if self.gone:
            return problem(ProblemCode.NOT_FOUND)
        self.gone = True
        return Response(msgspec.json.encode(wire.Done()), media_type="application/json")

    def _answer(self, status: int) -> Response:
        asked, phase = self.staged[-1], self.steps[0]
        made = ImportStatus(
            import_id=IMPORT_ID,
            phase=phase,
            source=asked.source,
            file_name="chat.zip",
            file_sha256=asked.sha256,
            size_bytes=1,
            staged_at_utc_ms=1,
            done=1,
            total=2,
            problem="None of your clients is in it." if phase is ImportPhase.REFUSED else "",
            conversation_id=ConversationId("c0" if phase is ImportPhase.DONE else ""),
        )
        made = msgspec.structs.replace(made, **_FIGURES)
        return Response(msgspec.json.encode(made), status, media_type="application/json")
