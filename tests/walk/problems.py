"""What every refusal looks like."""

from typing import Any

import httpx

MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "param",
    "doc_url",
    "request_id",
    "request_log_url",
    "retryable",
    "errors",
}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of an answer, held to RFC 9457 and to DESIGN §8."""
    assert status == answer.status_code, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert MEMBERS <= set(document)
    assert (status, code) == (document["status"], document["code"])
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["type"] == document["doc_url"]
    assert document["doc_url"].endswith(f"/docs/errors/{code}")
    assert document["instance"] == f"/api/v1/logs/{document['request_id']}"
    assert document["request_log_url"].endswith(f"/console/logs/{document['request_id']}")
    assert "Traceback" not in answer.text
    return document


def without_occurrence(answer: httpx.Response) -> dict[str, Any]:
    """Return the document without what differs between two occurrences of one refusal."""
    return {name: value for name, value in answer.json().items() if name not in ("request_id", "request_log_url", "instance")}
