"""OpenTelemetry: a span for each call and for each change, sent over OTLP/HTTP. This module is loaded only where an operator wants traces.

A span continues the trace that a call's `traceparent` names (W3C Trace Context). Whether it is sent is decided here, by the trace's id, not
by the caller's wish. Nothing else that a client wrote goes in unmasked, and no header but User-Agent goes in at all.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import msgspec
from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyrack.model.calls import CURRENT, Call
from keyrack.model.refusals import ALL, Refused
from keyrack.model.request_logs import PATH_LENGTH_MAX, USER_AGENT_LENGTH_MAX, Mask

EXPORT_SECONDS_MAX = 5.0
STOP_SECONDS_MAX = 10.0
ATTRIBUTES_MAX = 32
_PROBLEM = b"application/problem+json"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_continue = TraceContextTextMapPropagator()


class Traces:
    """Makes spans from `start` to `stop`, and sends them in the background; what the receiver does not take in time is lost.

    `url` is the receiver's whole OTLP/HTTP address, like `http://127.0.0.1:4318/v1/traces`; `ratio` the part of all traces that is sent.
    The standard `OTEL_…` variables give headers, certificates and further attributes. `exporter` replaces what sends.
    """

    def __init__(self, url: str, ratio: float, service: str, mask: Mask, exporter: SpanExporter | None = None) -> None:
        self.exporter = exporter
        self._url = url
        self._ratio = ratio
        self._service = os.environ.get("OTEL_SERVICE_NAME", service)
        self._mask = mask
        self._provider: TracerProvider | None = None

    def start(self) -> None:
        """Begin to make spans."""
        provider = TracerProvider(
            sampler=TraceIdRatioBased(self._ratio),
            resource=Resource.create({"service.name": self._service}),
            span_limits=SpanLimits(max_span_attributes=ATTRIBUTES_MAX, max_attribute_length=PATH_LENGTH_MAX),
            shutdown_on_exit=False,
        )
        exporter = self.exporter or OTLPSpanExporter(self._url, timeout=EXPORT_SECONDS_MAX)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        self._provider = provider

    async def stop(self) -> None:
        """Send what is left, for a bounded time."""
        provider, self._provider = self._provider, None
        if provider is not None:
            await asyncio.wait({asyncio.create_task(asyncio.to_thread(provider.shutdown))}, timeout=STOP_SECONDS_MAX)

    def around(self, app: ASGIApp, guard: Sequence[str]) -> ASGIApp:
        """Return an app that makes a span for each call inside the guard; everything else passes untouched."""
        inside = tuple(prefix.rstrip("/") + "/" for prefix in guard)

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
            if self._provider is None or not path.startswith(inside):
                await app(scope, receive, send)
                return
            span = self._begin(scope)
            seen = _Seen(send, span, self._mask)
            token = context.attach(set_span_in_context(span))
            try:
                await app(scope, receive, seen.send)
            except BaseException as error:
                seen.fail(type(error).__name__)
                raise
            finally:
                context.detach(token)
                span.end()

        return traced

    @contextmanager
    def follow(self, name: str) -> Iterator[dict[str, Any]]:
        """Make a span of a piece of work; what is put into the dict becomes its attributes."""
        told: dict[str, Any] = {}
        if self._provider is None:
            yield told
            return
        tracer = self._provider.get_tracer("keyrack", version("keyrack"))
        with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
            try:
                yield told
            except Refused as refused:
                told["error.type"] = refused.refusal.code
                raise
            except BaseException as error:
                told["error.type"] = type(error).__name__
                span.set_status(StatusCode.ERROR)
                raise
            finally:
                span.set_attributes(told)

    def _begin(self, scope: Scope) -> Span:
        assert self._provider is not None
        method = scope.get("method", "WEBSOCKET")
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        return self._provider.get_tracer("keyrack", version("keyrack")).start_span(
            method if method in _METHODS or method == "WEBSOCKET" else "HTTP",
            # Only the ids: a tracestate is text that a stranger chose.
            context=_continue.extract({"traceparent": parent.decode("latin-1")}, context=context.Context()),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method if method in _METHODS else "_OTHER"},
        )


class _Seen:
    """What an answer says of its call, on its way out."""

    def __init__(self, send: Send, span: Span, mask: Mask) -> None:
        self._send = send
        self._span = span
        self._mask = mask
        self._is_problem = False

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start", "websocket.accept", "websocket.close"):
            # Messages leave inside of the walk, where the call is known.
            self._describe(CURRENT.get())
        if kind in ("http.response.start", "websocket.http.response.start"):
            status = message["status"]
            self._span.set_attribute("http.response.status_code", status)
            if status >= 500:
                self.fail(str(status))
            self._is_problem = any(name.lower() == b"content-type" and value.startswith(_PROBLEM) for name, value in message["headers"])
        elif self._is_problem and kind in ("http.response.body", "websocket.http.response.body"):
            self._name_refusal(message.get("body", b""))
        await self._send(message)

    def fail(self, kind: str) -> None:
        """Say that this call failed, and how."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)

    def _describe(self, call: Call | None) -> None:
        if call is None:
            return
        span, principal = self._span, call.principal
        span.set_attribute("keyrack.request_id", call.request_id)
        span.set_attribute("url.path", self._mask(call.path, PATH_LENGTH_MAX))
        if call.operation is not None:
            span.set_attribute("http.route", call.operation.template)
            span.update_name(f"{call.operation.method} {call.operation.template}")
        if call.address is not None:
            span.set_attribute("client.address", call.address)
        if call.user_agent is not None:
            span.set_attribute("user_agent.original", self._mask(call.user_agent, USER_AGENT_LENGTH_MAX))
        if principal is not None:
            span.set_attribute("keyrack.workspace_id", principal.workspace.id)
            span.set_attribute("keyrack.credential_id", principal.credential_id)
            span.set_attribute("keyrack.credential_kind", str(principal.kind))

    def _name_refusal(self, body: bytes) -> None:
        self._is_problem = False
        try:
            code = msgspec.json.decode(body).get("code")
        except (msgspec.DecodeError, AttributeError):
            return
        if code in ALL:
            self._span.set_attribute("keyrack.refusal", code)
