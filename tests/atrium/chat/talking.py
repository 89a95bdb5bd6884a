"""Chatbots as a caller sees them: made, fed and asked."""

import asyncio
import zlib
from typing import Any

from tests.atrium.host import Host

HANDBOOK = """# Orders

## Shipping

We ship to 40 countries. A parcel within Europe takes three working days, and one overseas up to ten.

## Returns

You can return anything within 30 days. We refund the price when the parcel has arrived.

# Loyalty

Members collect one point for each euro. Points expire after two years.
"""


async def chatbot(host: Host, **fields: Any) -> str:
    """Make a chatbot, and return its id."""
    return str((await host.post("/chatbots", {"name": "Help desk", **fields})).json()["id"])


async def feed(host: Host, chatbot_id: str, text: str = HANDBOOK, name: str = "Handbook", kind: str = "markdown") -> dict[str, Any]:
    """Give a chatbot a source, and return it when it was taken in."""
    made = await host.post("/sources", {"chatbot_id": chatbot_id, "kind": kind, "name": name, "text": text})
    assert (201, "pending") == (made.status_code, made.json()["status"]), made.text
    return await taken_in(host, made.json()["id"])


async def upload(host: Host, chatbot_id: str, filename: str, content: bytes, **fields: str) -> dict[str, Any]:
    """Send a file, and return its source when it was taken in."""
    made = await send(host, chatbot_id, filename, content, **fields)
    assert 201 == made.status_code, made.text
    return await taken_in(host, made.json()["id"])


async def send(host: Host, chatbot_id: str, filename: str, content: bytes, **fields: str) -> Any:
    """Send a file, and return the answer."""
    headers = {"Authorization": f"Bearer {host.secret}"}
    form = {"chatbot_id": chatbot_id, **fields}
    return await host.client.post("/api/v1/sources", headers=headers, data=form, files={"file": (filename, content)})


async def taken_in(host: Host, source_id: str) -> dict[str, Any]:
    """Return a source as soon as it is no longer pending."""
    while True:
        source: dict[str, Any] = (await host.get(f"/sources/{source_id}")).json()
        if source["status"] != "pending":
            return source
        await asyncio.sleep(0.05)


async def ask(host: Host, chatbot_id: str, question: str, conversation_id: str | None = None) -> dict[str, Any]:
    """Ask a chatbot, and return its answer."""
    sent = {"body": question} | ({"conversation_id": conversation_id} if conversation_id else {})
    answer = await host.post(f"/chatbots/{chatbot_id}/messages", sent)
    assert 201 == answer.status_code, answer.text
    said: dict[str, Any] = answer.json()
    return said


def pdf(*pages: str) -> bytes:
    """Return a PDF file with a line of text on each page."""
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for place, text in enumerate(pages):
        drawn = zlib.compress(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode())
        page = f"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * place} 0 R >>"
        objects += [page.encode(), b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(drawn), drawn)]
    written, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    ending = b"trailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(written))
    return written + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + ending
