"""Forms of the docs: small, and from our own pages alone."""

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

FIELDS_MAX = 8
FIELD_BYTES_MAX = 4096


async def read_form(request: Request, base_url: str) -> dict[str, str]:
    """Return the fields of a form. Raises HTTPException: 403 for one that another site sent, 400 for one that cannot be read.

    Nobody's session is behind these forms; what another site could do with them is to speak in its visitors' place.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "://".join(urlsplit(base_url)[:2]))
    if site not in (None, "same-origin", "none") or (site is None and origin != "://".join(urlsplit(base_url)[:2])):
        raise HTTPException(403, "Another site sent this form.")
    form = await request.form(max_files=0, max_fields=FIELDS_MAX, max_part_size=FIELD_BYTES_MAX)
    return {name: value.replace("\0", "") for name, value in form.items() if isinstance(value, str)}
