"""The spaces of the community: what each is for, and who may do what in it."""

from enum import StrEnum


class CommunitySpace(StrEnum):
    """A space of the community, as its address names it."""

    SHARE = "share"
    ASK = "ask"
    UPDATES = "updates"
    SUPPORT = "support"

    @property
    def about(self) -> str:
        """What it is for, in a sentence."""
        return _ABOUT[self]

    @property
    def is_private(self) -> bool:
        """Whether only its author and the team see a thread."""
        return self is CommunitySpace.SUPPORT

    def opens(self, *, is_staff: bool) -> bool:
        """Whether somebody may start a thread here: what is new is told by the team alone."""
        return is_staff or self is not CommunitySpace.UPDATES


_ABOUT = {
    CommunitySpace.SHARE: "Code, examples and ways to integrate that worked for you.",
    CommunitySpace.ASK: "Questions, answered by other developers and by the team.",
    CommunitySpace.UPDATES: "New features and changes of the API, as the changelog tells them.",
    CommunitySpace.SUPPORT: "Help with a case of your own: only you and the team see it.",
}
