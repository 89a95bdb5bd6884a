"""What people send from the community's pages."""

from enum import StrEnum

from atrium.fields import Body, Name, Text


class NewThread(Body):
    """A thread to start."""

    title: Name
    body: Text


class NewReply(Body):
    """A reply to a thread."""

    body: Text


class Measure(StrEnum):
    """What the team does about a post, and an author to what nobody has answered: delete it."""

    HIDE = "hide"
    SHOW = "show"
    LOCK = "lock"
    UNLOCK = "unlock"
    DELETE = "delete"
