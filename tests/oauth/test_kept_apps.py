"""Apps that describe themselves are kept once, as they say they are now, and those that nobody lets in are forgotten."""

import asyncio
from dataclasses import replace

import pytest
from authlib.oauth2.rfc6749.errors import InvalidClientError

from keyrack.manage import consents, described_apps, grants, oauth_tokens
from tests.oauth.conftest import CALLBACK, ISSUER, Parties, a_verifier

MEMBERS = {"client_name": "Stranger", "redirect_uris": [CALLBACK]}
MONTH_MS = 31 * 24 * 3600 * 1000


async def test_self_registered_app_is_kept_where_a_member_let_it_in_and_else_forgotten(parties: Parties) -> None:
    desk, session, workspace_id = parties.desk, parties.session, parties.host.workspace.id
    kept, unused = [await described_apps.register(desk, MEMBERS, "192.0.2.1") for _ in range(2)]
    asking = parties.asking(a_verifier(), client_id=kept.client_id, scope="customers:read")
    wanted = await consents.asked(desk, session, list(asking.items()), ISSUER)
    assert (None, kept) == (wanted.wrong, wanted.app)
    renamed = replace(wanted, app=replace(kept, id="another", name="Renamed"))
    await asyncio.gather(*(consents.allow(desk, session, one, workspace_id, ISSUER) for one in (wanted, wanted)))
    await consents.allow(desk, session, renamed, workspace_id, ISSUER)
    (held,) = await grants.page(desk, parties.host.owner, limit=9)
    assert (kept.id, "Renamed", None, ("customers:read",)) == (held.app.id, held.app.name, held.app.workspace_id, held.grant.scopes)
    parties.host.clock.set(parties.host.clock.now() + MONTH_MS)
    await oauth_tokens.prune(desk)
    assert kept.id == (await oauth_tokens.client(desk, kept.client_id, None, "192.0.2.1")).id
    with pytest.raises(InvalidClientError):
        await oauth_tokens.client(desk, unused.client_id, None, "192.0.2.1")
