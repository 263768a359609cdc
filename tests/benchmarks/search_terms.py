"""Owns the fifty terms that are searched for: Latin and Chinese, Japanese, Korean, Thai.

It never changes with the data: some terms are in every tenth message, some in few, one in none.
"""

from __future__ import annotations

LATIN = (
    *("quarterly", "settle", "Zürich", "thank", "portfolio", "invoice", "moth", "gold", "tomorrow"),
    *(
        "signature",
        "per cent",
        "bran",
        "KC-4",
        "holiday",
        "committee",
        "pledged",
        "urgent",
        "Depot",
    ),
    *(
        "virement",
        "obligations",
        "café",
        "a",
        "the quar",
        "12",
        "fee",
        "order",
        "liquidity",
        "risk",
    ),
    *("mortgage", "review next"),
)
CJK = (
    *("会", "会議", "四半期", "季度报告", "金", "金利", "黄金的仓位", "存", "手数料", "您"),
    *("承知しました", "利率", "残高", "账户对账单", "木曜", "보고서", "금리", "東京", "ค่า", "谢"),
)
