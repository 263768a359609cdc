"""A process that runs the real program over a folder, with what a test wants done in its window.

It reads one JSON line (`Orders`) and says JSON lines: `mark`, `typed`, `shown`, `saved`, `done`.
It never replaces anything of the program but where its key and IT's settings come from.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from app.session.keys import DataFolder, MasterKey

SECRET = b"k" * 32
_LOOK_EVERY_MS = 20


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """`installer` and `managed` are files of settings; `type` is typed once the window is ready.

    `commit` then has the session ask for everything to be saved, and the process die at once.
    On the page of a computer that is not set up the button `not_set_up` is pressed, once IT has set
    the address (`again`) or without it (`sample`).
    """

    arguments: tuple[str, ...]
    installer: str = ""
    managed: str = ""
    type: str = ""
    commit: bool = False
    not_set_up: str = ""
    without_streams: bool = False


def tell(event: str, **fields: Any) -> None:
    """Say one line at once."""
    os.write(1, json.dumps({"event": event, **fields}).encode() + b"\n")


class Hand:
    """Does in the window what was ordered, and tells what it shows."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._timer: Any = None
        self._typed = False
        self._said = ""

    def on_mark(self, name: str) -> None:
        """Begin once the program is on its way to the line."""
        tell("mark", name=name)
        if name == "connected":
            self._begin()

    def _begin(self) -> None:
        from PySide6.QtCore import QTimer

        self._timer = QTimer()
        self._timer.timeout.connect(self._look)
        self._timer.start(_LOOK_EVERY_MS)

    def _look(self) -> None:
        from PySide6.QtWidgets import QApplication

        from ui.views.main_window import MainWindow

        for window in QApplication.topLevelWidgets():
            if isinstance(window, MainWindow):
                self._act(window)

    def _act(self, window: Any) -> None:
        talk = window.header.texts()[0]
        says = [*window.banners.texts()]
        found = {
            "talk": talk,
            "minimised": window.isMinimized(),
            "banners": says,
        }
        if json.dumps(found) != self._said:
            self._said = json.dumps(found)
            tell("shown", **found)
        if self._orders.type and talk and not self._typed:
            self._typed = True
            self._type(window)

    def _type(self, window: Any) -> None:
        from PySide6.QtTest import QTest

        window.composer.edit.setFocus()
        QTest.keyClicks(window.composer.edit, self._orders.type)
        tell("typed")
        if self._orders.commit:
            from PySide6.QtCore import QCoreApplication

            import ui.session_end

            application = QCoreApplication.instance()
            assert application is not None
            # What Qt calls when the session asks; its argument can't be made by hand.
            vars(ui.session_end)["SAVE_WITHIN_MS"] = 60_000  # as long as a busy disk takes
            application.findChildren(ui.session_end.SessionEnd)[0].on_commit()
            tell("saved")
            os._exit(9)


def press_on_the_page(orders: Orders) -> None:
    """Have the button pressed once the page stands, and tell what there is by then."""
    import ui.not_set_up as room

    stay = room.stay_until_set_up

    def watched(*given: Any) -> Any:
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication

        def press() -> None:
            for window in QApplication.topLevelWidgets():
                if isinstance(window, room.NotSetUpWindow) and window.isVisible():
                    folder = Path(os.environ["PARLEY_DATA_DIR"])
                    tell(
                        "page",
                        words=window.page.title.text(),
                        made=[one.name for one in folder.iterdir()],
                    )
                    if orders.not_set_up == "again":
                        (folder / "config").mkdir(exist_ok=True)
                        own = folder / "config" / "settings.json"
                        own.write_text('{"BackendUrl": "http://127.0.0.1:9"}', "utf-8")
                    getattr(window.page, orders.not_set_up).click()

        QTimer.singleShot(300, press)
        return stay(*given)

    vars(room)["stay_until_set_up"] = watched


def main() -> int:
    """Run the program as `python -m ui` does, but for its key and IT's settings."""
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    import app.core
    import app.session.instance_door
    import app.settings.sources
    import ui.start_marks
    from app.session.keys import KeyVault, MasterKey

    class KnownKey(KeyVault):
        """Gives one key, where there is no keyring."""

        def load_or_create(self, paths: DataFolder) -> MasterKey:
            return MasterKey(SECRET)

    vars(app.core)["KeyVault"] = KnownKey
    # A second start waits for the first one's answer, however busy the machine is.
    vars(app.session.instance_door)["_ANSWER_WITHIN_S"] = 60.0
    places = vars(app.settings.sources)
    places["MANAGED_FILE_LINUX"] = Path(orders.managed or "/nowhere/managed.json")
    places["INSTALLER_FILE_LINUX"] = Path(orders.installer or "/nowhere/installer.json")
    vars(ui.start_marks)["mark"] = Hand(orders).on_mark
    import ui.__main__

    if orders.not_set_up:
        press_on_the_page(orders)
    if orders.without_streams:
        sys.stdout = sys.stderr = None  # as in a windowed EXE
    status = ui.__main__.main(orders.arguments)
    tell("done", status=status, modules=sorted(sys.modules))
    return status


if __name__ == "__main__":
    sys.exit(main())
