"""Canonical JSON, commitments and leaves come out as their specifications say.

It takes the figures of RFC 8785 and RFC 6962 by hand, not from our own code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ids import ConversationId, MessageId, uuid7
from contract.receipts.bodies import (
    attachment_commitments,
    message_body,
    submission_body,
    submission_envelope,
)
from contract.receipts.canonical import Canonical, canonical_json
from contract.receipts.leaf import Envelope, body_commitment, leaf_bytes, leaf_hash
from contract.wire import SubmitMessage

SALT = bytes(range(32))
COMMAND = SubmitMessage(
    message_id=MessageId("01900000-0000-7000-8000-000000000001"),
    revision=0,
    text="Grüezi 李伟",
    salt=SALT.hex(),
    composed_at_utc_ms=5,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 8785, section 3.2.2: the literals and the string of its example.
        ([None, True, False], b"[null,true,false]"),
        (
            "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
            b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
        ),
        ("\u2028\u2029\u007f\u0080", '"\u2028\u2029\u007f\u0080"'.encode()),
        ("\b\t\n\f\r\u0000", b'"\\b\\t\\n\\f\\r\\u0000"'),
        ({"peach": 1, "Peach": 2, "p": {"z": [], "a": {}}}, None),
        ({"1": "One", "10": "Ten", "2": "Two"}, b'{"1":"One","10":"Ten","2":"Two"}'),
        ([0, -0, 9007199254740991, -9007199254740991], None),
        ("😀", '"😀"'.encode()),
    ],
)
def test_canonical_form_of_rfc_8785(value: Canonical, expected: bytes | None) -> None:
    made = canonical_json(value)
    if expected is not None:
        assert made == expected
    assert json.loads(made) == value
    assert b" " not in made


def test_keys_are_sorted_by_code_unit() -> None:
    assert canonical_json({"b": 1, "a": 2, "B": 3, "": 4}) == b'{"":4,"B":3,"a":2,"b":1}'


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), 2**53, "\ud800", {"é": 1}, {1: 2}, b"x", [{}.keys()]]
)
def test_what_has_no_canonical_form_is_refused(value: Canonical) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_json(value)


scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()


@given(
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner)
        ),
    )
)
def test_canonical_form_keeps_the_value_and_is_its_own(value: Canonical) -> None:
    made = canonical_json(value)
    again = json.loads(made)
    assert again == value
    assert canonical_json(again) == made


def test_leaf_hash_of_rfc_6962() -> None:
    # RFC 6962, section 2.1, and the leaf hash of the empty entry known from its tests.
    empty = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"").hex() == empty
    assert leaf_hash(b"x") == hashlib.sha256(b"\x00x").digest()


def test_commitment_needs_a_whole_salt() -> None:
    assert body_commitment(SALT, b"a") == hashlib.sha256(SALT + b"a").hexdigest()
    for salt in (b"", SALT[:-1], SALT + b"0"):
        with pytest.raises(ValueError, match="32"):
            body_commitment(salt, b"a")


def test_leaf_is_canonical_and_names_its_version() -> None:
    envelope = submission_envelope(
        COMMAND,
        ConversationId("c-1"),
        firm_id="f",
        employee_id="e",
        decision_hash="d",
        attachment_sha256s=["ab" * 32],
    )
    leaf = leaf_bytes(envelope)
    fields = json.loads(leaf)
    assert fields["v"] == 1
    assert fields["entry_id"] == f"{COMMAND.message_id}.0"
    assert (
        leaf
        == json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    )
    assert msgspec.json.decode(leaf, type=Envelope) == envelope
    assert fields["attachment_commitments"] == [
        hashlib.sha256(SALT + bytes.fromhex("ab" * 32)).hexdigest()
    ]
    assert "Grüezi" not in leaf.decode()


_EMPTY = Envelope(
    firm_id="",
    entry_id="",
    kind="",
    actor_id="",
    conversation_id="",
    message_id="",
    revision=0,
    occurred_at_utc_ms=0,
    body_commitment="",
)


@given(texts=st.lists(st.text(max_size=20), min_size=7, max_size=7), n=st.integers(-(2**60), 2**60))
def test_leaf_is_in_canonical_form_whatever_it_holds(texts: list[str], n: int) -> None:
    names = ("firm_id", "entry_id", "kind", "actor_id", "conversation_id", "message_id", "previous")
    named = dict(zip(names, texts, strict=True))
    envelope = msgspec.structs.replace(
        _EMPTY, **named, revision=n, attachment_commitments=tuple(texts)
    )

    def made(make: Callable[[], bytes]) -> bytes | str:
        try:
            return make()
        except ValueError:
            return "refused"

    fields = msgspec.to_builtins(envelope)
    assert made(lambda: leaf_bytes(envelope)) == made(lambda: canonical_json({"v": 1, **fields}))


def test_each_part_of_a_submission_changes_its_leaf() -> None:
    def leaf(command: SubmitMessage, *digests: str) -> bytes:
        return leaf_bytes(
            submission_envelope(
                command,
                ConversationId("c-1"),
                firm_id="f",
                employee_id="e",
                decision_hash="d",
                attachment_sha256s=digests,
            )
        )

    changes: list[dict[str, object]] = [
        {"text": "Grüezi 李偉"},
        {"salt": SALT[::-1].hex()},
        {"quote_message_id": "m-0"},
        {"justification": "because"},
        {"revision": 1},
        {"composed_at_utc_ms": 6},
    ]
    changed = [
        leaf(msgspec.convert(msgspec.to_builtins(COMMAND) | change, SubmitMessage))
        for change in changes
    ]
    leaves = [leaf(COMMAND), leaf(COMMAND, "ab" * 32), *changed]
    assert len(set(leaves)) == len(leaves)


def test_bodies() -> None:
    assert message_body("a", "", ()) == b'{"attachments":[],"quote":"","text":"a"}'
    assert submission_body(COMMAND, ()) == message_body(COMMAND.text, "", ())
    assert attachment_commitments(SALT, ()) == ()


def test_uuid7_carries_its_time_and_form() -> None:
    # RFC 9562, appendix A.6.
    made = uuid7(0x017F22E279B0, bytes.fromhex("0cc3" + "18c4dc0c0c07398f"))
    assert made == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    for bad in (-1, 1 << 48):
        with pytest.raises(ValueError, match="48"):
            uuid7(bad, bytes(10))
    with pytest.raises(ValueError, match="10"):
        uuid7(0, bytes(9))
