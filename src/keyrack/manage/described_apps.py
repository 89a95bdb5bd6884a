"""Apps that no workspace registered: they are known by a document at their address, or have registered themselves (RFC 7591).

None of them has a secret, and none belongs to anybody; members of any workspace can let them in, and end what they gave them.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from keyrack.manage import attempts
from keyrack.manage.desk import Desk
from keyrack.model.apps import App, offered
from keyrack.model.client_metadata import Described, MetadataRefused, host_of, is_url, read, refused_client_url
from keyrack.model.limits import Bucket, Limit
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST, TOO_MANY_FAILURES
from keyrack.store import oauth_lookup
from keyrack.store.ids import new_id

# A person meets few new apps an hour; whoever leads a browser here makes us fetch.
FETCHES = Limit("client_documents", quota=60, window_seconds=3600, burst=20)


async def known(desk: Desk, session: Principal, client_id: str) -> App | None:
    """Return the app that calls itself so; for one that is known by a document, as that says it now.

    Raises Refused: 400 where the document describes no app, or none is read here; `too_many_failures`.
    """
    async with desk.store.reading() as c:
        before = await oauth_lookup.app(c, client_id)
    if not is_url(client_id):
        return before
    try:
        described = await _fetched(desk, session, client_id)
    except MetadataRefused as refused:
        raise INVALID_REQUEST(f"{refused.words} Nothing was sent to the app.") from None
    return _made(desk, described, client_id, before)


async def register(desk: Desk, members: Mapping[str, Any], address: str) -> App:
    """Register an app as it describes itself: public, whatever it asks for. Raises MetadataRefused; Refused `too_many_failures`."""
    described = read(members, offered(desk.categories))
    if described.name is None:
        raise MetadataRefused("Say what the app is called, by client_name: people read it who are asked to let it in.")
    attempts.count_registration(desk, address)
    async with desk.store.changing() as c:
        return await oauth_lookup.keep_app(c, _made(desk, described, new_id()))


async def _fetched(desk: Desk, session: Principal, url: str) -> Described:
    problem = refused_client_url(url)
    if problem is not None:
        raise MetadataRefused(problem)
    found = desk.client_documents.find(url, desk.now())
    if found is not None:
        return found
    key = blake2b(f"{FETCHES.name}\0{session.person_id}".encode(), digest_size=16).digest()
    taken = desk.counters.take((Bucket(FETCHES, key),), 1)
    if not taken.allowed:
        told = "Too many apps that are new here have asked you: try again later."
        raise TOO_MANY_FAILURES(told, headers={"Retry-After": str(taken.retry_after_seconds)})
    return await desk.client_documents.fetch(url, desk.now(), offered(desk.categories))


def _made(desk: Desk, described: Described, client_id: str, before: App | None = None) -> App:
    now, host = desk.now(), host_of(client_id)
    return App(
        id=new_id() if before is None else before.id,
        workspace_id=None,
        client_id=client_id,
        name=described.name or host,
        redirect_uris=described.redirect_uris,
        scopes=described.scopes,
        created_at=now if before is None else before.created_at,
        updated_at=now,
        made_by="",
        made_by_name=host,
        homepage_url=described.homepage_url,
    )
