"""Recipients: what this process believes of endpoints, by the rules for credentials. Asked right before each attempt's first byte."""

from collections.abc import Mapping

from keyrack.feed.cache import Cache
from keyrack.feed.look_ups import ANSWER_SECONDS, Feed, Reads
from keyrack.model.permissions import Category, OrgAccess, Rights, compile_rights
from keyrack.model.plans import Plan
from keyrack.model.recipients import Recipient
from keyrack.model.refusals import STORE_UNAVAILABLE
from keyrack.store import recipients
from keyrack.store.database import Store
from keyrack.store.recipients import FoundRecipient

LOOK_UPS_MAX = 5


class Recipients(Reads):
    """Answers how an endpoint stands: from the cache where the feed lets it, else from the store."""

    def __init__(
        self,
        store: Store,
        cache: Cache,
        feed: Feed,
        categories: Mapping[str, Category],
        plans: Mapping[str, Plan],
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        super().__init__(store, feed, answer_seconds)
        self._cache = cache
        self._categories = categories
        self._plans = plans

    def cached(self, endpoint_id: str) -> Recipient | None:
        """Return how an endpoint stands from memory, or None where it is not there or must not be believed. No await in between."""
        return self._cache.recipients.get(endpoint_id) if self.feed.current() else None

    async def look_up(self, endpoint_id: str) -> Recipient | None:
        """Read how an endpoint stands, and keep it where nothing could have been missed. None: there never was one.

        Raises Refused `store_unavailable` where this process may not decide anything now.
        """
        found, start = await self._read(lambda connection: recipients.get(connection, endpoint_id))
        if found is None:
            return None
        recipient = self.compiled(found)
        self._cache.store(endpoint_id, recipient, found.revision, start)
        return recipient

    async def at_this_moment(self, endpoint_id: str) -> Recipient | None:
        """Return how an endpoint stands when this returns: what a change that has returned made untrue is not believed any more.

        A look-up that decided by itself would be as old as its beginning, so its result counts once the cache has kept it. None: there
        never was one. Raises Refused `store_unavailable`, also where changes come faster than look-ups.
        """
        for _ in range(LOOK_UPS_MAX):
            found = self.cached(endpoint_id)
            if found is not None:
                return found
            if await self.look_up(endpoint_id) is None:
                return None
        raise STORE_UNAVAILABLE("Nobody can say how the endpoint stands.", headers={"Retry-After": "1"})

    def compiled(self, found: FoundRecipient) -> Recipient:
        """Return an endpoint, as it was found, as a recipient."""
        endpoint, workspace, integration = found.endpoint, found.workspace, found.integration
        ids = {endpoint.id, workspace.id, *found.space_ids}
        # What is the workspace's own is told what an org-level Admin reads: nothing of what lies in spaces (DESIGN §5).
        rights = Rights(OrgAccess.ADMIN) if integration is None else integration.rights
        masks = compile_rights(rights, self._categories, found.space_ids)
        if integration is not None:
            ids |= {integration.id, *integration.rights.spaces}
        plan = self._plans.get(workspace.plan)
        gone = (endpoint.deleted_at, workspace.deleted_at, integration.deleted_at if integration is not None else None)
        is_gone = any(at is not None for at in gone)
        return Recipient(endpoint, workspace, masks, plan is not None and plan.api_access, is_gone, frozenset(ids))
