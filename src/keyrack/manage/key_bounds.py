"""What bounds a key: the addresses from which it works, and its last day."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from keyrack.model.refusals import INVALID_REQUEST

IP_RANGES_MAX = 50


def checked_ranges(texts: Sequence[str]) -> tuple[str, ...]:
    """Return address ranges in their normal form. Raises Refused 400 for one that is none."""
    if len(texts) > IP_RANGES_MAX:
        raise INVALID_REQUEST(f"A key has at most {IP_RANGES_MAX} address ranges.", param="ip_ranges")
    try:
        return tuple(str(_range(text)) for text in texts)
    except ValueError as error:
        raise INVALID_REQUEST(f"{error}. Write ranges like 203.0.113.7 or 2001:db8::/32.", param="ip_ranges") from None


def refuse_past(expires_at: int | None, now: int, param: str = "expires_at") -> None:
    """Raise Refused 400 for an end that is over; `param` is the field that names it."""
    if expires_at is not None and expires_at <= now:
        raise INVALID_REQUEST(f"{param} lies in the past.", param=param)


def _range(text: str) -> IPv4Network | IPv6Network:
    """Read a range. One of IPv4 written as IPv6 is IPv4, as the addresses are that it is compared with (RFC 4291 §2.5.5.2)."""
    network = ip_network(text, strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return network if mapped is None or network.prefixlen < 96 else IPv4Network((mapped, network.prefixlen - 96))
