"""What bounds a key: the addresses from which it works, and its last day."""

from collections.abc import Sequence

from keyrack.model.calls import CURRENT
from keyrack.model.ip_ranges import holds, read_address, read_range
from keyrack.model.keys import Key
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST

IP_RANGES_MAX = 50


def checked_ranges(texts: Sequence[str]) -> tuple[str, ...]:
    """Return address ranges in their normal form, each once. Raises Refused 400 for one that is none, or could mean two things."""
    if len(texts) > IP_RANGES_MAX:
        raise INVALID_REQUEST(f"A key has at most {IP_RANGES_MAX} address ranges.", param="ip_ranges")
    try:
        return tuple(dict.fromkeys(str(read_range(text.strip())) for text in texts))
    except ValueError as error:
        raise INVALID_REQUEST(str(error), param="ip_ranges") from None


def refuse_lock_out(actor: Principal, key: Key, ranges: Sequence[str]) -> None:
    """Raise Refused 400 where a key would bound itself to ranges that do not hold the address from which it calls at this moment."""
    call = CURRENT.get()
    if actor.credential_id != key.id or not ranges or call is None:
        return
    if not holds([read_range(text) for text in ranges], read_address(call.address)):
        raise INVALID_REQUEST(
            f"This very key calls from {call.address or 'an unknown address'}, which none of these ranges holds: it would lock itself out. "
            "Add that address, or change the key with another one or in the console.",
            param="ip_ranges",
        )


def refuse_past(expires_at: int | None, now: int, param: str = "expires_at") -> None:
    """Raise Refused 400 for an end that is over; `param` is the field that names it."""
    if expires_at is not None and expires_at <= now:
        raise INVALID_REQUEST(f"{param} lies in the past.", param=param)
