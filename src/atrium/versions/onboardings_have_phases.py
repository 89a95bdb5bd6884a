"""2026-10-01: the stage of an onboarding is called its phase, and its launch is a time, no longer a day."""

from datetime import date
from typing import Any

from keyrack import VersionChange, refusals

_DAY = "2026-07-15"
_MOMENT = "2026-07-15T00:00:00.000Z"
_BEFORE = {"stage": "before_getting_started", "state": "active", "launch_date": _DAY}
_SINCE = {"phase": "before_getting_started", "state": "active", "target_launch_date": _MOMENT}
_ONBOARDING = {
    "object": "onboarding",
    "id": "cl9bn00of0001g7l8h2kq4d7w",
    "customer_id": "cl9bn00of0000g7l8gcq8c4xk",
    "name": "Loyalty launch",
}
_TIMES = {"created_at": "2026-05-26T17:24:41.120Z", "updated_at": "2026-05-26T17:24:41.120Z"}


def _from_day(body: dict[str, Any]) -> dict[str, Any]:
    day = body.get("target_launch_date")
    if day is None:
        return body
    if not isinstance(day, str) or not _is_day(day):
        detail = "target_launch_date: write a day like 2026-07-15."
        fix = "Send a day of the calendar, without a time."
        error = {"code": "date", "param": "target_launch_date", "pointer": "#/target_launch_date", "detail": detail, "fix": fix}
        raise refusals.INVALID_REQUEST(detail, param="target_launch_date", errors=[error])
    return body | {"target_launch_date": f"{day}T00:00:00.000Z"}


def _to_day(onboarding: dict[str, Any]) -> dict[str, Any]:
    moment = onboarding["target_launch_date"]
    return onboarding | {"target_launch_date": None if moment is None else moment[: len(_DAY)]}


def _is_day(text: str) -> bool:
    try:
        return len(text) == len(_DAY) and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


ONBOARDINGS_HAVE_PHASES = VersionChange(
    date="2026-10-01",
    title="Onboardings have phases, and launch at a time",
    description=(
        "The `stage` of an onboarding is called `phase`, in bodies, in answers and as a filter. Its `launch_date`, a day, is "
        "`target_launch_date`, a time with an offset: what was a day is its first moment in UTC."
    ),
    operations=["GET /api/v1/onboardings", "POST /api/v1/onboardings", "PATCH /api/v1/onboardings/{onboarding}"],
    objects=["onboarding"],
    renames={"stage": "phase", "launch_date": "target_launch_date"},
    request=_from_day,
    response=_to_day,
    request_examples=[({"customer_id": "245", **_BEFORE}, {"customer_id": "245", **_SINCE})],
    response_examples=[(_ONBOARDING | _BEFORE | _TIMES, _ONBOARDING | _SINCE | _TIMES)],
    deprecated="2026-10-01",
)
