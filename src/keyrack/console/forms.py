"""Forms: read within bounds, and accepted only from our own pages."""

import secrets

from starlette.requests import Request

from keyrack.crypto.sign import Signer
from keyrack.model.principals import Principal
from keyrack.model.refusals import (
    CONFLICT,
    CSRF_FAILED,
    INSUFFICIENT_PERMISSION,
    INVALID_REQUEST,
    PROOF_REQUIRED,
    RATE_LIMITED,
    SIGN_IN_FAILED,
    TOO_MANY_FAILURES,
    Refused,
)

FIELDS_MAX = 20
FIELD_BYTES_MAX = 4096
FORM_SECONDS_MAX = 3600
MARK_BYTES = 12
_TOLD_ON_THE_FORM = (
    INVALID_REQUEST,
    CONFLICT,
    INSUFFICIENT_PERMISSION,
    PROOF_REQUIRED,
    RATE_LIMITED,
    SIGN_IN_FAILED,
    TOO_MANY_FAILURES,
)


async def read_form(request: Request, fields_max: int = FIELDS_MAX) -> dict[str, str]:
    """Return the fields of a form.

    Raises Refused: `csrf_failed` where the browser says that another site sent it; 400 for a null character.

    Browsers that do not say (over plain http, or old) pass here: a form that changes something also carries a token.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise CSRF_FAILED("Another site sent this form. Open the page here, and repeat what you did.")
    form = await request.form(max_files=0, max_fields=fields_max, max_part_size=FIELD_BYTES_MAX)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    if any("\0" in name or "\0" in value for name, value in fields.items()):
        # PostgreSQL stores no such text, and does not look for it either.
        raise INVALID_REQUEST("A field holds a character that nobody can write.")
    return fields


class FormTokens:
    """Tokens that prove a form was made here, for one session and one purpose, within the last hour.

    Each has a mark of its own: a form that is sent twice is told by it.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def make(self, member: Principal, purpose: str) -> str:
        """Return the token for a form of a signed-in member's page."""
        return self._signer.sign_timed([member.credential_id, purpose, secrets.token_urlsafe(MARK_BYTES)])

    def check(self, member: Principal, purpose: str, form: dict[str, str]) -> str:
        """Return the mark of a form. Raises Refused `csrf_failed` unless it holds a token of this session and purpose."""
        try:
            signed = self._signer.read_timed(form.get("form_token", ""), FORM_SECONDS_MAX)
        except ValueError:
            signed = None
        match signed:
            case [member.credential_id, str(made_for), str(mark)] if made_for == purpose:
                return mark
        raise CSRF_FAILED("This form is too old, or belongs to another sign-in. Open the page again, and repeat what you did.")


def problems(refused: Refused, *fields: str) -> dict[str, str]:
    """Return what is wrong with a form by the field it stands beside, or under the empty name where it belongs to none of them.

    Raises the refusal again where the form is not at fault.
    """
    if refused.refusal not in _TOLD_ON_THE_FORM:
        raise refused
    return {refused.param if refused.param in fields else "": refused.detail}
