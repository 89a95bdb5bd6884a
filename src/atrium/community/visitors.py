"""Who is at the community: nobody's member yet, a member, or the team; and which of it they see."""

from collections.abc import Mapping
from dataclasses import dataclass

from atrium.community.founding import Home
from atrium.community.models import PostRow, Thread
from atrium.community.spaces import CommunitySpace
from atrium.database import now_ms
from keyrack import Keyrack, Member, refusals

STAFF_ROLES = ("owner", "admin")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person at the community. `names` are those of its spaces, as the team calls them; one that it deleted is not among them.

    Owners and admins of the community's workspace are the team. A member who was made inactive there is kept out.
    """

    home: Home
    person_id: str
    member: Member | None
    names: Mapping[CommunitySpace, str]

    @property
    def is_member(self) -> bool:
        """Whether they are in."""
        return self.member is not None and self.member.active(now_ms())

    @property
    def is_kept_out(self) -> bool:
        """Whether they cannot join, because the team has put them out."""
        return self.member is not None and not self.is_member

    @property
    def is_staff(self) -> bool:
        """Whether they are of the team."""
        return self.member is not None and self.is_member and self.member.role in STAFF_ROLES

    @property
    def name(self) -> str:
        """What stands above what they write. Raises Refused 403 where they are no member."""
        if self.member is None or not self.is_member:
            raise refusals.INSUFFICIENT_PERMISSION("Join the community first.")
        return self.member.name

    def space_of(self, thread: Thread) -> CommunitySpace | None:
        """Return the space that a thread lies in, if there still is one."""
        return next((space for space in self.names if self.home.space_ids[space] == thread.space_id), None)

    def sees(self, thread: Thread) -> bool:
        """Whether they may read a thread. What is not for them looks like what is not there."""
        space = self.space_of(thread)
        if space is None or thread.deleted_at is not None or not self.is_member:
            return False
        return self.is_staff or (thread.hidden_at is None and (not space.is_private or self.wrote(thread)))

    def wrote(self, post: PostRow) -> bool:
        """Whether a post is theirs."""
        return post.author_id == self.person_id


async def visitor(rack: Keyrack, home: Home, person_id: str) -> Visitor:
    """Return who a person is at the community, as of now. Raises Refused 404 where the operator has deleted its workspace."""
    if await rack.workspaces.find(home.workspace_id) is None:
        raise refusals.NOT_FOUND("The community is closed.")
    member = await rack.people.member(person_id, home.workspace_id)
    there = {one.id: one.name for one in await rack.spaces.list(home.workspace_id, within=home.space_ids.values())}
    names = {space: there[home.space_ids[space]] for space in CommunitySpace if home.space_ids[space] in there}
    return Visitor(home, person_id, member, names)
