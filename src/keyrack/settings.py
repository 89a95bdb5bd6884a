"""What an operator sets. Every setting has a default that is right for one machine."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url

from keyrack.model.leaks import GITHUB_KEYS_URL

LEASE_SECONDS_MAX = 10.0
"""No process may believe its memory for longer without renewing."""
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")


class Settings(BaseSettings):
    """Settings, read from the environment as `KEYRACK_<NAME>` (lists as JSON).

    `data` is the folder for everything that Keyrack keeps itself. `database_url` names a PostgreSQL database; without it, SQLite files in
    `data` are used. `direct_url` leads to the same database itself where `database_url` leads to a pooler. On PostgreSQL a process may
    believe its memory for `lease_seconds` after each renewal, so a change waits about as long for one that does not answer; a call waits
    `store_wait_seconds` for its process to renew. The look-up of a credential may take `store_answer_seconds`, and so may the begin of any
    transaction (a free connection, a server that answers, a lock), a call's look-up and its change together: after that the answer is 503.
    A process moves up to `log_lines_here_max` lines a second of the request log into the store itself; where there are more, a process
    beside it does that for the whole data folder.
    `secrets` are the signing keys, newest first; without any, a file in `data` holds one.
    `valkey_url` (`valkey://`, `valkeys://` for TLS, `unix://`) names the Valkey with which several machines count their limits together; a
    call waits for its answer `valkey_wait_seconds` at most, once. Without it, limits are counted per machine.
    `trusted_proxies` are the networks whose `X-Forwarded-For` or `Forwarded` header is believed. `base_url` is the address that people
    outside use; without it, links follow the call's Host header. Addresses that customers give are called only where they are public, or
    in one of `outgoing_networks`, where it may also be http.

    The server's own log is text for people at a terminal and JSON elsewhere, or what `log_format` says. `/metrics` is there for whoever
    sends `metrics_token`, and for nobody where none is set. Traces go to the OTLP/HTTP address `traces_url`, `traces_ratio` of them.

    Mail goes out from `mail_from` through `smtp_url` (`smtp://user:password@host:587`, or `smtps://` for TLS from the beginning) or
    through Resend, with `resend_key`; its links need `base_url`. Without either, pages show links to copy. `portal_origins` are the
    origins whose pages may frame the console by a portal link. Connectors find Slack at `slack_url` (its incoming webhooks begin with
    `slack_hooks_url`), Resend at `resend_url` and Stripe at `stripe_url`.
    People sign in through the OpenID provider `oidc_issuer` as the client
    `oidc_client_id` with `oidc_client_secret`, called `oidc_name` on the page. What GitHub says that it has found of leaked keys is proven
    by the public keys at `github_keys_url`.
    Apps may be known by a document at their address (`client_documents`), which is fetched as other addresses of customers are, and may
    register themselves where `client_registration` says so: people are told that nobody has checked such an app.
    """

    model_config = SettingsConfigDict(env_prefix="KEYRACK_", extra="forbid", hide_input_in_errors=True)

    data: Path = Path("keyrack-data")
    database_url: str | None = None
    direct_url: str | None = None
    base_url: str | None = None
    secrets: list[SecretStr] = Field(default_factory=list)
    trusted_proxies: list[str] = Field(default_factory=list)
    outgoing_networks: list[str] = Field(default_factory=list)
    body_bytes_max: int = Field(default=1024 * 1024, ge=1024, le=1024**3)
    header_bytes_max: int = Field(default=32 * 1024, ge=1024, le=1024**2)
    header_count_max: int = Field(default=100, ge=10, le=1000)
    cache_entries_max: int = Field(default=200_000, ge=100, le=10_000_000)
    spool_segment_bytes: int = Field(default=2 * 1024 * 1024, ge=64 * 1024, le=1024**3)
    log_lines_here_max: int = Field(default=500, ge=0, le=1_000_000_000)
    store_wait_seconds: float = Field(default=1.0, gt=0, le=30)
    store_answer_seconds: float = Field(default=2.0, gt=0, le=60)
    valkey_url: SecretStr | None = None
    valkey_wait_seconds: float = Field(default=0.25, gt=0, le=5)
    lease_seconds: float = Field(default=2.0, ge=0.5, le=LEASE_SECONDS_MAX)
    log_format: Literal["auto", "json", "console"] = "auto"
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    traces_url: str | None = None
    traces_ratio: float = Field(default=1.0, ge=0, le=1)
    mail_from: str | None = None
    smtp_url: SecretStr | None = None
    resend_key: SecretStr | None = None
    resend_url: str = "https://api.resend.com"
    slack_url: str = Field(default="https://slack.com/api/", pattern=r"^https?://")
    slack_hooks_url: str = Field(default="https://hooks.slack.com/", pattern=r"^https?://")
    stripe_url: str = Field(default="https://api.stripe.com", pattern=r"^https?://")
    portal_origins: list[str] = Field(default_factory=list)
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = "single sign-on"
    client_documents: bool = True
    client_registration: bool = False
    github_keys_url: str = Field(default=GITHUB_KEYS_URL, pattern=r"^https?://")

    @field_validator("trusted_proxies", "outgoing_networks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ip_network(network, strict=False)
        return value

    @field_validator("valkey_url")
    @classmethod
    def _valkey(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("valkey://", "valkeys://", "unix://")):
            raise ValueError("valkey_url begins with valkey://, valkeys:// (TLS) or unix://")
        return value

    @field_validator("base_url")
    @classmethod
    def _without_slash(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("base_url begins with https:// (or http:// on a private machine)")
        return value.rstrip("/") if value else value

    @field_validator("portal_origins")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError("a portal origin is a scheme and a host, like https://app.example.com")
        return value

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if self.smtp_url is not None and self.resend_key is not None:
            raise ValueError("mail goes out through smtp_url or resend_key, not both")
        if self.sends_mail and (self.mail_from is None or self.base_url is None):
            raise ValueError("mail needs mail_from, and base_url for its links")
        if self.smtp_url is not None and urlsplit(self.smtp_url.get_secret_value()).scheme not in ("smtp", "smtps"):
            raise ValueError("smtp_url begins with smtp:// or smtps://")
        oidc = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if any(oidc) and not (all(oidc) and self.base_url):
            raise ValueError("an OpenID provider needs oidc_issuer, oidc_client_id, oidc_client_secret and base_url")
        return self

    @property
    def sends_mail(self) -> bool:
        """Whether mail goes out from here."""
        return self.smtp_url is not None or self.resend_key is not None

    @property
    def store_url(self) -> str:
        """The URL of the main database, as SQLAlchemy's async drivers want it."""
        if self.database_url is None:
            return _file_url(self.data / "keyrack.db")
        return _with_driver(self.database_url)

    @property
    def feed_url(self) -> str:
        """The URL of the main database itself, for what no pooler may stand before."""
        return self.store_url if self.direct_url is None else _with_driver(self.direct_url)

    @property
    def store_path(self) -> Path | None:
        """The main file on SQLite, the very one that `store_url` names; None on PostgreSQL."""
        url = make_url(self.store_url)
        return Path(url.database or "") if url.get_backend_name() == "sqlite" else None

    @property
    def traffic_url(self) -> str | None:
        """The URL of the second file on SQLite; None where the one database holds everything."""
        if self.store_path is None:
            return None
        return _file_url(self.data / "traffic.db")


def _file_url(path: Path) -> str:
    # Quoted, for a URL reads % and ? in its own way.
    return f"sqlite+aiosqlite:///{quote(str(path.absolute()))}"


def _with_driver(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    drivers = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
    return drivers.get(scheme, scheme) + colon + rest
