"""Problem documents (RFC 9457): what a refusal looks like on the wire. The only place that builds one."""

import json
from collections.abc import Iterable
from typing import Any

from keyrack.model.calls import Call
from keyrack.model.refusals import Refused, of_status

MEDIA_TYPE = b"application/problem+json"
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

    def document(self, call: Call, scope: Any, refused: Refused) -> bytes:
        """Return the document's bytes.

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
        return json.dumps(members | refused.extra, ensure_ascii=False).encode(errors="replace")


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


def headers_of(refused: Refused, length: int) -> list[tuple[bytes, bytes]]:
    """Return the headers of a problem answer of this length."""
    own = [(name.lower().encode("latin-1"), _one_line(value)) for name, value in refused.headers.items()]
    return [(b"content-type", MEDIA_TYPE), (b"content-length", str(length).encode()), (b"cache-control", b"no-store"), *own]


def _one_line(value: str) -> bytes:
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")
