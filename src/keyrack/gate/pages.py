"""A host's own pages for signed-in members: proven by session, safe from other sites, with the host's transaction held, and not logged.

They lie outside the guard, so every answer that is not the page itself is one that a person can read, or the way to the sign-in.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.requests import ClientDisconnect, cookie_parser
from starlette.types import Message, Receive, Scope, Send

from keyrack.feed.cache import Cache
from keyrack.gate import transactions
from keyrack.gate.authorize import authorize
from keyrack.gate.bodies import body_cut_short, limited
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.refusal_pages import RefusalPages
from keyrack.gate.respond import Answer
from keyrack.gate.table import Match, Route, Table
from keyrack.gate.walk import Walk
from keyrack.model.brands import Brand
from keyrack.model.calls import CURRENT, Call
from keyrack.model.principals import Principal
from keyrack.model.refusals import CATALOG_MISMATCH, CSRF_FAILED, INTERNAL_ERROR, SESSION_ENDED, Refused

SIGN_IN = "/console/sign-in"
RETURN_LENGTH_MAX = 2000
_SAFE = ("GET", "HEAD", "OPTIONS")
_HEADERS = ((b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store"), (b"referrer-policy", b"same-origin"))


@dataclass(frozen=True)
class Session:
    """The session behind one call to a page: what runs on asks for it again, as what runs on under a credential asks for that."""

    find: Callable[[str], Awaitable[Principal | None]]
    cache: Cache
    secret: str

    async def recheck(self, call: Call) -> Principal:
        """Return who is signed in. Raises Refused `session_ended` where nobody is."""
        member = await self.find(self.secret)
        if member is None:
            raise SESSION_ENDED("Nobody is signed in here, or the sign-in has ended.")
        call.principal = member
        return member


class MemberPages:
    """The pages of a host that declare `rack.signed_in`, by a table of all that it has outside the guard, in its router's order."""

    def __init__(self, find: Callable[[str], Awaitable[Principal | None]], cache: Cache, brand: Brand) -> None:
        self.refusals = RefusalPages(brand)
        self._table: Table | None = None
        self._find = find
        self._cache = cache
        self._cookie = f"{brand.key_prefix}_session"

    def use(self, rows: Sequence[Route]) -> None:
        """Serve these pages; without any rows the host has none."""
        self._table = Table(["/"], rows) if rows else None

    def match(self, method: str, path: str) -> Match | None:
        """Return the page that the host's router would choose, where that is one for members; None for all else."""
        found = self._table.find(method, path) if self._table is not None else None
        if found is None or found.route is None or found.route.operation.need is None:
            return None
        return found

    def call(self, match: Match, method: str, path: str, request_id: Callable[[int], str]) -> Call:
        """Return the call that a request for a page is."""
        assert match.route is not None
        now_ms = time.time_ns() // 1_000_000
        call = Call(method, path, request_id(now_ms), now_ms, time.monotonic_ns())
        call.operation, call.path_params = match.route.operation, match.path_params
        return call

    def session(self, headers: Mapping[bytes, bytes], *, secure: bool) -> Session:
        """Return the session that a browser names, whether or not it is one."""
        cookies = cookie_parser(headers.get(b"cookie", b"").decode("latin-1"))
        # Over https only the cookie that is bound to this host counts: another one may come from a neighbour's page.
        return Session(self._find, self._cache, cookies.get(f"__Host-{self._cookie}" if secure else self._cookie, ""))


async def walk_page(parts: Walk, pages: MemberPages, match: Match, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    """Take one request for a member's page through the gate."""
    answer = PageAnswer(call, scope, send, parts.recorder, parts.problems)
    answer.pages = pages.refusals
    # Who asked for a page has no use for the id of a line that is not written.
    answer.headers.clear()
    token = CURRENT.set(call)
    try:
        assert match.route is not None
        headers = parts.heads.read(call, scope)
        base_url = parts.problems.base_url(scope)
        session = pages.session(headers, secure=base_url.startswith("https://"))
        principal = await session.recheck(call)
        if call.method not in _SAFE:
            _refuse_other_sites(headers, base_url)
        authorize(principal, match.route.operation, match.path_params)
        answer.caller = CurrentCaller(principal, call, parts.categories, session)
        scope["keyrack"] = answer.caller
        await match.route.app(scope, limited(receive, call, headers, parts.body_bytes_max), answer.send)
        if call.refused is not None:
            raise call.refused
    except Refused as refused:
        await answer.refuse(refused)
    except ClientDisconnect:
        await answer.refuse(body_cut_short())
    except Exception as error:  # noqa: BLE001 - a crash becomes a 500 without internals
        parts.recorder.report("handler_failed", call, error)
        await answer.refuse(INTERNAL_ERROR("An error on our side stopped this page. Nothing of it was stored."))
    finally:
        if not answer.closed:
            await answer.close()
        CURRENT.reset(token)


class PageAnswer(Answer):
    """An answer to a person: refusals are pages, and the host's own pages of 400 and more stay as they are."""

    __slots__ = ("pages",)

    pages: RefusalPages

    def _instead(self, message: Message) -> Refused | None:
        if self._call.refused is not None:
            return self._call.refused
        if message["status"] < 400 and self.caller is not None and self.caller.left_unasked:
            return CATALOG_MISMATCH("The page declares space=object, and its handler never asked for the object's space.")
        return None

    async def refuse(self, refused: Refused) -> None:
        """Answer with a page, or with the way to the sign-in for who only wants to look. What the host changed is rolled back."""
        if self.status and self._held is None:
            return
        self._held = None
        if self._call.sessions is not None:
            await transactions.rollback(self._call)
        sign_in = _sign_in(self._scope, self._call.method)
        headers = [*_HEADERS, (b"content-security-policy", self.pages.policy.encode())]
        self.status, body = refused.refusal.status, self.pages.page(refused, quote(self._scope.get("root_path", "")), sign_in)
        if refused.refusal is SESSION_ENDED and self._call.method in _SAFE:
            self.status, body = 303, b""
            headers.append((b"location", sign_in.encode()))
        headers.append((b"content-length", str(len(body)).encode()))
        # Nothing was reserved for this call, so nothing of it is logged.
        self._record(refused)
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": b"" if self._call.method == "HEAD" else body})


def return_path(text: str, default: str = "/") -> str:
    """Return the path to which a sign-in leads back, or the default for whatever could lead to another host."""
    parts = urlsplit(text)
    inside = text.startswith("/") and not text.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return text if inside and len(text) <= RETURN_LENGTH_MAX and text.isprintable() and "\\" not in text else default


def _sign_in(scope: Scope, method: str) -> str:
    """The address of the sign-in page, which leads back to the path that was asked for: never to another host, nor to where a form went."""
    root: str = scope.get("root_path", "")
    if method not in _SAFE:
        return quote(root) + SIGN_IN
    query = scope["query_string"].decode("latin-1")
    asked = scope["path"] + (f"?{query}" if query else "")
    return f"{quote(root)}{SIGN_IN}?next={quote(return_path(asked), safe='/')}"


def _refuse_other_sites(headers: Mapping[bytes, bytes], base_url: str) -> None:
    """Let a form pass that our own pages sent. Browsers say where a request comes from, in words that no page can choose.

    Old ones send `Origin` alone, which is then this host's. Raises Refused `csrf_failed` for any other, and where neither is said.
    """
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        own = site == b"same-origin"
    else:
        own = headers.get(b"origin", b"").decode("latin-1") == "://".join(urlsplit(base_url)[:2])
    if not own:
        raise CSRF_FAILED("Another site sent this form, or the browser does not say which. Open the page here, and repeat what you did.")
