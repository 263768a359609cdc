"""The line between a backend and a vendor's peer, which loses or holds one request's answer.

It never changes a byte that passes, and never leaves loopback.
"""

from __future__ import annotations

import asyncio

from tests.support.tcp_proxy import _CHUNK_BYTES, _TICK_S, TcpProxy, _Link


class VendorLine(TcpProxy):
    """A TCP proxy that can also let a request arrive and keep its answer back.

    `lost` and `held` count such answers.
    """

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.lost = self.held = 0
        self._word, self._holds = b"", False

    @property
    def url(self) -> str:
        """Return the address to give instead of the peer's."""
        return f"http://127.0.0.1:{self.port}"

    def lose_answer_to(self, word: bytes) -> None:
        """Let the next request that holds `word` arrive, and end its connection before it answers.

        The peer has done what it was asked by then: its answer had begun to come.
        """
        self._word, self._holds = word, False

    def hold_answer_to(self, word: bytes) -> None:
        """Let the next request that holds `word` arrive, and keep its answer until `restore`."""
        self._word, self._holds = word, True

    def restore(self) -> None:
        """Let everything pass again, what was held first."""
        self._holds = False
        super().restore()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link
    ) -> None:
        target_reader, target = await asyncio.open_connection("127.0.0.1", self._target_port)
        link.writers.append(target)
        answers = asyncio.StreamReader()
        is_losing = is_held = False

        def up(piece: bytes) -> tuple[bytes, bool]:
            nonlocal is_losing, is_held
            if self._word and self._word in piece:
                is_losing, is_held, self._word = not self._holds, self._holds, b""
                self.held += is_held
            return self._spend_up(piece)

        def down(piece: bytes) -> tuple[bytes, bool]:
            if is_losing:
                self.lost += 1
                return b"", True
            return self._spend_down(piece)

        async def take() -> None:
            while data := await target_reader.read(_CHUNK_BYTES):
                while is_held and self._holds:
                    await asyncio.sleep(_TICK_S)
                answers.feed_data(data)
            answers.feed_eof()

        async with asyncio.TaskGroup() as all_three:
            all_three.create_task(self._pump(reader, target, link, up))
            all_three.create_task(take())
            all_three.create_task(self._pump(answers, writer, link, down))
