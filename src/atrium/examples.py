"""What the API's description and its docs show: what fields are, the quickstart's customer, and what hangs on it."""

from typing import Any

FIELDS = {
    "assignee_id": "The member whose task it is; null: nobody's.",
    "author": "Who wrote it, under the name they had then.",
    "body": "The text.",
    "channel": "Where the conversation takes place.",
    "chatbot_id": "The chatbot.",
    "citations": "What of the sources the answer rests on, by the numbers that stand in it in brackets.",
    "conversation_id": "The conversation.",
    "created_at": "When it was made.",
    "customer_id": "The customer, by display_id, id or slug where it is sent, and by id where it is answered.",
    "display_id": "A small number that people know the customer by: it stands in addresses like /customers/245.",
    "domain": "The domain of the customer's own pages.",
    "email": "The email address.",
    "fallback": "What the chatbot says where its sources hold nothing about a question. It should ask for an email address.",
    "found": "Whether the sources hold anything about the question; null for a visitor's message.",
    "greeting": "What the chatbot says first.",
    "id": "The object's id. Ids begin with their time, so they sort.",
    "is_primary": "Whether this is the contact to turn to first. A new one takes the place of the one before.",
    "kind": "What proved who wrote it.",
    "messages_count": "How many messages it has.",
    "name": "The name, for people.",
    "number": "The number in brackets that stands for it in the answer.",
    "object": "What kind of object this is.",
    "passages_count": "How many passages it can be quoted in.",
    "phase": "How far the onboarding has come.",
    "place": "Where in the source it stands: a page, a row, or the headings above it.",
    "quote": "What stands there.",
    "reason": "Why it could not be taken in; null unless it failed.",
    "size_bytes": "How long its content is; null for an address that was not fetched yet.",
    "slug": "The name in addresses, like /customers/aurora: a-z, 0-9 and hyphens. Made from the name where none is sent.",
    "source_id": "The source.",
    "source_name": "The source's name.",
    "space_id": "The space in which it lies.",
    "stage": "How far the onboarding has come.",
    "state": "What it is at this moment.",
    "status": "How far the customer has come.",
    "target_launch_date": "When the customer wants to be live.",
    "title": "What it is about, or what the person does at the customer.",
    "updated_at": "When it was last changed.",
    "url": "The address of a page; null for other kinds.",
    "visitor_id": "The visitor of the widget; null where nobody was told apart.",
}
_TIMES = {"created_at": "2026-05-26T17:21:09.412Z", "updated_at": "2026-05-26T17:21:09.412Z"}
_AUTHOR = {"id": "cl9bn00of0002g7l8a1b2c3d4", "name": "local-dev", "kind": "key"}

NEW_AURORA: dict[str, Any] = {"name": "Aurora Outfitters", "slug": "aurora", "domain": "aurora.com", "status": "onboarding"}
AURORA: dict[str, Any] = {"object": "customer", "id": "cl9bn00of0000g7l8gcq8c4xk", "display_id": 245, **NEW_AURORA, **_TIMES}

NEW_MIRA: dict[str, Any] = {"name": "Mira Chen", "email": "mira@aurora.com", "title": "Head of Ops", "is_primary": True}
MIRA: dict[str, Any] = {"object": "contact", "id": "cl9bn00of0001g7l8h5j6k7m8", "customer_id": AURORA["id"], **NEW_MIRA, **_TIMES}

NEW_LAUNCH: dict[str, Any] = {
    "customer_id": "245",
    "phase": "before_getting_started",
    "state": "active",
    "target_launch_date": "2026-07-15T00:00:00Z",
}
LAUNCH: dict[str, Any] = {
    "object": "onboarding",
    "id": "cl9bn00of0003g7l8n9p0q1r2",
    **NEW_LAUNCH,
    "customer_id": AURORA["id"],
    "name": "Loyalty launch",
    "target_launch_date": "2026-07-15T00:00:00.000Z",
    **_TIMES,
}

NEW_HELLO: dict[str, Any] = {"body": "Aurora goes live on Wednesday."}
HELLO: dict[str, Any] = {
    "object": "message",
    "id": "cl9bn00of0004g7l8s3t4u5v6",
    "space_id": "cl9bn00of0005g7l8w7x8y9z0",
    **NEW_HELLO,
    "author": _AUTHOR,
    **_TIMES,
}

NEW_CALL: dict[str, Any] = {"title": "Call Mira about the launch", "assignee_id": "cl9bn00of0006g7l8a1c2e3g4", "state": "open"}
CALL: dict[str, Any] = {
    "object": "item",
    "id": "cl9bn00of0007g7l8i5k6m7o8",
    "space_id": HELLO["space_id"],
    **NEW_CALL,
    "author": _AUTHOR,
    **_TIMES,
}
