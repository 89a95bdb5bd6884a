"""Apps: OAuth clients that somebody registered, and where their answers may be sent (RFC 6749 §3.1.2, RFC 9700 §2.1)."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from keyrack.model.permissions import Category, Level, Permission

SPACES = "spaces"
"""The scope word for what lies in spaces: reached by roles, in whatever spaces the member is in. `read` is viewer, `write` contributor."""

URI_LENGTH_MAX = 1000
URIS_MAX = 10
SCOPES_MAX = 200
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:/[^#]*)?)")
_WRITABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class App:
    """One app. Times are ms since the epoch.

    `scopes` are the permissions that it asks for at most, as `category:level`; `secret_digest` is None for a public app, which proves
    itself by PKCE alone. A secret that leaked has ended at `secret_ended_at`, and proves nothing. `own_scopes` are the permissions that an
    admin gave the app itself: with any, it gets tokens with which it acts in its own workspace, and for no member.

    Members of any workspace can let the app in; it belongs to the one in which it was registered. With `workspace_id` None it belongs to
    nobody: it described itself.
    """

    id: str
    workspace_id: str | None
    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    created_at: int
    updated_at: int
    made_by: str
    made_by_name: str
    secret_digest: bytes | None = field(default=None, repr=False)
    secret_prefix: str | None = None
    secret_made_at: int | None = None
    secret_ended_at: int | None = None
    own_scopes: tuple[str, ...] = ()
    partner: str | None = None
    homepage_url: str | None = None
    deleted_at: int | None = None

    @property
    def is_public(self) -> bool:
        """Whether the app has no secret: it runs where nobody could keep one."""
        return self.secret_digest is None

    @property
    def is_registered(self) -> bool:
        """Whether a workspace registered the app; else it described itself, and nobody has checked that."""
        return self.workspace_id is not None

    def accepts(self, redirect_uri: str) -> bool:
        """Whether answers may be sent there: exactly what was registered, but for the port of a loopback address (RFC 8252 §7.3)."""
        if redirect_uri in self.redirect_uris:
            return True
        asked = _portless(redirect_uri)
        return asked is not None and asked in {_portless(registered) for registered in self.redirect_uris}


def refused_redirect_uri(uri: str) -> str | None:
    """Say why answers cannot be sent there, or None."""
    if len(uri) > URI_LENGTH_MAX or not _WRITABLE.fullmatch(uri) or any(place in uri for place in ("\\", "#", "*")):
        return f"A redirect URI has at most {URI_LENGTH_MAX} characters, no blank, no fragment and no wildcard."
    try:
        parts = urlsplit(uri)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError:
        return "This is no address."
    if parts.scheme == "http" and _portless(uri) is not None:
        return None
    if parts.scheme != "https" or not host or user is not None:
        return "A redirect URI begins with https://; for a program on its user's machine, with http://127.0.0.1 or http://[::1]."
    return None


def is_ours(resource: str, issuer: str) -> bool:
    """Whether a resource that an app names is the one that this server protects, or lies in it (RFC 8707): tokens work nowhere else."""
    return resource == issuer or (resource.startswith(f"{issuer}/") and "#" not in resource)


def levels_of(scopes: Collection[str]) -> dict[str, Level]:
    """Return how far into each category these scopes go. Raises ValueError for one that is no permission."""
    levels: dict[str, Level] = {}
    for scope in scopes:
        asked = Permission.of(scope)
        levels[asked.category] = max(asked.level, levels.get(asked.category, Level.NONE))
    return levels


def scopes_of(levels: Mapping[str, Level]) -> tuple[str, ...]:
    """Return levels as scopes, one for each category that is reached at all."""
    return tuple(f"{name}:{level.word}" for name, level in sorted(levels.items()) if level)


def united(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Return what either holds."""
    return scopes_of(levels_of([*one, *other]))


def shared(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Return what both hold."""
    mine, theirs = levels_of(one), levels_of(other)
    return scopes_of({name: min(level, theirs.get(name, Level.NONE)) for name, level in mine.items()})


def offered(categories: Mapping[str, Category]) -> tuple[str, ...]:
    """Return all scopes that there are."""
    names = [one.name for one in categories.values() if not one.in_spaces]
    if any(one.in_spaces for one in categories.values()) and SPACES not in names:
        names.append(SPACES)
    return tuple(f"{name}:{level}" for name in names for level in ("read", "write"))


def in_words(scope: str, categories: Mapping[str, Category], who: str = "you are") -> str:
    """Say to people what a scope lets an app do; `who` is in spaces."""
    asked = Permission.of(scope)
    verb = "Read" if asked.level is Level.READ else "Read, change and delete"
    category = categories.get(asked.category)
    if category is None or category.in_spaces:
        return f"{verb} what lies in the spaces that {who} in"
    return f"{verb} {category.title.lower()}"


def _portless(uri: str) -> tuple[str, str] | None:
    found = _LOOPBACK.fullmatch(uri)
    return (found[1], found[2]) if found else None
