"""Says where a link of a message leads, before anyone follows it.

It never opens anything.
"""

from __future__ import annotations

from PySide6.QtCore import QUrl


def link_words(url: str) -> str:
    """Return the sentence that names the host and the address as a browser would ask for it.

    Both are ASCII: look-alike letters stand in Punycode (RFC 5890), and whatever poses as a host
    before an "@" does not pass for one. An address no browser could read gives "".
    """
    address = QUrl(url, QUrl.ParsingMode.StrictMode)
    host = address.host(QUrl.ComponentFormattingOption.FullyEncoded)
    if not address.isValid() or address.scheme() not in {"http", "https"} or not host:
        return ""
    encoded = bytes(address.toEncoded().data()).decode("ascii")
    return f"This leaves Parley and opens {host} in your browser: {encoded}"
