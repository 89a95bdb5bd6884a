"""Leaked keys over HTTP, for who has no credential: a finder, whose proof is the key itself, and GitHub, which signs."""

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Header, Request
from pydantic import MISSING, Field, SecretStr, StringConstraints

from keyrack.api.dependencies import PLAIN, PUBLIC, Desk, TheAssembly
from keyrack.api.fields import Body, View
from keyrack.crypto.format import Secret
from keyrack.manage import leaks, secret_scanning
from keyrack.manage.secret_scanning import MATCHES_MAX
from keyrack.model.leaks import FOUND_IN_LENGTH_MAX, Label
from keyrack.model.refusals import INVALID_SIGNATURE, OUTCOME_UNKNOWN, TOO_MANY_FAILURES, saying

router = APIRouter(prefix="/leaks")

SECRET_LENGTH_MAX = 200
_MATCHES: dict[str, Any] = {
    "type": "array",
    "maxItems": MATCHES_MAX,
    "items": {
        "type": "object",
        "required": ["token"],
        "properties": {
            "token": {"type": "string", "description": "What was found."},
            "type": {"type": "string", "description": "The name under which the pattern was registered."},
            "url": {"type": ["string", "null"], "description": "Where it was found."},
            "source": {"type": ["string", "null"], "description": "What kind of place that is."},
        },
    },
    "examples": [
        [{"token": "atrium_REPLACE_ME", "type": "atrium_api_key", "url": "https://github.com/o/r/blob/main/a.py", "source": "content"}]
    ],
}
_SIGNED: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/json": {"schema": _MATCHES}}}}


class LeakReport(Body):
    """A key that somebody found, and where."""

    EXAMPLE: ClassVar = {"secret": "atrium_REPLACE_ME", "found_in": "https://paste.example/x1"}

    secret: Annotated[SecretStr, Field(min_length=1, max_length=SECRET_LENGTH_MAX, description="The key, whole.")]
    found_in: Annotated[str, StringConstraints(max_length=FOUND_IN_LENGTH_MAX)] | MISSING = MISSING


class LeakReportView(View):
    """What everybody is told who reports a key, whether or not there was one."""

    EXAMPLE: ClassVar = {"object": "leak_report", "detail": leaks.REPORTED}

    object: Literal["leak_report"] = "leak_report"
    detail: Annotated[str, Field(description="What was done, in words.")] = leaks.REPORTED


class JudgedView(View):
    """What one match was, as GitHub wants to be told."""

    EXAMPLE: ClassVar = {"token_hash": "9f86d081884c7d65…", "token_type": "atrium_api_key", "label": "true_positive"}

    token_hash: Annotated[str, Field(description="The SHA-256 of what was found, in hex.")]
    token_type: Annotated[str, Field(description="The type that it was sent with.")]
    label: Annotated[Label, Field(description="Whether it is a key of this host, also an ended one, or none.")]


@router.post("", status_code=202, dependencies=[PUBLIC, PLAIN], openapi_extra=saying(TOO_MANY_FAILURES, OUTCOME_UNKNOWN))
async def report_leak(body: LeakReport, request: Request, assembly: TheAssembly) -> LeakReportView:
    """Report a leaked key: it is revoked at once.

    Whoever has the key may do this, for its secret is out. The answer is the same whether or not there is such a key. A few reports an
    hour from one address are taken; more are `too_many_failures`.
    """
    secret = Secret(body.secret.get_secret_value().strip())
    found_in = body.values().get("found_in", "").strip()
    await leaks.report(assembly.desk, secret, found_in=found_in, address=assembly.heads.address(request.scope))
    return LeakReportView()


@router.post("/github", dependencies=[PUBLIC, PLAIN], openapi_extra=_SIGNED | saying(INVALID_SIGNATURE, OUTCOME_UNKNOWN, TOO_MANY_FAILURES))
async def report_github_leaks(
    request: Request,
    desk: Desk,
    identifier: Annotated[str, Header(alias="Github-Public-Key-Identifier", max_length=200, description="Which key signed.")],
    signature: Annotated[
        str, Header(alias="Github-Public-Key-Signature", max_length=400, description="ECDSA-NIST-P256V1-SHA256 over the body, in base64.")
    ],
) -> list[JudgedView]:
    """Revoke what GitHub's secret scanning has found. GitHub alone calls this, and signs it.

    The answer says of each match whether it was a key of this host.
    """
    judged = await secret_scanning.judge(desk, await request.body(), identifier=identifier, signature=signature)
    return [JudgedView(token_hash=one.token_hash, token_type=one.token_type, label=one.label) for one in judged]
