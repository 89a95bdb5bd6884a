"""What readers say of a page of the docs. Nothing of it says who they are."""

from dataclasses import dataclass

COMMENT_LENGTH_MAX = 1000


@dataclass(frozen=True, slots=True)
class DocsFeedback:
    """Whether a page helped somebody, and what they had to say about it. `page` is its path below `/docs`."""

    id: str
    page: str
    helpful: bool
    created_at: int
    comment: str = ""


@dataclass(frozen=True, slots=True)
class PageCount:
    """How many readers found a page helpful, and how many did not."""

    page: str
    helpful: int
    unhelpful: int
    comments: int
