"""Traces: one span for a call, in the trace of its caller; spans for changes; no secrets; and nothing at all where nobody wants any."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from keyrack import Keyrack, Settings
from tests.hosts import ADMIN_RIGHTS, BRAND, CATEGORIES, PLANS, Host, build_app, client_of, living
from tests.operations.receivers import receiving

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CONTINUED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
NOWHERE = "http://127.0.0.1:9/v1/traces"


@asynccontextmanager
async def traced(data: Path, kept: InMemorySpanExporter | None, url: str = NOWHERE, ratio: float = 1.0) -> AsyncIterator[Host]:
    """A host with traces, kept in memory or sent to a receiver."""
    settings = Settings(data=data, traces_url=url, traces_ratio=ratio)
    rack = Keyrack(settings, brand=BRAND, categories=CATEGORIES, plans=PLANS)
    if kept is not None:
        rack.assembly.traces.exporter = kept
    app = build_app(rack)

    @app.get("/api/v1/inside", dependencies=[rack.requires("customers:read")])
    async def inside() -> dict[str, str]:
        return {"trace": format(trace.get_current_span().get_span_context().trace_id, "032x")}

    rack.install(app)
    async with living(app), client_of(rack, app) as host:
        yield host


def calls(kept: InMemorySpanExporter) -> list[ReadableSpan]:
    """The spans of calls."""
    return [span for span in kept.get_finished_spans() if span.name != "change"]


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_call_is_one_span_in_the_trace_of_its_caller(tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    async with traced(tmp_path, kept) as host:
        key = await host.key()
        answer = await host.get("/api/v1/inside?x=1", key, headers=CONTINUED)
    (span,) = calls(kept)
    assert span.context is not None
    assert span.parent is not None
    assert (TRACE, PARENT) == (format(span.context.trace_id, "032x"), format(span.parent.span_id, "016x"))
    assert {"trace": TRACE} == answer.json(), "what the handler does is in the same trace"
    assert "GET /api/v1/inside" == span.name
    expected = {
        "http.route": "/api/v1/inside",
        "url.path": "/api/v1/inside",
        "http.response.status_code": 200,
        "keyrack.request_id": answer.headers["x-request-id"],
        "keyrack.workspace_id": host.workspace.id,
        "keyrack.credential_id": key.key.id,
        "keyrack.credential_kind": "key",
        "client.address": "192.0.2.7",
    }
    assert expected == {name: value for name, value in attributes(span).items() if name in expected}


async def test_refusal_is_named_and_a_crash_is_an_error(tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    async with traced(tmp_path, kept) as host:
        key = await host.key()
        await host.get("/api/v1/inside")
        await host.get("/api/v1/crash", key)
        await host.get("/api/v1/nowhere", key)
        await host.send("STRANGE", "/api/v1/inside", key)
    refused, crashed, missing, strange = calls(kept)
    assert "missing_credential" == attributes(refused)["keyrack.refusal"]
    assert (500, "internal_error", "500") == tuple(
        attributes(crashed)[name] for name in ("http.response.status_code", "keyrack.refusal", "error.type")
    )
    assert (trace.StatusCode.UNSET, trace.StatusCode.ERROR) == (refused.status.status_code, crashed.status.status_code)
    assert not crashed.events, "no text of an error, which may quote what a client sent"
    assert ("GET", "HTTP", "_OTHER") == (missing.name, strange.name, attributes(strange)["http.request.method"])


async def test_change_is_a_span_inside_of_its_call(tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    async with traced(tmp_path, kept) as host:
        admin, other = await host.key(ADMIN_RIGHTS), await host.key(name="other")
        assert (await host.send("DELETE", f"/api/v1/keys/{other.key.id}", admin, headers=CONTINUED)).is_success
    change = next(span for span in reversed(kept.get_finished_spans()) if span.name == "change")
    (call,) = calls(kept)
    assert call.context is not None
    assert change.parent is not None
    assert call.context.span_id == change.parent.span_id
    assert "key.revoked" in str(attributes(change)["keyrack.change.events"])
    assert attributes(change)["keyrack.change.revision"]


async def test_pages_outside_of_the_guard_are_not_traced(tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    async with traced(tmp_path, kept) as host:
        for path in ("/healthz", "/readyz", "/outside", "/console", "/"):
            await host.get(path, headers=CONTINUED)
    assert [] == calls(kept)


async def test_operator_not_caller_says_how_many_traces_are_sent(tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    async with traced(tmp_path, kept, ratio=0.0) as host:
        assert 200 == (await host.get("/api/v1/inside", await host.key(), headers=CONTINUED)).status_code
    assert () == kept.get_finished_spans()


async def test_no_secret_is_in_a_span(tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    async with traced(tmp_path, kept) as host:
        key = await host.key()
        secret = key.secret.text
        wrong = (secret[:-3], f"{secret}0")
        for text in (secret, *wrong):
            headers = {
                "User-Agent": f"agent ({text})",
                "tracestate": f"x={text}",
                "traceparent": text,
                "baggage": f"k={text}",
                "X-Thing": text,
            }
            await host.get(f"/api/v1/{text}", key, headers=headers | CONTINUED)
            await host.get(f"/api/v1/inside?q={text}", key, headers=headers)
            await host.get("/api/v1/inside", text, headers=headers)
    told = "".join(span.to_json() for span in kept.get_finished_spans())
    assert "agent (" in told
    assert [] == [text for text in (secret, *wrong, secret[8:]) if text in told]


async def test_receiver_gets_what_was_traced_when_the_server_stops(tmp_path: Path) -> None:
    with receiving() as receiver:
        async with traced(tmp_path, None, receiver.url) as host:
            await host.get("/api/v1/inside", await host.key())
    requests = [ExportTraceServiceRequest.FromString(body) for body in receiver.received]
    resources = [resource for request in requests for resource in request.resource_spans]
    names = [span.name for resource in resources for scope in resource.scope_spans for span in scope.spans]
    assert "GET /api/v1/inside" in names
    services = {
        attribute.value.string_value
        for resource in resources
        for attribute in resource.resource.attributes
        if attribute.key == "service.name"
    }
    assert {"Acme"} == services


async def test_receiver_that_is_away_fails_no_call(tmp_path: Path) -> None:
    async with traced(tmp_path, None) as host:
        assert 200 == (await host.get("/api/v1/inside", await host.key())).status_code


def _loaded(data: Path, **variables: str) -> Sequence[str]:
    """Return which costly modules a rack has loaded."""
    program = """
import sys
from keyrack import Brand, Keyrack
Keyrack(brand=Brand("Acme", "acme"))
print(*sorted(name for name in ("opentelemetry.sdk", "prometheus_client") if name in sys.modules))
"""
    environment = {**os.environ, "KEYRACK_DATA": str(data), **variables}
    said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=True)
    return said.stdout.split()


def test_who_wants_neither_traces_nor_metrics_loads_neither(tmp_path: Path) -> None:
    assert [] == _loaded(tmp_path)
    assert ["opentelemetry.sdk"] == _loaded(tmp_path, KEYRACK_TRACES_URL=NOWHERE)
