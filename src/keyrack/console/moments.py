"""Times on pages: local where a script can say what that is, UTC where none runs, exact UTC when pointed at."""

from datetime import UTC, datetime

from markupsafe import Markup

from keyrack.model.times import iso


def moment(at: int | None, otherwise: str = "Never", *, to: str = "minute") -> Markup:
    """Return a time (ms since the epoch) as an element, to the `day`, the `minute` or the `second`, or what stands where there is none."""
    if at is None:
        return Markup('<span class="none">{}</span>').format(otherwise)
    when = datetime.fromtimestamp(at / 1000, UTC)
    day = f"{when.day} {when:%b %Y}"
    shown = {"day": day, "minute": f"{day}, {when:%H:%M} UTC", "second": f"{day}, {when:%H:%M:%S} UTC"}[to]
    exact = when.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}" data-to="{}">{}</time>').format(iso(at), exact, to, shown)
