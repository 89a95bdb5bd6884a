"""Visits: the sessions that an embed key opens for those who look at its page. They are sealed, not stored: no visitor writes a row."""

from contextlib import suppress
from dataclasses import dataclass

from keyrack.crypto.format import Secret
from keyrack.manage.desk import Desk
from keyrack.model.embed_keys import VISIT_RESUMED_SECONDS, VISIT_SECONDS, Visit
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION
from keyrack.store.ids import new_id


@dataclass(frozen=True, slots=True)
class Opened:
    """A visit that was opened. `token` proves it, until `expires_at` (ms since the epoch); `visitor` is who comes back with it."""

    token: Secret
    visitor: str
    expires_at: int


def open_visit(desk: Desk, caller: Principal, proof: bytes, resume: str | None = None) -> Opened:
    """Open a visit for whoever calls with an embed key, whose digest is `proof`.

    With the token of an earlier one in `resume`, of the same key and origin and over for a day at most, it is the same visitor's; any other
    is left aside. Raises Refused 403 for any other caller.
    """
    if caller.kind is not Kind.EMBED_KEY or caller.origin is None:
        raise INSUFFICIENT_PERMISSION("A visit is opened with an embed key, on a page of its origins.")
    now = desk.now()
    earlier = _read(desk, resume) if resume else None
    if earlier is not None and ((earlier.digest, earlier.origin) != (proof, caller.origin) or _is_long_over(earlier, now)):
        earlier = None
    visit = Visit(proof, new_id() if earlier is None else earlier.visitor, caller.origin, now + VISIT_SECONDS * 1000)
    prefix = desk.brand.visit_prefix
    sealed = desk.sealers["visit"].seal(visit.written(), prefix)
    return Opened(Secret(f"{prefix}_{sealed.hex()}"), visit.visitor, visit.ends_at)


def _read(desk: Desk, token: str) -> Visit | None:
    prefix = desk.brand.visit_prefix
    with suppress(ValueError):
        return Visit.read(desk.sealers["visit"].open(bytes.fromhex(token.removeprefix(f"{prefix}_")), prefix))
    return None


def _is_long_over(visit: Visit, now: int) -> bool:
    return visit.ends_at + VISIT_RESUMED_SECONDS * 1000 <= now
