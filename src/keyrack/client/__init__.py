"""The SDK: calls an API that Keyrack guards, from a customer's program. It needs nothing else of this package, and no server of its own.

`Client` blocks, `AsyncClient` is awaited; `webhooks.verify` tells whether a delivery is genuine. docs/sdks.md shows how.
"""

from keyrack.client import webhooks
from keyrack.client.access import Access
from keyrack.client.answers import Answer, Budget
from keyrack.client.apps import App, IssuedApp, Uninstallation
from keyrack.client.clients import AsyncClient, Client, Resource
from keyrack.client.connectors import Connector, ConnectorCall, ConnectorCheck
from keyrack.client.embed_keys import EmbedKey
from keyrack.client.endpoints import Attempt, Delivery, Endpoint, EventKind, IssuedEndpoint, Replay, WholeDelivery
from keyrack.client.errors import (
    AlreadyDoneError,
    AuthenticationError,
    ConflictError,
    GoneError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    KeyrackError,
    NoAnswerError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    StatusError,
    TimedOutError,
    UnreadableAnswerError,
    WebhookVerificationError,
)
from keyrack.client.events import Event
from keyrack.client.grants import Grant
from keyrack.client.integrations import Integration
from keyrack.client.invitations import Invitation, Invited
from keyrack.client.keys import IssuedKey, Key
from keyrack.client.members import Member
from keyrack.client.operations import Listing, Page
from keyrack.client.request_logs import RequestLog
from keyrack.client.spaces import Space, SpaceMember
from keyrack.client.tokens import IssuedToken, Token
from keyrack.client.workspaces import Identity, Membership, PortalLink, RateLimit, Usage, Workspace

__all__ = [
    "Access",
    "AlreadyDoneError",
    "Answer",
    "App",
    "AsyncClient",
    "Attempt",
    "AuthenticationError",
    "Budget",
    "Client",
    "ConflictError",
    "Connector",
    "ConnectorCall",
    "ConnectorCheck",
    "Delivery",
    "EmbedKey",
    "Endpoint",
    "Event",
    "EventKind",
    "GoneError",
    "Grant",
    "IdempotencyKeyReusedError",
    "Identity",
    "Integration",
    "InvalidRequestError",
    "Invitation",
    "Invited",
    "IssuedApp",
    "IssuedEndpoint",
    "IssuedKey",
    "IssuedToken",
    "Key",
    "KeyrackError",
    "Listing",
    "Member",
    "Membership",
    "NoAnswerError",
    "NotFoundError",
    "Page",
    "PermissionDeniedError",
    "PortalLink",
    "QuotaExceededError",
    "RateLimit",
    "RateLimitError",
    "Replay",
    "RequestLog",
    "Resource",
    "ServerError",
    "Space",
    "SpaceMember",
    "StatusError",
    "TimedOutError",
    "Token",
    "Uninstallation",
    "UnreadableAnswerError",
    "Usage",
    "WebhookVerificationError",
    "WholeDelivery",
    "Workspace",
    "webhooks",
]
