"""Attempts to prove oneself by a password or an email: counted before they are looked at, per account and per address."""

from hashlib import blake2b

from keyrack.manage.desk import Desk
from keyrack.model.limits import Bucket, Limit
from keyrack.model.refusals import TOO_MANY_FAILURES
from keyrack.volatile.throttle import together

# 15 at once: people try their old passwords. 30 an hour then: far below what guessing one out of a thousand needs in a day.
OF_ACCOUNT = Limit("account_attempts", quota=30, window_seconds=3600, burst=15)
# An office shares an address.
OF_ADDRESS = Limit("address_attempts", quota=300, window_seconds=3600, burst=60)
# Reports of leaked keys are counted by themselves: whoever finds many keeps no colleague from signing in.
REPORTS_OF_ADDRESS = Limit("leak_reports", quota=60, window_seconds=3600, burst=30)
# Of apps that prove themselves wrongly. Guessing a client secret is hopeless at any rate; what this saves is a look-up for each guess.
FAILED_CLIENTS = Limit("failed_clients", quota=60, window_seconds=60, burst=60)

# Apps that register themselves, from one address and from all: each is a row that waits for somebody to let it in.
REGISTRATIONS_OF_ADDRESS = Limit("client_registrations", quota=20, window_seconds=3600, burst=10)
REGISTRATIONS = Limit("all_client_registrations", quota=300, window_seconds=3600, burst=100)


def count(desk: Desk, email: str, address: str) -> None:
    """Count one attempt on an account from an address, whether or not such an account exists. Raises Refused `too_many_failures`."""
    account = Bucket(OF_ACCOUNT, _key(OF_ACCOUNT, email.strip().lower().encode()))
    _take(desk, account, Bucket(OF_ADDRESS, _key(OF_ADDRESS, together(address))))


def count_of_address(desk: Desk, address: str) -> None:
    """Count one attempt from an address that names no account. Raises Refused `too_many_failures`."""
    _take(desk, Bucket(OF_ADDRESS, _key(OF_ADDRESS, together(address))))


def count_report(desk: Desk, address: str) -> None:
    """Count one report of a leaked key from an address. Raises Refused `too_many_failures`."""
    _take(desk, Bucket(REPORTS_OF_ADDRESS, _key(REPORTS_OF_ADDRESS, together(address))))


def count_registration(desk: Desk, address: str) -> None:
    """Count one app that registers itself from an address. Raises Refused `too_many_failures`."""
    of_address = Bucket(REGISTRATIONS_OF_ADDRESS, _key(REGISTRATIONS_OF_ADDRESS, together(address)))
    _take(desk, of_address, Bucket(REGISTRATIONS, _key(REGISTRATIONS, b"")))


def refuse_failed_client(desk: Desk, address: str) -> None:
    """Raise Refused `too_many_failures` where too many wrong client credentials have come from an address."""
    _take(desk, Bucket(FAILED_CLIENTS, _key(FAILED_CLIENTS, together(address))), cost=0)


def count_failed_client(desk: Desk, address: str) -> None:
    """Count one wrong client credential from an address. Raises Refused `too_many_failures`."""
    _take(desk, Bucket(FAILED_CLIENTS, _key(FAILED_CLIENTS, together(address))))


def _take(desk: Desk, *buckets: Bucket, cost: int = 1) -> None:
    taken = desk.counters.take(buckets, cost)
    if not taken.allowed or not all(budget.remaining for budget in taken.budgets if cost == 0):
        wait = str(taken.retry_after_seconds)
        raise TOO_MANY_FAILURES(f"Too many attempts: try again in {wait} seconds.", headers={"Retry-After": wait})


def _key(limit: Limit, subject: bytes) -> bytes:
    return blake2b(limit.name.encode() + b"\0" + subject, digest_size=16).digest()
