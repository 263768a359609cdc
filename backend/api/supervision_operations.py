"""Owns the part of the API's list of operations that serves supervision and policy's facts.

It never carries one out.
"""

from __future__ import annotations

from backend.api import supervision
from backend.api.operation import Answer, Operation
from backend.api.paging import PAGING, choice_parameter
from contract import api
from contract import supervision as values
from contract.problems import ProblemCode
from contract.wire import Channel

_FORBIDDEN = (ProblemCode.FORBIDDEN,)

SUPERVISION = (
    Operation(
        method="GET",
        path=api.APPROVALS,
        name="approvals",
        summary="Held messages that the asking supervisor may decide, oldest first",
        handler=supervision.approvals,
        answers={200: Answer("One page", values.ApprovalPage)},
        parameters=(
            choice_parameter(
                "state", values.ApprovalState, "Those in this state; pending by default."
            ),
            *PAGING,
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
            choice_parameter("state", supervision.QueueState, "Open items by default."),
            choice_parameter("kind", values.ReviewKind, "Items of this kind alone."),
            *PAGING,
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
        parameters=(choice_parameter("channel", Channel, "Those of one channel."),),
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
