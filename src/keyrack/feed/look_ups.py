"""Look-ups: from the digest of a credential to the principal it proves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from time import monotonic
from typing import Protocol, TypeVar

from keyrack.feed import app_tokens, embed_keys, grants, tokens
from keyrack.feed.cache import Cache, Start
from keyrack.model.app_tokens import FoundAppToken
from keyrack.model.calls import CURRENT
from keyrack.model.embed_keys import FoundEmbedKey
from keyrack.model.grants import FoundAccess
from keyrack.model.limits import Bucket
from keyrack.model.measures import FAILED, FOUND, UNKNOWN, Tally
from keyrack.model.permissions import Category, compile_rights
from keyrack.model.plans import Plan, missing_api
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import KEY_EXPIRED, KEY_REVOKED, PLAN_UPGRADE_REQUIRED, STORE_UNAVAILABLE, Refusal, Refused
from keyrack.model.tokens import FoundToken
from keyrack.store import changes, lookup
from keyrack.store.database import Connection, Store

ANSWER_SECONDS = 2.0
"""How long a look-up may take, where nobody sets it."""

Find = Callable[[Connection, bytes], Awaitable[lookup.Found | None]]


class _Found(Protocol):
    """What was read in one snapshot; `revision` is the newest that it has."""

    @property
    def revision(self) -> int:
        """The newest revision of the snapshot."""


F = TypeVar("F", bound=_Found | None)


class Feed(Protocol):
    """What says whether the cache may be believed, and when a change may return (CONSISTENCY §3, §4)."""

    def current(self) -> bool:
        """Whether the cache holds nothing that a change which has returned made untrue."""

    async def begin(self) -> Start:
        """Return the state in which a look-up begins that may decide a call. Raises Refused where none may decide one now."""

    async def begin_again(self) -> Start | None:
        """Return the state in which a look-up that found nothing begins again; None where nothing that is there can be missed."""

    async def settle(self, revision: int) -> None:
        """Return when nobody can believe what held before this revision."""

    async def start(self) -> None:
        """Begin to follow the changes."""

    async def stop(self) -> None:
        """End, so that nobody waits for this process any more."""


class Reads:
    """Reads what may decide something: from a server that lacks nothing which was applied here, begun after it was asked for."""

    def __init__(self, store: Store, feed: Feed, answer_seconds: float) -> None:
        self.feed = feed
        self._store = store
        self._answer_seconds = answer_seconds

    async def _read(self, find: Callable[[Connection], Awaitable[F]]) -> tuple[F, Start]:
        """Return what `find` finds, and the state in which its read began, by which it may be stored.

        Raises Refused `store_unavailable` where this process may decide nothing now, where the server that answers is behind, or where
        none does in time.
        """
        try:
            async with self._in_time():
                start = await self.feed.begin()
                found = await self._read_once(find, start)
                if found is None and (again := await self.feed.begin_again()) is not None:
                    start = again
                    found = await self._read_once(find, start)
        except TimeoutError as error:
            raise STORE_UNAVAILABLE("The store does not answer in time.", headers={"Retry-After": "1"}) from error
        return found, start

    async def _read_once(self, find: Callable[[Connection], Awaitable[F]], start: Start) -> F:
        # Each statement of a finder says all that it decides, and its revision: those before it only say whom to ask.
        async with self._store.asking() as connection:
            found = await find(connection)
            revision = await changes.newest(connection) if found is None else found.revision
            if revision < start.applied:
                await connection.discard()
                raise STORE_UNAVAILABLE("The database server that answered is behind.", headers={"Retry-After": "1"})
        return found

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Bound a read, and note in its call how long it took: the change that the call makes has so much less time to begin."""
        call, began = CURRENT.get(), monotonic()
        try:
            async with asyncio.timeout(self._answer_seconds):
                yield
        finally:
            if call is not None:
                call.waited_seconds += monotonic() - began


