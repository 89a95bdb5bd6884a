"""People: logins, each in one or several workspaces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """One login. `email` is stored lower-case and is unique."""

    id: str
    email: str
    name: str
    created_at: int
    updated_at: int
