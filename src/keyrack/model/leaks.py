"""Leaks: secrets of ours that somebody found where others can read them. They are ended at once, whoever still uses them."""

from dataclasses import dataclass
from enum import StrEnum

from keyrack.model.workspaces import Workspace

GITHUB_KEYS_URL = "https://api.github.com/meta/public_keys/secret_scanning"
"""Where GitHub publishes the keys with which it signs what its secret scanning has found."""
FOUND_IN_LENGTH_MAX = 500
SOURCE_LENGTH_MAX = 60


class Label(StrEnum):
    """What a scanner is told of something that it found, in GitHub's words: a secret of ours, also an ended one, or none."""

    TRUE_POSITIVE = "true_positive"
    FALSE_POSITIVE = "false_positive"


@dataclass(frozen=True, slots=True)
class Finder:
    """Who tells of leaks, as events name them. `is_proven`: what they say of the place is theirs for certain, and may stand in mail."""

    id: str
    name: str
    is_proven: bool


GITHUB = Finder("github_secret_scanning", "GitHub secret scanning", is_proven=True)
REPORT = Finder("leak_report", "Leak report", is_proven=False)


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that was found: its digest, never the clear text.

    `found_in` is the address where it stood, or words about the place; `source` the kind of place, as the finder calls it (`commit`).
    Both are empty where nobody said, and strangers may have written them.
    """

    digest: bytes
    found_in: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """What a leak turned out to be: by the digest of what was found, the `id` of what ends with it, in which workspace.

    `until` (ms since the epoch) is when what was found worked no more by itself, None where only the end of what has the `id` ends it.
    """

    digest: bytes
    id: str
    workspace: Workspace
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A credential that was ended because it leaked, as those read of it who look after it: its maker or holder, a member, among them."""

    name: str
    prefix: str
    keeper_id: str
    leak: Leak
