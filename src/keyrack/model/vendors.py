"""The vendors that workspaces can connect, and what a host says of its events for each: what a message, a mail, a customer is made of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keyrack.model.connectors import Compose, SettingsProblem, Vendor, VendorField
from keyrack.model.events import EventType

SLACK_TEXT_LENGTH_MAX = 4000
_SLACK_TOKEN = re.compile(r"xoxb-[A-Za-z0-9-]{10,250}")
_SLACK_CHANNEL = re.compile(r"[CGD][A-Z0-9]{8,20}|#[^\s#,]{1,79}")
_RESEND_KEY = re.compile(r"re_[A-Za-z0-9_]{10,250}")
_FROM = re.compile(r"[^<>\r\n]{0,100}<[^<>@\s]{1,64}@[^<>@\s]{3,190}>|[^<>@\s]{1,64}@[^<>@\s]{3,190}")
_STRIPE_KEY = re.compile(r"(sk|rk)_(live|test)_[A-Za-z0-9]{10,250}")


@dataclass(frozen=True)
class SlackMessages(Vendor):
    """What events say in a Slack channel: `messages={CUSTOMER_CREATED: lambda event: f"New customer: {event.data['name']}"}`.

    Each text is plain: nothing in it is markup, a mention of everybody or a preview, for it quotes what others wrote.
    """

    messages: Mapping[EventType, Compose[str]]

    name = "slack"
    title = "Slack"
    summary = "Posts a message into a channel when something happens."
    address = ("channel",)
    fields = (
        VendorField(
            "token",
            "Bot token",
            "Of a Slack app with the scope chat:write. Or leave it out, and give an incoming webhook below.",
            "xoxb-…",
            secret=True,
            required=False,
        ),
        VendorField("channel", "Channel", "Its id, or its name with a #. The app must be in it.", "C0123456789", required=False),
        VendorField(
            "webhook_url",
            "Incoming webhook",
            "In the place of token and channel: it posts into the one channel that it was made for.",
            "https://hooks.slack.com/services/…",
            secret=True,
            required=False,
        ),
    )

    def composers(self) -> Mapping[EventType, Compose[str]]:
        """What each event says."""
        return self.messages

    def check(self, settings: Mapping[str, str], urls: Mapping[str, str]) -> None:
        """Check that there is a token with its channel, or an incoming webhook. Raises SettingsProblem."""
        hook = settings.get("webhook_url")
        if hook:
            if settings.get("token") or settings.get("channel"):
                raise SettingsProblem("webhook_url", "Give a token and a channel, or an incoming webhook, not both.")
            if not hook.startswith(f"{urls['slack_hooks'].rstrip('/')}/") or len(hook) > 500 or not re.fullmatch(r"[!-~]+", hook):
                raise SettingsProblem("webhook_url", f"An incoming webhook of Slack begins with {urls['slack_hooks'].rstrip('/')}/.")
            return
        if not _SLACK_TOKEN.fullmatch(settings.get("token", "")):
            raise SettingsProblem("token", "Give the bot token of a Slack app: it begins with xoxb-.")
        if not _SLACK_CHANNEL.fullmatch(settings.get("channel", "")):
            raise SettingsProblem("channel", "Give the channel by its id, like C0123456789, or by its name, like #customers.")

    def merged(self, settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
        """Return how it is set after a change: an incoming webhook takes the place of token and channel, and the other way round."""
        replaced: tuple[str, ...] = ("webhook_url",) if given.get("token") or given.get("channel") else ()
        if given.get("webhook_url"):
            replaced = ("token", "channel")
        return super().merged(
            {name: value for name, value in settings.items() if name not in replaced}, {**given, **dict.fromkeys(replaced, "")}
        )

    def request(self, content: str) -> dict[str, Any]:
        """Return the message, with what would be markup made harmless."""
        text = content if len(content) <= SLACK_TEXT_LENGTH_MAX else f"{content[: SLACK_TEXT_LENGTH_MAX - 1]}…"
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail that an event becomes: to whom, and what it says, as text and, where the host wants that, as HTML."""

    to: str
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ResendMails(Vendor):
    """What events say in mails that go out through Resend: `mails={ONBOARDING_CREATED: welcome}`, where `welcome` gives an OutgoingMail."""

    mails: Mapping[EventType, Compose[OutgoingMail]]

    name = "resend"
    title = "Resend"
    summary = "Sends mail to your customers, from an address of yours."
    address = ("from",)
    fields = (
        VendorField("api_key", "API key", "Sending access is enough. Checking it also asks for your domains.", "re_…", secret=True),
        VendorField("from", "From", "An address of a domain that Resend has verified.", "Aurora <hello@aurora.com>"),
    )

    def composers(self) -> Mapping[EventType, Compose[OutgoingMail]]:
        """The mail of each event."""
        return self.mails

    def check(self, settings: Mapping[str, str], urls: Mapping[str, str]) -> None:
        """Check the key's shape and the address. Raises SettingsProblem."""
        if not _RESEND_KEY.fullmatch(settings.get("api_key", "")):
            raise SettingsProblem("api_key", "Give an API key of Resend: it begins with re_.")
        if not _FROM.fullmatch(settings.get("from", "")):
            raise SettingsProblem("from", "Write an address like hello@aurora.com, or Aurora <hello@aurora.com>.")

    def request(self, content: OutgoingMail) -> dict[str, Any]:
        """Return the mail."""
        # Names that people chose stand in it, and a header is one line.
        subject = " ".join(content.subject.split())
        html = {} if content.html is None else {"html": content.html}
        return {"to": [content.to], "subject": subject, "text": content.text, **html}


@dataclass(frozen=True, slots=True)
class StripeCustomer:
    """A customer as Stripe holds it. What is None is left as it is there; `metadata` are names and texts of the host's own."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StripeCustomers(Vendor):
    """Customers at Stripe, created and updated with the host's: `StripeCustomers(created=…, updated=…, fields=as_stripe_customer)`.

    `fields` gives a StripeCustomer. Deleting one here leaves Stripe alone: its invoices hang on it there, and what Stripe deletes nobody
    brings back.
    """

    created: EventType
    updated: EventType
    fields_of: Compose[StripeCustomer]

    name = "stripe"
    title = "Stripe"
    summary = "Keeps a customer at Stripe for each of yours."
    keeps_links = True
    fields = (
        VendorField(
            "api_key",
            "Secret key",
            "A restricted key that may write customers is enough.",
            "rk_live_…",
            secret=True,
        ),
    )

    def composers(self) -> Mapping[EventType, Compose[StripeCustomer]]:
        """A customer, whether it is new or has changed."""
        return {self.created: self.fields_of, self.updated: self.fields_of}

    def check(self, settings: Mapping[str, str], urls: Mapping[str, str]) -> None:
        """Check the key's shape. Raises SettingsProblem."""
        if not _STRIPE_KEY.fullmatch(settings.get("api_key", "")):
            raise SettingsProblem("api_key", "Give a secret or restricted key of Stripe: it begins with sk_ or rk_.")

    def request(self, content: StripeCustomer) -> dict[str, Any]:
        """Return the customer's fields."""
        own = {name: getattr(content, name) for name in ("name", "email", "phone", "description")}
        given = {name: value for name, value in own.items() if value is not None}
        return given | ({"metadata": dict(content.metadata)} if content.metadata else {})
