"""A call as a line for a shell."""

import shlex
from urllib.parse import quote

BODY_METHODS = ("POST", "PUT", "PATCH")
ME = "/api/v1/me"
"""The call that a new key is tried with: it needs no permission and changes nothing."""
_PLAIN = "/:@!$&'()*+,;=~-._"


def curl(outside: str, secret: str, method: str = "GET", path: str = ME) -> str:
    """Return the line, quoted, so that it can be pasted as it is; the body stands in a file, for no log has it."""
    asking = {"GET": "curl", "HEAD": "curl -I"}.get(method, f"curl -X {shlex.quote(method)}")
    parts = [f"{asking} {shlex.quote(outside + quote(path, safe=_PLAIN))}", f"-H {shlex.quote(f'Authorization: Bearer {secret}')}"]
    if method in BODY_METHODS:
        parts += ["-H 'Content-Type: application/json'", "-d @body.json"]
    return " \\\n  ".join(parts)
