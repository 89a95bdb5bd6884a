"""Problem documents (RFC 9457): what a refusal looks like on the wire, as JSON or as Markdown. The only place that builds one."""

import json
import re
from collections.abc import Iterable
from typing import Any

from keyrack.model.calls import Call
from keyrack.model.refusals import Refused, of_status

MEDIA_TYPE = b"application/problem+json"
MARKDOWN = b"text/markdown; charset=utf-8"
_JSON = (b"application/problem+json", b"application/json")
_WEIGHT = re.compile(rb"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_ACCEPT_BYTES_MAX = 1000
_TOLD = ("type", "title", "detail", "errors")
"""What the Markdown tells in other words than `name: value`."""
_KEPT = (b"allow", b"retry-after", b"www-authenticate")


class Problems:
    """Builds problem documents. `base_url` is the address that people outside use; without it the call's own is taken."""

    def __init__(self, base_url: str | None) -> None:
        self._base_url = base_url

    def base_url(self, scope: Any) -> str:
        """Return the address under which the caller reaches this host."""
        if self._base_url is not None:
            return self._base_url
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        server = scope.get("server") or ("localhost", None)
        fallback = f"{server[0]}:{server[1]}" if server[1] else server[0]
        # The documents of a WebSocket's handshake lie under http(s), too.
        scheme = scope.get("scheme", "http").replace("ws", "http")
        return f"{scheme}://{_plain(host) or fallback}"

    def answer(self, call: Call, scope: Any, refused: Refused) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the headers and the body that refuse a call: a problem document, or Markdown for who would rather read that."""
        if _prefers_markdown(scope["headers"]):
            kind, body = MARKDOWN, _markdown(self._facts(call, scope, refused), refused.refusal.remedy).encode(errors="replace")
        else:
            kind, body = MEDIA_TYPE, self.document(call, scope, refused)
        own = [(name.lower().encode("latin-1"), _one_line(value)) for name, value in refused.headers.items()]
        length = str(len(body)).encode()
        return [(b"content-type", kind), (b"content-length", length), (b"cache-control", b"no-store"), *own], body

    def document(self, call: Call, scope: Any, refused: Refused) -> bytes:
        """Return the problem document as JSON."""
        return json.dumps(self._facts(call, scope, refused), ensure_ascii=False).encode(errors="replace")

    def _facts(self, call: Call, scope: Any, refused: Refused) -> dict[str, Any]:
        """Return the members of the document.

        Its `type` is the page that explains the code, its `instance` the line in the request log; `request_log_url` shows people that line.
        """
        base = self.base_url(scope)
        refusal = refused.refusal
        page = f"{base}/docs/errors/{refusal.code}"
        members: dict[str, Any] = {
            "type": page,
            "title": refusal.title,
            "status": refusal.status,
            "detail": refused.detail,
            "instance": f"/api/v1/logs/{call.request_id}",
            "code": refusal.code,
            "param": refused.param,
            "doc_url": page,
            "request_id": call.request_id,
            "request_log_url": f"{base}/console/logs/{call.request_id}",
            "retryable": refusal.retryable,
            "errors": [dict(error) for error in refused.errors],
        }
        return members | refused.extra


def of_host(status: int, headers: Iterable[tuple[bytes, bytes]]) -> Refused | None:
    """Return the refusal that a host's own answer of 400 or more stands for; None where the answer is a problem document itself."""
    found = dict(headers)
    if found.get(b"content-type", b"").startswith(MEDIA_TYPE):
        return None
    refusal = of_status(status)
    kept = {name.decode(): found[name].decode("latin-1") for name in _KEPT if name in found}
    return Refused(refusal, refusal.title + ".", headers=kept)


def _plain(host: bytes) -> str:
    # The Host header comes from outside and ends up in links: only the characters of a host and port pass.
    text = host[:255].decode("latin-1")
    return text if all(character.isalnum() or character in ".-:[]_" for character in text) else ""


def _prefers_markdown(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the caller names Markdown in `Accept`, and JSON not, or with a smaller weight (RFC 9110 §12.5.1)."""
    accepted = b",".join(value for name, value in headers if name == b"accept").lower()
    if b"text/markdown" not in accepted:
        return False
    weights = dict(_weighed(part) for part in accepted[:_ACCEPT_BYTES_MAX].split(b","))
    return weights.get(b"text/markdown", 0.0) > max(weights.get(kind, 0.0) for kind in _JSON)


def _weighed(part: bytes) -> tuple[bytes, float]:
    kind, *parameters = (piece.strip() for piece in part.split(b";"))
    weight = next((piece[2:] for piece in parameters if piece.startswith(b"q=")), b"1")
    return kind, float(weight) if _WEIGHT.fullmatch(weight) else 0.0


def _markdown(facts: dict[str, Any], remedy: str) -> str:
    """The facts of a problem document as Markdown, what to do among them. Callers' own text in them stays on its line."""
    shown = {name: facts[name] for name in ("status", "code", "param", "retryable", "request_id", "instance", "request_log_url", "doc_url")}
    shown |= {name: value for name, value in facts.items() if name not in _TOLD}
    lines = [f"# {facts['title']}", "", _flat(facts["detail"]), "", f"**What to do:** {remedy}", ""]
    lines += [
        f"- {name}: {_flat(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}" for name, value in shown.items()
    ]
    if facts["errors"]:
        lines += ["", "## Errors", ""]
        lines += [f"- {', '.join(f'{name}: {_flat(str(value))}' for name, value in one.items() if value)}" for one in facts["errors"]]
    return "\n".join(lines) + "\n"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _one_line(value: str) -> bytes:
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")
