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


@dataclass(frozen=True, slots=True)
class Identity:
    """What an identity provider (`issuer`) calls a person (`subject`)."""

    issuer: str
    subject: str
    person_id: str
    created_at: int