class LookUps(Reads):
    """Answers who a credential is: from the cache where the feed lets it, else from the store."""

    def __init__(
        self,
        store: Store,
        cache: Cache,
        feed: Feed,
        categories: Mapping[str, Category],
        plans: Mapping[str, Plan],
        now: Callable[[], int],
        find: Find = lookup.credential,
        answer_seconds: float = ANSWER_SECONDS,
        tally: Tally | None = None,
    ) -> None:
        super().__init__(store, feed, answer_seconds)
        self.cache = cache
        self._categories = categories
        self._plans = plans
        self._now = now
        self._find = find
        self._tally = tally or Tally()

    def cached(self, digest: bytes) -> Principal | None:
        """Return the principal from memory, or None where it is not there or must not be believed. No await in between."""
        if self.feed.current():
            return self.cache.entries.get(digest)
        return None

    async def look_up(self, digest: bytes) -> Principal | None:
        """Read a credential from the store, and keep it where nothing could have been missed. None: there is no such credential.

        Begins after the call's head arrived, and never joins another look-up that began before. Raises Refused `store_unavailable`
        where this process may not decide a call now, or where the server that answers lacks changes that were applied here.
        """

        async def find(connection: Connection) -> lookup.Found | None:
            return await self._find(connection, digest)

        try:
            found, start = await self._read(find)
        except Refused:
            self._tally.note_look_up(FAILED)
            raise
        self._tally.note_look_up(UNKNOWN if found is None else FOUND)
        if found is None:
            return None
        principal = self._proved(found)
        self.cache.store(digest, principal, found.revision, start)
        return principal

    async def prove(self, digest: bytes) -> Principal | None:
        """Return the principal of a credential as it is at this moment."""
        return self.cached(digest) or await self.look_up(digest)

    def _proved(self, found: lookup.Found) -> Principal:
        if isinstance(found, FoundToken):
            return tokens.principal_of(found, self._categories, self._plans)
        if isinstance(found, FoundAccess):
            return grants.principal_of(found, self._categories, self._plans)
        if isinstance(found, FoundAppToken):
            return app_tokens.principal_of(found, self._categories, self._plans)
        if isinstance(found, FoundEmbedKey):
            return embed_keys.principal_of(found)
        return self._principal(found)

    def _principal(self, found: lookup.FoundKey) -> Principal:
        key, integration, workspace = found.key, found.integration, found.workspace
        missing = missing_api(self._plans, workspace.plan)
        refusal = self._refusal(found, missing)
        overlap_ends_first = key.ends_at is not None and (key.expires_at is None or key.ends_at <= key.expires_at)
        return Principal(
            kind=Kind.KEY,
            workspace=workspace,
            credential_id=key.id,
            credential_name=key.name,
            prefix=key.prefix,
            mode=key.mode,
            rights=integration.rights,
            masks=compile_rights(integration.rights, self._categories, found.space_ids),
            derived_from=frozenset({key.id, integration.id, workspace.id, *integration.rights.spaces, *found.space_ids}),
            integration_id=integration.id,
            until=key.ends_at if overlap_ends_first else key.expires_at,
            until_refusal=KEY_REVOKED if overlap_ends_first else KEY_EXPIRED,
            ip_ranges=tuple(ip_network(text) for text in key.ip_ranges),
            buckets=self._buckets(found),
            refusal=refusal,
            api_version=key.api_version or "",
            because=missing if refusal is PLAN_UPGRADE_REQUIRED else key.why(),
        )

    def _refusal(self, found: lookup.FoundKey, missing: str) -> Refusal | None:
        if found.workspace.deleted_at is not None or found.integration.deleted_at is not None:
            return KEY_REVOKED
        own = found.key.refusal(self._now())
        if own is not None:
            return own
        return found.workspace.api_refusal(missing)

    def _buckets(self, found: lookup.FoundKey) -> tuple[Bucket, ...]:
        plan = self._plans.get(found.workspace.plan)
        subjects = {"workspace": found.workspace.id, "integration": found.integration.id, "key": found.key.id}
        return () if plan is None else plan.buckets(found.key.mode, subjects)
