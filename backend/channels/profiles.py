"""What each channel can do as a table of capabilities, taken from the vendors' documents.

It never knows an account: an account may narrow what stands here, never widen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backend.channels.contract import Capabilities, InboundWay, MediaLimit, TextUnit, Window
from contract.wire import Channel, IdempotencyClass

_MB = 1_000_000
_DAY_S = 86_400

CHANNEL_CAPABILITIES: Mapping[Channel, Capabilities] = MappingProxyType(
    {
        # Edits, deletions and the employee's own words come in coexistence only.
        # Graph API v23: biz_opaque_callback_data is repeated in each status.
        Channel.WHATSAPP: Capabilities(
            text_max=4096,
            text_unit=TextUnit.CHARS,
            media={
                "image": MediaLimit(max_bytes=5 * _MB, types=("image/jpeg", "image/png")),
                "audio": MediaLimit(max_bytes=16 * _MB),
                "video": MediaLimit(max_bytes=16 * _MB),
                "document": MediaLimit(max_bytes=100 * _MB),
            },
            reply=True,
            reactions=True,
            edits_in=True,
            deletes_in=True,
            templates=True,
            typing=True,
            mark_read=True,
            receipt_sent=True,
            receipt_delivered=True,
            receipt_read=True,
            groups=True,
            initiate=False,
            window=Window(seconds=_DAY_S),
            idempotency=IdempotencyClass.CLIENT_ECHO,
            echo_of_native=True,
        ),
        # Read marks, deletions and the employee's own words come with business connections only.
        Channel.TELEGRAM: Capabilities(
            text_max=4096,
            text_unit=TextUnit.UTF16,
            media={
                "image": MediaLimit(max_bytes=10 * _MB, types=("image/jpeg", "image/png")),
                "document": MediaLimit(max_bytes=50 * _MB),
            },
            reply=True,
            reactions=True,
            edit_out=True,
            edit_max_age_s=2 * _DAY_S,
            delete_out=True,
            delete_max_age_s=2 * _DAY_S,
            edits_in=True,
            deletes_in=True,
            typing=True,
            mark_read=True,
            groups=True,
            initiate=False,
            inbound=InboundWay.POLL,
            echo_of_native=True,
        ),
        # X-Line-Retry-Key: push requests only.
        Channel.LINE: Capabilities(
            text_max=5000,
            text_unit=TextUnit.UTF16,
            messages_per_request=5,
            media={
                "image": MediaLimit(max_bytes=10 * _MB, types=("image/jpeg", "image/png")),
                "video": MediaLimit(max_bytes=200 * _MB, types=("video/mp4",)),
                "audio": MediaLimit(
                    max_bytes=200 * _MB, types=("audio/mp4", "audio/m4a", "audio/x-m4a")
                ),
            },
            media_by_url=True,
            reply=True,
            edits_in=True,
            deletes_in=True,
            typing=True,
            mark_read=True,
            groups=True,
            initiate=False,
            idempotency=IdempotencyClass.SERVER_KEY,
        ),
        # kf/send_msg takes a msgid of our own; five messages within 48 hours. Outside of them an
        # official account may send template messages (message/template/send).
        Channel.WECHAT: Capabilities(
            text_max=2048,
            text_unit=TextUnit.BYTES,
            media={
                "image": MediaLimit(max_bytes=10 * _MB),
                "document": MediaLimit(max_bytes=20 * _MB),
            },
            templates=True,
            typing=True,
            initiate=False,
            window=Window(seconds=2 * _DAY_S, max_messages=5),
            idempotency=IdempotencyClass.SERVER_KEY,
        ),
        Channel.SIGNAL: Capabilities(
            text_max=2000,
            text_unit=TextUnit.CHARS,
            media={"document": MediaLimit(max_bytes=100 * _MB)},
            reply=True,
            reactions=True,
            edit_out=True,
            edit_max_age_s=_DAY_S,
            delete_out=True,
            delete_max_age_s=_DAY_S,
            edits_in=True,
            deletes_in=True,
            typing=True,
            mark_read=True,
            receipt_delivered=True,
            receipt_read=True,
            groups=True,
            inbound=InboundWay.STREAM,
        ),
        Channel.SMS: Capabilities(
            text_max=1530,
            text_unit=TextUnit.GSM_PARTS,
            receipt_delivered=True,
            inbound=InboundWay.STREAM,
        ),
        Channel.MATRIX: Capabilities(
            text_max=60_000,
            text_unit=TextUnit.BYTES,
            media={"document": MediaLimit(max_bytes=50 * _MB)},
            reply=True,
            reactions=True,
            edit_out=True,
            delete_out=True,
            edits_in=True,
            deletes_in=True,
            typing=True,
            mark_read=True,
            receipt_read=True,
            groups=True,
            idempotency=IdempotencyClass.SERVER_KEY,
            inbound=InboundWay.PUSH_TXN,
        ),
        # Apple Messages for Business needs Apple's approval: history enters by import only.
        Channel.IMESSAGE: Capabilities(
            text_max=20_000, text_unit=TextUnit.CHARS, initiate=False, echo_of_native=True
        ),
    }
)
