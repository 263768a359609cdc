"""What a Matrix account needs, the check of its tokens, and its connector.

It never changes the homeserver's configuration.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.contract import Account, Connector
from backend.channels.matrix.calls import CLIENT, MatrixCalls
from backend.channels.matrix.inbound import MatrixInbound
from backend.channels.matrix.outbound import MatrixOutbound
from backend.channels.matrix.rooms import MatrixRooms
from backend.channels.matrix.wire import WhoAmI
from backend.channels.modules import ChannelContext, CheckLine, SettingField
from contract.wire import Channel


class MatrixModule:
    """The module `matrix`; it keeps the protocol ChannelModule."""

    name = "matrix"
    channel = Channel.MATRIX
    needs_public_url = True
    switched_off = ""
    fields = (
        SettingField(name="homeserver_url", words="Address of the homeserver's client API"),
        SettingField(name="user_id", words="Matrix id to write as, within the service's namespace"),
        SettingField(
            name="as_token",
            words="as_token of the registration file",
            secret=True,
            identity="service",
        ),
        SettingField(
            name="hs_token",
            words="hs_token of the registration file",
            secret=True,
            identity="homeserver",
        ),
    )

    def connect(self, context: ChannelContext) -> Connector:
        """Return the connector that serves all Matrix accounts."""
        calls = MatrixCalls(context)
        rooms = MatrixRooms(calls)
        return Connector(outbound=MatrixOutbound(calls, rooms), inbound=MatrixInbound(calls, rooms))

    async def check(self, context: ChannelContext, account: Account) -> tuple[CheckLine, ...]:
        """Ask the homeserver whom the token stands for."""
        calls = MatrixCalls(context)
        try:
            body = await calls.call(account.account_id, "GET", f"{CLIENT}/account/whoami")
            user = msgspec.json.decode(body, type=WhoAmI).user_id
        except (faults.ChannelFault, msgspec.DecodeError) as error:
            reason = error.reason if isinstance(error, faults.ChannelFault) else "No JSON came."
            return (CheckLine(step="credentials", ok=False, words=reason),)
        url = f"{context.public_url}/hooks/matrix/{account.account_id}"
        return (
            CheckLine(step="credentials", ok=True, words=f"The homeserver knows {user}"),
            CheckLine(
                step="registration",
                ok=bool(context.public_url),
                words=f"The registration file's url must be {url}, with receive_ephemeral: true.",
            ),
        )


MODULE = MatrixModule()
