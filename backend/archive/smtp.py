"""Owns one SMTP conversation with a journal sink: connect, hand over mails, say how each fared.

It never counts a mail as handed over without the server's 250 for all of its recipients.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from socket import SHUT_RDWR

SECURITIES = ("none", "starttls", "tls")
TIMEOUT_S = 60.0
_CLOSING = 421


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkServer:
    """Where a sink takes its mail; `ca_file` replaces the system's authorities when given."""

    host: str
    port: int
    security: str = "starttls"
    username: str = ""
    password: str = ""
    ca_file: str = ""
    timeout_s: float = TIMEOUT_S


class SinkUnreachable(Exception):
    """No mail can be handed over now; `code` is a stable word without content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MailRefused(Exception):
    """The server answered, but did not take this mail; `code` names its SMTP reply."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SmtpLine:
    """One open connection to a sink; all methods block: call them in a thread."""

    def __init__(self, server: SinkServer, greeting_name: str) -> None:
        """Connect, secure and sign in; raises SinkUnreachable."""
        try:
            self._smtp = _connect(server, greeting_name)
        except smtplib.SMTPResponseException as error:
            raise SinkUnreachable(f"smtp_{error.smtp_code}") from error
        except smtplib.SMTPNotSupportedError as error:
            raise SinkUnreachable("starttls_not_offered") from error
        except ssl.SSLError as error:
            raise SinkUnreachable("tls_failed") from error
        except TimeoutError as error:
            raise SinkUnreachable("timeout") from error
        except (smtplib.SMTPException, OSError) as error:
            raise SinkUnreachable("no_connection") from error

    def send(self, sender: str, recipients: Sequence[str], mail: bytes) -> None:
        """Hand one mail over; raises MailRefused, or SinkUnreachable when the line broke."""
        try:
            refused = self._smtp.sendmail(sender, list(recipients), mail)
        except smtplib.SMTPServerDisconnected as error:
            raise SinkUnreachable("line_dropped") from error
        except smtplib.SMTPResponseException as error:
            if error.smtp_code == _CLOSING:
                raise SinkUnreachable("smtp_421") from error
            raise MailRefused(f"smtp_{error.smtp_code}") from error
        except smtplib.SMTPRecipientsRefused as error:
            raise MailRefused(_first_code(error.recipients)) from error
        except smtplib.SMTPException as error:
            raise MailRefused("smtp_refused") from error
        except OSError as error:
            raise SinkUnreachable("line_dropped") from error
        if refused:
            raise MailRefused(_first_code(refused))

    def close(self) -> None:
        """Say goodbye; a line already broken is no error."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self._smtp.quit()
        self._smtp.close()

    def abort(self) -> None:
        """Cut the line at once, from any thread; a send under way ends with SinkUnreachable."""
        socket = self._smtp.sock
        if socket is not None:
            with contextlib.suppress(OSError):
                socket.shutdown(SHUT_RDWR)
            socket.close()


def _connect(server: SinkServer, greeting_name: str) -> smtplib.SMTP:
    where = (server.host, server.port)
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            *where, greeting_name, timeout=server.timeout_s, context=_context(server)
        )
    else:
        smtp = smtplib.SMTP(*where, greeting_name, timeout=server.timeout_s)
    try:
        if server.security == "starttls":
            smtp.starttls(context=_context(server))
        if server.username:
            smtp.login(server.username, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _context(server: SinkServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file or None)


def _first_code(refused: dict[str, tuple[int, bytes]]) -> str:
    return f"smtp_{next(iter(refused.values()))[0]}"
