"""Owns the calls about supervision: held messages, templates, the book's account keys.

It never decides who may see what: the backend refuses what is not the asker's.
"""

from __future__ import annotations

from backend_client.calls import Caller
from contract import api, supervision
from contract.values import Channel


class SupervisionCalls:
    """What supervisors decide, and what the employee's own book needs for its guards."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def approvals(
        self,
        state: supervision.ApprovalState = supervision.ApprovalState.PENDING,
        cursor: str = "",
        limit: int = 100,
    ) -> supervision.ApprovalPage:
        """Read the held messages the asking supervisor may decide, oldest first."""
        asked = {"state": state.value, "limit": str(limit)}
        asked |= {"cursor": cursor} if cursor else {}
        return await self._caller.get(api.APPROVALS, supervision.ApprovalPage, params=asked)

    async def decide_approval(
        self, approval_id: str, *, approve: bool, note: str = "", key: str = ""
    ) -> supervision.Approval:
        """Let a held message go, or turn it down with a note; the same key decides once."""
        path = api.APPROVAL_DECISION.format(approval_id=approval_id)
        verdict = supervision.ApprovalVerdict(approve=approve, note=note)
        return await self._caller.command("POST", path, verdict, supervision.Approval, key=key)

    async def templates(self, channel: Channel | None = None) -> tuple[supervision.Template, ...]:
        """Read the firm's approved templates, those of one channel when it is given."""
        asked = {"channel": channel.value} if channel is not None else {}
        reply = await self._caller.get(api.TEMPLATES, supervision.TemplateList, params=asked)
        return reply.templates

    async def policy_accounts(self) -> supervision.AccountKeys:
        """Read the keyed hashes of the accounts of the employee's own book."""
        return await self._caller.get(api.POLICY_ACCOUNTS, supervision.AccountKeys)
