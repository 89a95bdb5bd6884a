"""What apps say of themselves that no workspace registered: in a document at an https address that is their client id, or in a request.

Client ID Metadata Documents are those of draft-ietf-oauth-client-id-metadata-document; the members of both are RFC 7591's. Nobody has
checked any of it, and none of these apps has a secret: they prove themselves by PKCE, and by where their answers are sent.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from keyrack.model.apps import URI_LENGTH_MAX, URIS_MAX, levels_of, refused_redirect_uri, scopes_of

CLIENT_URL_LENGTH_MAX = 500
NAME_LENGTH_MAX = 100
SCOPE_LENGTH_MAX = 5_000
_WRITABLE = re.compile(r"[!-~]+")
_SECRETS = ("client_secret", "client_secret_expires_at")


class MetadataRefused(Exception):
    """These members describe no app. The `error` is RFC 7591's, the words are for whoever makes the app."""

    def __init__(self, words: str, error: str = "invalid_client_metadata") -> None:
        super().__init__(words)
        self.error = error
        self.words = words


@dataclass(frozen=True, slots=True)
class Described:
    """An app as it describes itself. `scopes` are what it asks for at most: all that there are where it does not say."""

    name: str | None
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    homepage_url: str | None


def is_url(client_id: str) -> bool:
    """Whether a client id is the address of a document."""
    return client_id.startswith("https://")


def host_of(client_id: str) -> str:
    """Return the host, with its port where it names one, whose document describes the app."""
    return urlsplit(client_id).netloc


def refused_client_url(url: str) -> str | None:
    """Say why no document can stand at a client id that is an address, or None (§3 of the draft)."""
    if len(url) > CLIENT_URL_LENGTH_MAX or not _WRITABLE.fullmatch(url) or any(place in url for place in ("\\", "#")):
        return f"A client id that is an address has at most {CLIENT_URL_LENGTH_MAX} characters, no blank and no fragment."
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError:
        return "This is no address."
    segments = [segment.lower().replace("%2e", ".") for segment in parts.path.split("/")]
    if parts.scheme != "https" or not host or user is not None or not parts.path or {".", ".."} & set(segments):
        return "A client id that is an address begins with https://, has a path without . and .. in it, and no user name."
    return None


def of_document(url: str, members: Mapping[str, Any], known: Collection[str]) -> Described:
    """Return the app that a document at an address describes; `known` are all scopes. Raises MetadataRefused."""
    if members.get("client_id") != url:
        raise MetadataRefused("The document's client_id is not the address at which it stands.")
    if members.get("token_endpoint_auth_method", "none") != "none":
        raise MetadataRefused("An app that is known by a document is public: its token_endpoint_auth_method is none.")
    described = read(members, known)
    homepage = described.homepage_url
    if homepage is not None and urlsplit(homepage).netloc != host_of(url):
        # A page of others would lend its name to the app.
        return Described(described.name, described.redirect_uris, described.scopes, None)
    return described


def read(members: Mapping[str, Any], known: Collection[str]) -> Described:
    """Return the app that these members describe; `known` are all scopes. Members that it does not name are ignored.

    Raises MetadataRefused.
    """
    if any(name in members for name in _SECRETS):
        raise MetadataRefused("A public app has no client secret.")
    for name, needed in (("grant_types", "authorization_code"), ("response_types", "code")):
        chosen = members.get(name, [needed])
        if not isinstance(chosen, list) or needed not in chosen:
            raise MetadataRefused(f"{name} has {needed}.")
    return Described(_name(members), _redirect_uris(members), _scopes(members, known), _homepage(members))


def _name(members: Mapping[str, Any]) -> str | None:
    name = members.get("client_name")
    if name is None:
        return None
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= NAME_LENGTH_MAX or not name.strip().isprintable():
        raise MetadataRefused(f"client_name has 1 to {NAME_LENGTH_MAX} printable characters.")
    return name.strip()


def _redirect_uris(members: Mapping[str, Any]) -> tuple[str, ...]:
    uris = members.get("redirect_uris")
    if not isinstance(uris, list) or not 1 <= len(uris) <= URIS_MAX:
        raise MetadataRefused(f"redirect_uris has 1 to {URIS_MAX} addresses.", "invalid_redirect_uri")
    for uri in uris:
        problem = refused_redirect_uri(uri) if isinstance(uri, str) else "A redirect URI is a text."
        if problem is not None:
            raise MetadataRefused(problem, "invalid_redirect_uri")
    return tuple(dict.fromkeys(uris))


def _scopes(members: Mapping[str, Any], known: Collection[str]) -> tuple[str, ...]:
    scope = members.get("scope", "")
    if not isinstance(scope, str) or len(scope) > SCOPE_LENGTH_MAX:
        raise MetadataRefused(f"scope is a text of at most {SCOPE_LENGTH_MAX} characters.")
    # Such apps are written for many servers, and name what only others have.
    return scopes_of(levels_of([one for one in scope.split() if one in known] if scope.split() else known))


def _homepage(members: Mapping[str, Any]) -> str | None:
    url = members.get("client_uri")
    is_one = isinstance(url, str) and len(url) <= URI_LENGTH_MAX and url.startswith("https://") and bool(_WRITABLE.fullmatch(url))
    return url if is_one else None
