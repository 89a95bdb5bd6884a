"""Customers at Stripe, by its official client. An idempotency key makes a repetition the same call, for a day."""

from typing import Any, cast

import stripe

from keyrack.model.connector_calls import Answer, Verdict
from keyrack.work.connectors import CALL_SECONDS_MAX, Account, Outgoing, seconds_in


class Client:
    """Stripe's client. One connection pool serves the accounts of all workspaces: the key goes with each call."""

    def __init__(self, call_seconds_max: float = CALL_SECONDS_MAX) -> None:
        self._http = stripe.HTTPXClient(timeout=call_seconds_max)

    async def send(self, account: Account, outgoing: Outgoing) -> Answer:
        """Update the customer, or create it where Stripe does not know it (any more)."""
        customers, fields = self._client(account).v1.customers, cast(Any, dict(outgoing.request))
        try:
            if outgoing.known is not None:
                try:
                    updated = await customers.update_async(outgoing.known, fields, {"idempotency_key": f"{outgoing.key}-update"})
                    return Answer(Verdict.SENT, 200, None, "Updated.", updated.id)
                except stripe.InvalidRequestError as error:
                    # Somebody deleted it there.
                    if error.http_status != 404:
                        raise
            created = await customers.create_async(fields, {"idempotency_key": f"{outgoing.key}-create"})
        except stripe.StripeError as error:
            return _judged(error)
        return Answer(Verdict.SENT, 200, None, "Created.", created.id)

    async def check(self, account: Account) -> Answer:
        """Ask Stripe for one customer: what a key must be allowed at least."""
        try:
            await self._client(account).v1.customers.list_async({"limit": 1})
        except stripe.StripeError as error:
            return _judged(error)
        mode = "in Stripe's test mode" if "_test_" in account.settings["api_key"] else "in live mode"
        return Answer(Verdict.SENT, 200, None, f"Stripe knows the key, {mode}.")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    def _client(self, account: Account) -> stripe.StripeClient:
        # No retries by itself: the schedule is ours.
        return stripe.StripeClient(
            account.settings["api_key"],
            base_addresses={"api": account.urls["stripe"].rstrip("/")},
            http_client=self._http,
            max_network_retries=0,
        )


def _judged(error: stripe.StripeError) -> Answer:
    """Return what Stripe's no means."""
    status, code = error.http_status, error.code
    told = str(error.user_message or "")[:300]
    if isinstance(error, stripe.APIConnectionError) or status is None:
        return Answer(Verdict.AGAIN, status, "unreachable", "Stripe could not be reached.")
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Answer(Verdict.RECONNECT, status, code, "Stripe does not take this key, or it may not write customers: connect it again.")
    if isinstance(error, stripe.RateLimitError) or status == 429:
        return Answer(
            Verdict.LATER, status, code or "rate_limit", "Too many calls at once.", retry_after_seconds=seconds_in(error.headers or {})
        )
    if status >= 500 or status in (409, 424):
        return Answer(Verdict.AGAIN, status, code, f"Stripe is out of order (status {status}).")
    return Answer(Verdict.REFUSED, status, code, f"Stripe refused this customer: {told}")
