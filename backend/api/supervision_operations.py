"""Owns the part of the API's list of operations that serves supervision and policy's facts.

It never carries one out.
"""

from __future__ import annotations

from enum import StrEnum

from backend.api import supervision
from backend.api.operation import Answer, JsonValue, Operation, Parameter
from contract import api
from contract import supervision as values
from contract.problems import ProblemCode
from contract.wire import Channel

_FORBIDDEN = (ProblemCode.FORBIDDEN,)
_PAGING = (
    Parameter(
        "cursor", "query", {"type": "string"}, "The next_cursor of the page before; empty to begin."
    ),
    Parameter(
        "limit", "query", {"type": "integer", "minimum": 1, "maximum": 500}, "Rows on a page."
    ),
)


def _one_of(name: str, kind: type[StrEnum], about: str) -> Parameter:
    schema: dict[str, JsonValue] = {
        "type": "string",
        "minLength": 1,
        "maxLength": 32,
        "pattern": f"^({'|'.join(member.value for member in kind)})$",
    }
    return Parameter(name, "query", schema, about)


SUPERVISION = (
    Operation(
        method="GET",
        path=api.APPROVALS,
        name="approvals",
        summary="Held messages that the asking supervisor may decide, oldest first",
        handler=supervision.approvals,
        answers={200: Answer("One page", values.ApprovalPage)},
        parameters=(
            _one_of("state", values.ApprovalState, "Those in this state; pending by default."),
            *_PAGING,
        ),
        problems=_FORBIDDEN,
    ),
    Operation(
        method="POST",
        path=api.APPROVAL_DECISION,
        name="decide_approval",
        summary="Approve or reject a held message; a block of today wins over an approval",
        handler=supervision.approval_decision,
        answers={200: Answer("The approval as it is now", values.Approval)},
        body=values.ApprovalVerdict,
        problems=(ProblemCode.CONFLICT,),
        command=True,
    ),
    Operation(
        method="GET",
        path=api.REVIEWS,
        name="reviews",
        summary="Compliance's review queue, oldest first; reading is no review",
        handler=supervision.reviews,
        answers={200: Answer("One page", values.ReviewPage)},
        parameters=(
            _one_of("state", supervision.QueueState, "Open items by default."),
            _one_of("kind", values.ReviewKind, "Items of this kind alone."),
            *_PAGING,
        ),
        problems=_FORBIDDEN,
    ),
    Operation(
        method="GET",
        path=api.REVIEW,
        name="review",
        summary="One item of the review queue; reading is no review",
        handler=supervision.review,
        answers={200: Answer("The item", values.ReviewItem)},
        problems=_FORBIDDEN,
    ),
    Operation(
        method="POST",
        path=api.REVIEW_ACTIONS,
        name="review_action",
        summary="One step of a review: reviewer, item, date and action are archived",
        handler=supervision.review_action,
        answers={200: Answer("The item as it is now", values.ReviewItem)},
        body=values.ReviewCommand,
        problems=(ProblemCode.CONFLICT,),
        command=True,
        needs_writer=False,
    ),
    Operation(
        method="GET",
        path=api.TEMPLATES,
        name="templates",
        summary="The channels' approved templates of the firm, by name",
        handler=supervision.templates,
        answers={200: Answer("The templates", values.TemplateList)},
        parameters=(_one_of("channel", Channel, "Those of one channel."),),
    ),
    Operation(
        method="GET",
        path=api.POLICY_ACCOUNTS,
        name="policy_accounts",
        summary="Keyed hashes of the accounts of the employee's own book",
        handler=supervision.policy_accounts,
        answers={200: Answer("The hashes", values.AccountKeys)},
    ),
)
