"""Paths and headers of the governed API, written once for both sides.

It never builds a request or a response.
"""

from __future__ import annotations

PREFIX = "/v1"
HEALTH = "/v1/health"
CAPABILITIES = "/v1/capabilities"
ME = "/v1/me"
SNAPSHOT = "/v1/sync/snapshot"
EVENTS = "/v1/events"
EVENTS_POLL = "/v1/events/poll"
CONVERSATIONS = "/v1/conversations"
CONVERSATION = "/v1/conversations/{conversation_id}"
CONVERSATION_MESSAGES = "/v1/conversations/{conversation_id}/messages"
CONVERSATION_READ = "/v1/conversations/{conversation_id}/read"
CONVERSATION_TYPING = "/v1/conversations/{conversation_id}/typing"
MESSAGE = "/v1/messages/{message_id}"
MESSAGE_RESOLVE = "/v1/messages/{message_id}/resolve"
CONTACTS = "/v1/contacts"
CONTACT = "/v1/contacts/{contact_id}"
ATTACHMENTS = "/v1/attachments"
ATTACHMENT = "/v1/attachments/{attachment_id}"
ATTACHMENT_UPLOAD = "/v1/attachments/{attachment_id}/upload"
POLICY_BUNDLE = "/v1/policy/bundle"
ARCHIVE_PROBE = "/v1/diagnostics/archive"
OPENAPI = "/openapi.json"

IDEMPOTENCY_KEY = "Idempotency-Key"
REQUEST_ID = "X-Request-Id"
LAST_EVENT_ID = "Last-Event-ID"
UPLOAD_OFFSET = "Upload-Offset"
CLIENT_VERSION = "X-Parley-Client"
