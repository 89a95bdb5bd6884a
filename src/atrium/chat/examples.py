"""What the description of the API shows of chat."""

from typing import Any

_TIMES = {"created_at": "2026-05-26T17:21:09.412Z", "updated_at": "2026-05-26T17:21:09.412Z"}
FALLBACK = "I found nothing about that. Leave your email address, and somebody will answer you."

NEW_HELPER: dict[str, Any] = {"name": "Help desk", "greeting": "Hello! Ask me anything about our shop."}
HELPER: dict[str, Any] = {"object": "chatbot", "id": "cl9bn00of0010g7l8b3c4d5e6", **NEW_HELPER, "fallback": FALLBACK, **_TIMES}

NEW_RETURNS: dict[str, Any] = {
    "chatbot_id": HELPER["id"],
    "kind": "markdown",
    "name": "Returns",
    "text": "# Returns\n\nYou can return anything within 30 days.",
}
RETURNS: dict[str, Any] = {
    "object": "source",
    "id": "cl9bn00of0011g7l8f7g8h9i0",
    "chatbot_id": HELPER["id"],
    "name": "Returns",
    "kind": "markdown",
    "url": None,
    "status": "ready",
    "reason": None,
    "size_bytes": 52,
    "passages_count": 1,
    **_TIMES,
}
NEW_QUESTION: dict[str, Any] = {"body": "How long can I return something?"}
TALK: dict[str, Any] = {
    "object": "conversation",
    "id": "cl9bn00of0012g7l8j1k2l3m4",
    "chatbot_id": HELPER["id"],
    "channel": "api",
    "visitor_id": None,
    "messages_count": 2,
    **_TIMES,
}
ANSWER: dict[str, Any] = {
    "object": "chat_message",
    "id": "cl9bn00of0013g7l8n5o6p7q8",
    "conversation_id": TALK["id"],
    "author": "chatbot",
    "body": "You can return anything within 30 days. [1]",
    "citations": [
        {
            "number": 1,
            "source_id": RETURNS["id"],
            "source_name": "Returns",
            "place": "Returns",
            "url": None,
            "quote": "You can return anything within 30 days.",
        }
    ],
    "found": True,
    **_TIMES,
}
NEW_LEAD: dict[str, Any] = {
    "chatbot_id": HELPER["id"],
    "conversation_id": TALK["id"],
    "email": "mira@aurora.com",
    "name": "Mira Chen",
}
LEAD: dict[str, Any] = {"object": "lead", "id": "cl9bn00of0014g7l8r9s0t1u2", **NEW_LEAD, **_TIMES}
