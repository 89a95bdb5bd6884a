"""Times on pages: local where a script can say what that is, UTC where none runs, exact UTC when pointed at."""

from datetime import UTC, datetime

from markupsafe import Markup

from keyrack.model.times import iso


def moment(at: int | None, otherwise: str = "Never", *, seconds: bool = False) -> Markup:
    """Return a time (ms since the epoch) as an element, to the minute or the second, or what stands where there is none."""
    if at is None:
        return Markup('<span class="none">{}</span>').format(otherwise)
    when = datetime.fromtimestamp(at / 1000, UTC)
    exact, shown = (
        when.strftime("%Y-%m-%d %H:%M:%S UTC"),
        f"{when.day} {when:%b %Y}, {when:%H:%M:%S}" if seconds else f"{when.day} {when:%b %Y, %H:%M}",
    )
    mark = Markup(" data-seconds") if seconds else ""
    return Markup('<time datetime="{}" title="{}"{}>{} UTC</time>').format(iso(at), exact, mark, shown)
