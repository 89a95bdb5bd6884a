"""A caller who would rather read Markdown gets the same facts so (RFC 9110 §12.5.1)."""

import pytest

from tests.hosts import Host
from tests.walk.problems import problem

PROBLEM, MARKDOWN = "application/problem+json", "text/markdown; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, PROBLEM),
        ("*/*", PROBLEM),
        ("text/*", PROBLEM),
        ("application/json", PROBLEM),
        ("text/html, application/xhtml+xml", PROBLEM),
        ("text/markdown", MARKDOWN),
        ("Text/Markdown", MARKDOWN),
        ("text/markdown, */*", MARKDOWN),
        ("text/markdown; q=0.9, application/json; q=0.5", MARKDOWN),
        ("text/markdown, application/json", PROBLEM),
        ("application/problem+json, text/markdown;q=0.9", PROBLEM),
        ("text/markdown;q=0", PROBLEM),
        ("text/markdown;q=nonsense", PROBLEM),
        ("text/markdown;q=0.5;level=1", MARKDOWN),
        ("," * 5000 + "text/markdown", PROBLEM),
    ],
)
async def test_accept_decides_how_a_refusal_is_told(host: Host, accept: str | None, kind: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = await host.get("/api/v1/nothing", await host.key(), headers=headers)
    assert (404, kind) == (answer.status_code, answer.headers["content-type"])


async def test_markdown_has_the_facts_of_the_problem_document(host: Host) -> None:
    key, body = await host.key(), {"target_launch_dat": "x"}
    document = problem(await host.send("POST", "/api/v1/orders", key, json=body), 400, "invalid_request")
    answer = await host.send("POST", "/api/v1/orders", key, json=body, headers={"Accept": "text/markdown"})
    lines = answer.text.splitlines()
    assert f"# {document['title']}" == lines[0]
    assert document["detail"] == lines[2]
    for name in ("status", "code", "param", "doc_url"):
        assert f"- {name}: {document[name]}" in lines
    assert "- retryable: false" in lines
    assert f"- request_id: {answer.headers['x-request-id']}" in lines
    assert document["errors"][0]["fix"] in answer.text
    assert str(len(answer.content)) == answer.headers["content-length"]


async def test_what_a_caller_sent_stays_on_its_line(host: Host) -> None:
    answer = await host.send("POST", "/api/v1/payments", await host.key(), json={"declared": True}, headers={"Accept": "text/markdown"})
    assert [line for line in answer.text.splitlines() if line.startswith("# ")] == ["# Card declined"]
    assert "The bank of this card # said no." in answer.text


async def test_members_of_one_refusal_alone_and_its_headers_are_told_too(host: Host) -> None:
    other = await host.other_workspace()
    await host.rack.workspaces.set_plan(other.workspace.id, "small")
    for _ in range(4):
        answer = await host.get("/api/v1/orders", other.key, headers={"Accept": "text/markdown"})
    assert (429, MARKDOWN) == (answer.status_code, answer.headers["content-type"])
    assert int(answer.headers["retry-after"]) > 0
    assert '- violated-policies: ["workspace"]' in answer.text.splitlines()


async def test_head_gets_the_headers_and_no_body(host: Host) -> None:
    answer = await host.send("HEAD", "/api/v1/nothing", await host.key(), headers={"Accept": "text/markdown"})
    assert (404, MARKDOWN, b"") == (answer.status_code, answer.headers["content-type"], answer.content)
