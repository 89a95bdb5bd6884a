"""Reading the head of a call: sizes, credential, address, user agent. One pass, before anything else happens."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import chain
from typing import Any
from urllib.parse import unquote_plus

from keyrack.model.calls import Call
from keyrack.model.embed_keys import ORIGIN_LENGTH_MAX
from keyrack.model.ip_ranges import read_address
from keyrack.model.refusals import HEADERS_TOO_LARGE, INVALID_REQUEST, KEY_IN_URL

Headers = Sequence[tuple[bytes, bytes]]
Network = IPv4Network | IPv6Network

_ONCE = frozenset(
    {b"authorization", b"x-api-key", b"x-api-token", b"content-length", b"host", b"content-type", b"api-version", b"idempotency-key"}
    | {b"origin", b"sec-fetch-site"}
)
_NAMES_IN_URL = frozenset({"api_key", "apikey", "api_token", "access_token", "x-api-key", "x-api-token"})
_SECRET_PLACES_MIN = 20
_FORWARDED_BYTES_MAX = 4096


class HeadReader:
    """Reads heads under the operator's settings.

    `secret_prefixes` are the beginnings of every secret of this host, so that one of them in a URL is noticed under any name. An embed
    key, which begins with `embed_prefix`, is none: the parameter `key` may name it.
    """

    def __init__(
        self, trusted_proxies: Sequence[str], bytes_max: int, count_max: int, secret_prefixes: Sequence[str], embed_prefix: str
    ) -> None:
        self._proxies: tuple[Network, ...] = tuple(ip_network(text, strict=False) for text in trusted_proxies)
        self._bytes_max = bytes_max
        self._count_max = count_max
        own = "|".join(re.escape(prefix) for prefix in secret_prefixes)
        self._embed_key = re.compile(rf"(?:^|&)key=({re.escape(embed_prefix)}_[0-9A-Za-z]{{1,64}})(?:&|$)")
        self._secret_like = re.compile(rf"(?:{own})_[0-9A-Za-z]{{{_SECRET_PLACES_MIN},}}")

    def read(self, call: Call, scope: Any) -> dict[bytes, bytes]:
        """Fill in the call's address, user agent, origin and embed key, and return the headers by name.

        Raises Refused: 431 for a head that is too large, 400 for a header that must stand once and does not, 400 `key_in_url`.
        """
        raw: Headers = scope["headers"]
        headers = dict(raw)
        peer = scope.get("client")
        call.address = peer[0] if peer is not None and not self._proxies else self._address(scope, raw, headers)
        origin = headers.get(b"origin")
        if origin is not None:
            call.origin = origin[:ORIGIN_LENGTH_MAX].decode("latin-1")
        call.is_same_origin = headers.get(b"sec-fetch-site") == b"same-origin"
        agent = headers.get(b"user-agent")
        if agent is not None:
            call.user_agent = agent[:512].decode("latin-1")
        if len(raw) > self._count_max or len(b"".join(chain.from_iterable(raw))) > self._bytes_max:
            raise HEADERS_TOO_LARGE(f"A call may have {self._count_max} headers and {self._bytes_max} bytes of them.")
        if len(headers) != len(raw):
            _refuse_repeated(raw)
        query = unquote_plus(scope["query_string"].decode("latin-1")) if scope["query_string"] else ""
        named = query and self._named_in(query)
        if named or ("_" in query and self._secret_like.search(query)) or ("_" in call.path and self._secret_like.search(call.path)):
            where = f"The parameter `{named}` stands for" if named else "The URL holds"
            raise KEY_IN_URL(f"{where} a credential, and URLs are logged on the way. Send it as `Authorization: Bearer …`, and rotate it.")
        if query and (found := self._embed_key.search(query)) is not None:
            call.embed_key = found[1]
        return headers

    def address(self, scope: Any) -> str:
        """Return the client's address, by the same rule, for what is no call: a page on which somebody signs in. Empty: unknown."""
        raw: Headers = scope["headers"]
        return self._address(scope, raw, dict(raw)) or ""

    @staticmethod
    def _named_in(query: str) -> str | None:
        """The first parameter whose name says that it is a credential, or None."""
        names = (part.partition("=")[0].lower() for part in query.split("&"))
        return next((name for name in names if name in _NAMES_IN_URL), None)

    def _address(self, scope: Any, raw: Headers, headers: dict[bytes, bytes]) -> str | None:
        """Return the client's address: the peer's, or the right-most untrusted hop behind proxies that settings name.

        Log, throttle and allowlists all use this one. A peer without an address (a unix socket) counts as a trusted proxy only where
        some proxy is named at all.
        """
        peer: str | None = scope["client"][0] if scope.get("client") else None
        if not self._proxies or (b"x-forwarded-for" not in headers and b"forwarded" not in headers):
            return peer
        if peer is not None and not self._trusted(peer):
            return peer
        header = b"x-forwarded-for" if b"x-forwarded-for" in headers else b"forwarded"
        hops = b",".join(value for name, value in raw if name == header)[-_FORWARDED_BYTES_MAX:]
        nearest = peer
        for hop in _from_the_right(hops.decode("latin-1"), ","):
            address = _address_of(hop, forwarded=header == b"forwarded")
            if address is None:
                return nearest
            nearest = address
            if not self._trusted(address):
                return address
        return nearest

    def _trusted(self, text: str) -> bool:
        address = read_address(text)
        return address is not None and any(address in network for network in self._proxies)


def _address_of(hop: str, *, forwarded: bool) -> str | None:
    """Read one hop of X-Forwarded-For, or the `for=` of one of Forwarded (RFC 7239 §4), without a port."""
    text = hop.strip()
    if forwarded:
        pairs = [part.strip().partition("=")[::2] for part in _from_the_right(text, ";")]
        named = [value for name, value in pairs if name.lower() == "for"]
        text = named[0].strip('"') if len(named) == 1 else ""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    address = read_address(text)
    return str(address) if address is not None else None


def _from_the_right(text: str, separator: str) -> Iterator[str]:
    """Split a header's value where the separator stands outside of quotes, the last part first.

    From the right, because there stands what the nearest proxy wrote: no quote that a client left open reaches into it.
    """
    end, quoted = len(text), False
    for at in range(len(text) - 1, -1, -1):
        if text[at] == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif text[at] == separator and not quoted:
            yield text[at + 1 : end]
            end = at
    yield text[:end]


def _refuse_repeated(raw: Headers) -> None:
    seen: set[bytes] = set()
    for name, _ in raw:
        if name in seen and name in _ONCE:
            text = name.decode("latin-1").title()
            raise INVALID_REQUEST(f"The header {text} stands in this call more than once.", param=text)
        seen.add(name)
