"""A sample chatbot: its sources, which are taken in like any others, and what visitors asked it and left."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from atrium.chat.models import Chatbot, ChatMessage, Content, Conversation, Lead, Source, SourceStatus, Speaker
from atrium.database import Base

SAMPLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("samples.toml").read_text(encoding="utf-8"))
ANSWERS = sum(len(conversation["said"]) for conversation in SAMPLE["conversations"])
"""How many messages the sample takes of a plan."""

HOUR_MS = 3_600_000
MINUTE_MS = 60_000


def rows(workspace_id: str, now: int) -> Iterator[Base]:
    """Return the rows of the sample, each after those that it refers to."""
    chatbot = Chatbot(workspace_id=workspace_id, **{name: SAMPLE[name] for name in ("name", "greeting", "fallback")})
    yield chatbot
    sources: dict[str, str] = {}
    for sample in SAMPLE["sources"]:
        body = sample["text"].strip().encode()
        kept = {"kind": sample["kind"], "status": SourceStatus.PENDING, "size_bytes": len(body)}
        source = Source(workspace_id=workspace_id, chatbot_id=chatbot.id, name=sample["name"], **kept)
        sources[source.name] = source.id
        yield source
        yield Content(source_id=source.id, body=body)
    for age_hours, sample in zip(range(len(SAMPLE["conversations"]), 0, -1), SAMPLE["conversations"], strict=True):
        yield from _conversation(sample, chatbot, sources, now - age_hours * HOUR_MS)


def _conversation(sample: Mapping[str, Any], chatbot: Chatbot, sources: Mapping[str, str], at: int) -> Iterator[Base]:
    shared = {"workspace_id": chatbot.workspace_id}
    ended = at + len(sample["said"]) * MINUTE_MS
    conversation = Conversation(
        **shared,
        chatbot_id=chatbot.id,
        channel=sample["channel"],
        visitor_id=sample.get("visitor_id"),
        messages_count=2 * len(sample["said"]),
        created_at=at,
        updated_at=ended,
    )
    yield conversation
    for place, said in enumerate(sample["said"]):
        moment = at + place * MINUTE_MS
        in_it = shared | {"conversation_id": conversation.id}
        yield ChatMessage(**in_it, **_times(moment), author=Speaker.VISITOR, body=said["question"], citations=[], found=None)
        yield ChatMessage(**in_it, **_times(moment + 900), author=Speaker.CHATBOT, **_answer(said, chatbot, sources))
    if lead := sample.get("lead"):
        fields = {"email": lead["email"], "name": lead.get("name")}
        yield Lead(**shared, **_times(ended), **fields, chatbot_id=chatbot.id, conversation_id=conversation.id)


def _answer(said: Mapping[str, str], chatbot: Chatbot, sources: Mapping[str, str]) -> dict[str, Any]:
    if "answer" not in said:
        return {"body": chatbot.fallback, "citations": [], "found": False}
    cited = {"number": 1, "source_id": sources[said["source"]], "source_name": said["source"], "place": said["place"], "url": None}
    return {"body": f"{said['answer']} [1]", "citations": [cited | {"quote": said["answer"]}], "found": True}


def _times(at: int) -> dict[str, int]:
    return {"created_at": at, "updated_at": at}
