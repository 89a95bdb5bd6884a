"""The feed of a store whose processes hold no lease yet: nothing is believed, each call looks up."""


class UncachedFeed:
    """Says that the cache may never be believed. A look-up that begins after a call's head arrived is always current."""

    def current(self) -> bool:
        """Whether the cache may be believed: never."""
        return False

    async def settle(self, revision: int) -> None:
        """Return when nobody can believe what held before this revision: at once, for nobody believes anything."""
