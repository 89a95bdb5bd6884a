"""The object graph, built once: the same for tests, the command line and production."""

import os
import signal
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import structlog

from keyrack.crypto.passwords import Passwords
from keyrack.crypto.seal import Sealer
from keyrack.crypto.sign import Signer, keys_in
from keyrack.feed.cache import Cache
from keyrack.feed.leases import Terms
from keyrack.feed.look_ups import Feed, LookUps
from keyrack.feed.postgresql import PostgresqlFeed
from keyrack.feed.recipients import Recipients
from keyrack.feed.sqlite import SqliteFeed
from keyrack.gate.authenticate import Authenticator
from keyrack.gate.head import HeadReader
from keyrack.gate.limit import Limiter
from keyrack.gate.problems import Problems
from keyrack.gate.record import Recorder
from keyrack.gate.replay import Replays
from keyrack.gate.table import Table
from keyrack.gate.versions import VersionGate
from keyrack.gate.visitors import Visitors
from keyrack.gate.walk import Walk
from keyrack.manage import docs_feedback, event_types, key_notices, oauth_tokens
from keyrack.manage.client_documents import ClientDocuments
from keyrack.manage.desk import Desk, OpenId, Outside, untraced
from keyrack.manage.followers import Followers
from keyrack.manage.github_keys import GithubKeys
from keyrack.model.addresses import networks
from keyrack.model.brands import Brand
from keyrack.model.catalog import Catalog
from keyrack.model.connectors import Vendor
from keyrack.model.embed_keys import Embeddable
from keyrack.model.events import EventType
from keyrack.model.measures import Tally
from keyrack.model.meters import Meter
from keyrack.model.permissions import Category
from keyrack.model.plans import Plan
from keyrack.model.refusals import ALL, Refusal, Refused
from keyrack.model.replays import KEPT_SECONDS
from keyrack.model.request_logs import Mask
from keyrack.model.versions import Versions
from keyrack.settings import Settings
from keyrack.store import changes, replays, sessions, workspaces
from keyrack.store.database import Store
from keyrack.store.ids import RequestIds
from keyrack.store.migrations import migrate
from keyrack.store.spool import Spool
from keyrack.volatile.alone import Alone
from keyrack.volatile.counters import Counters
from keyrack.volatile.measures import Measures
from keyrack.volatile.shares import Shares
from keyrack.volatile.throttle import Throttle
from keyrack.volatile.valkey import SCRIPT_LOAD, ValkeyCounters
from keyrack.volatile.wire import Wire
from keyrack.work import delivery_retention, mail, quotas, request_logs
from keyrack.work.connectors.calls import ConnectorCalls
from keyrack.work.deliveries import Deliveries
from keyrack.work.jobs import Job, Jobs
from keyrack.work.measuring import Measuring
from keyrack.work.moving import Moving
from keyrack.work.readiness import Finding, Readiness
from keyrack.work.send import GuardedClient

log = structlog.get_logger("keyrack")
CHANGES_KEPT = 10_000
MAIL_SECONDS = 2.0
EXPIRIES_SECONDS = 300.0
PRUNED_AFTER_SECONDS = 60.0
ENDED_SESSIONS_KEPT_SECONDS = 7 * 24 * 3600


def now_ms() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000


class Assembly:
    """Everything that runs, and how it begins and ends. Making one opens nothing; `start` does.

    `catalog` is empty until the server has read its host's routes.
    """

    def __init__(
        self,
        settings: Settings,
        brand: Brand,
        categories: Mapping[str, Category],
        plans: Mapping[str, Plan],
        now: Callable[[], int] = now_ms,
        meters: Mapping[str, Meter] | None = None,
        *,
        refusals: Mapping[str, Refusal] = ALL,
        versions: Versions | None = None,
        host_events: Mapping[str, EventType] | None = None,
        vendors: Mapping[str, Vendor] | None = None,
        embeds: Mapping[str, Embeddable] | None = None,
    ) -> None:
        self.settings = settings
        self.brand = brand
        self.categories = dict(categories)
        self.plans = dict(plans)
        self.now = now
        self.refusals = refusals
        self.versions = versions or Versions()
        self.vendors = dict(vendors or {})
        self.embeds = dict(embeds or {})
        self.started = False
        self.catalog = Catalog()
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = [secret.get_secret_value() for secret in settings.secrets] or keys_in(settings.data / "secret.key")
        self.signer_for, self.signers = partial(Signer, keys), {purpose: Signer(keys, purpose) for purpose in ("cursor", "form")}
        sealed = ("connector", "endpoint", "key", "mail", "openid", "replay", "visit")
        self.sealers = {purpose: Sealer(keys, purpose) for purpose in sealed}
        self.request_ids = RequestIds()
        self.problems = Problems(settings.base_url)
        self.store = Store(settings.store_url, settings.traffic_url, settings.store_answer_seconds)
        self.cache = Cache(settings.cache_entries_max)
        self.feed = self._feed()
        self.tally = Tally()
        answer_seconds = settings.store_answer_seconds
        self.look_ups = LookUps(
            self.store, self.cache, self.feed, self.categories, self.plans, now, answer_seconds=answer_seconds, tally=self.tally
        )
        self.counters = Counters(settings.data / "counters")
        self.wire = self._wire()
        self.shared_counters = None if self.wire is None else self._shared_counters(self.wire)
        self.spool = Spool(settings.data / "spool", settings.spool_segment_bytes)
        self.recorder = Recorder(self.spool, Mask(self.prefixes))
        self.traces = self._traces()
        sizes = (settings.header_bytes_max, settings.header_count_max)
        self.heads = HeadReader(settings.trusted_proxies, *sizes, self.prefixes, brand.embed_prefix)
        self.passwords = Passwords()
        self.outgoing = GuardedClient(networks(settings.outgoing_networks))
        self.desk = self._desk(meters or {}, {**event_types.own(), **(host_events or {})})
        self.followers = Followers(self.desk)
        self.connector_calls = ConnectorCalls(self.desk)
        self.readiness = Readiness(self.store, self.spool, self.feed)
        self.measuring = self._measuring()
        self.moving = Moving(self.store, self.spool, settings.log_lines_here_max, now, self.measuring)
        self.recipients = Recipients(self.store, self.cache, self.feed, self.categories, self.plans, answer_seconds)
        self.deliveries = Deliveries(self.desk, self.recipients, self.outgoing)
        self.jobs = Jobs(self._due())

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What every secret of this host begins with."""
        return self.brand.prefixes

    async def start(self) -> None:
        """Bring the schema up to date, check the store, follow its changes, and start the jobs. Raises what stands in the way.

        A start that fails leaves nothing open, and can be repeated.
        """
        try:
            await migrate(self.settings.store_url, self.settings.traffic_url)
            await self.store.check()
            await self.feed.start()
            if self.wire is not None:
                await self.wire.start()
            await self.connector_calls.start()
            await self.deliveries.start()
        except BaseException:
            await self.deliveries.stop()
            await self.connector_calls.stop()
            await self._close()
            raise
        self.moving.start()
        self.jobs.start()
        if self.traces is not None:
            self.traces.start()
        self.started = self.readiness.is_started = True

    async def stop(self) -> None:
        """Do what is due once more, and close."""
        self.started = self.readiness.is_started = False
        self.moving.hire_nobody()
        self.followers.close()
        await self.deliveries.stop()
        await self.connector_calls.stop()
        await self.jobs.stop()
        await self.moving.stop()
        await self._close()
        if self.traces is not None:
            await self.traces.stop()

    async def _close(self) -> None:
        await self.readiness.close()
        if self.wire is not None:
            await self.wire.stop()
        await self.feed.stop()
        self.spool.close()
        if self.measuring is not None:
            self.measuring.close()
        self.counters.close()
        self.passwords.close()
        await self.store.close()
        if isinstance(self.feed, SqliteFeed):
            # What it could not let go of while the store had the file open.
            self.feed.close()

    def walk(self, table: Table) -> Walk:
        """Return the parts that one request passes."""
        settings = self.settings
        visitors = Visitors(self.sealers["visit"], self.brand.visit_prefix)
        authenticator = Authenticator(self.look_ups, visitors, Throttle(self.counters), self.brand.name, self.now, settings.base_url)
        limiter = Limiter(self.counters, self.shared_counters)
        return Walk(
            self.heads,
            authenticator,
            limiter,
            Replays(self.store, self.sealers["replay"], self.now, self.refusals),
            self.recorder,
            self.problems,
            table,
            self.categories,
            settings.body_bytes_max,
            VersionGate(self.versions, self.problems, self.now),
        )

    async def missing(self) -> list[str]:
        """What stands in the way of serving a call, in words; empty when ready."""
        return [found.detail for found in (await self.readiness.look()).values() if not found.ok]

    def details(self) -> dict[str, Finding]:
        """How things are without which calls are served all the same, by name."""
        away = self._valkey_away()
        if away is None:
            return {"limits": Finding(True, "counted in a file of this machine")}
        return {"limits": Finding(not away, "Valkey is away: each process admits its share" if away else "counted in Valkey")}

    def _valkey_away(self) -> bool | None:
        """Whether Valkey did not answer when it was last asked; None where limits are not counted there."""
        return None if self.wire is None else not self.wire.is_open

    def _feed(self) -> Feed:
        settings = self.settings
        if settings.store_path is not None:
            return SqliteFeed(settings.store_path, self.cache)
        return PostgresqlFeed(settings.feed_url, self.store, self.cache, Terms(settings.lease_seconds), settings.store_wait_seconds)

    def _desk(self, meters: Mapping[str, Meter], kinds: Mapping[str, EventType]) -> Desk:
        settings = self.settings
        return Desk(
            self.store,
            self.feed,
            self.brand,
            self.categories,
            self.plans,
            self.signers["cursor"],
            self.counters,
            self.shared_counters or Alone(self.counters),
            self.now,
            meters,
            kinds,
            sealers=self.sealers,
            passwords=self.passwords,
            outside=_outside(settings),
            tally=self.tally,
            trace=self.traces.follow if self.traces is not None else untraced,
            versions=self.versions,
            vendors=self.vendors,
            github_keys=GithubKeys(settings.github_keys_url),
            client_documents=ClientDocuments(self.outgoing.send if settings.client_documents else None),
            embeds=self.embeds,
        )

    def _measuring(self) -> Measuring | None:
        settings = self.settings
        if settings.metrics_token is None:
            return None
        measures, waiting = Measures(settings.data / "measures"), lambda: self.deliveries.waiting
        return Measuring(measures, self.tally, self.cache, self.feed, self.spool, self._valkey_away, waiting)

    def _traces(self) -> Any:
        """Return what makes spans. Loaded by its name, for it takes half a second and some memory that nobody else should pay."""
        settings = self.settings
        if settings.traces_url is None:
            return None
        return import_module("keyrack.work.traces").Traces(settings.traces_url, settings.traces_ratio, self.brand.name, Mask(self.prefixes))

    def _wire(self) -> Wire | None:
        url = self.settings.valkey_url
        return None if url is None else Wire(url.get_secret_value(), self.settings.valkey_wait_seconds, [SCRIPT_LOAD])

    def _shared_counters(self, wire: Wire) -> ValkeyCounters:
        feed = self.feed
        shares = Shares(self.counters, lambda: feed.live if isinstance(feed, PostgresqlFeed) else 1)
        return ValkeyCounters(wire, shares, partial(quotas.recall, self.store))

    def _due(self) -> list[Job]:
        send = mail.sender(self.settings)
        measuring = [Job("measure", 1.0, self.measuring.write)] if self.measuring is not None else []
        shared = self.shared_counters
        keeping = [Job("keep_quotas", 3.0, lambda: quotas.keep(self.store, shared))] if shared is not None else []
        return [
            *measuring,
            *keeping,
            Job("move_logs", 1.0, self.moving.turn),
            Job("call_vendors", 1.0, self.connector_calls.turn),
            Job("watch_store", 1.0, self._watch_store),
            Job("tell_of_expiries", EXPIRIES_SECONDS, lambda: key_notices.tell(self.desk), at_stop=False),
            *([Job("send_mail", MAIL_SECONDS, lambda: mail.deliver(self.desk, send))] if send is not None else []),
            *self._pruning(),
        ]

    def _pruning(self) -> list[Job]:
        # What is to go is not what the last calls left, so a stop does not wait for it; nor do the first calls after a start.
        def pruning(what: str, every_seconds: float, run: Callable[[], Awaitable[object]]) -> Job:
            return Job(f"prune_{what}", every_seconds, run, at_stop=False, after_seconds=PRUNED_AFTER_SECONDS)

        hour = 3600.0
        return [
            pruning("logs", hour, lambda: request_logs.prune_in_turn(self.store, self._days_kept, self.now())),
            pruning("deliveries", hour, lambda: delivery_retention.prune(self.store, self._days_kept, self.now())),
            pruning("quotas", hour, lambda: quotas.prune(self.store, self.now())),
            pruning("changes", hour, self._prune_changes),
            pruning("replays", 600.0, self._prune_replays),
            pruning("oauth_tokens", hour, lambda: oauth_tokens.prune(self.desk)),
            pruning("connector_calls", hour, self.connector_calls.prune),
            pruning("sessions", hour, self._prune_sessions),
            pruning("docs_feedback", 24 * hour, lambda: docs_feedback.prune(self.desk)),
        ]

    async def _days_kept(self, workspace_ids: Collection[str]) -> dict[str, int]:
        """How long the plans of these workspaces keep their logs; deleted ones keep them for the default time."""
        kept: dict[str, int] = {}
        async with self.store.reading() as c:
            for workspace_id in workspace_ids:
                with suppress(Refused):
                    plan = self.plans.get((await workspaces.get(c, workspace_id)).plan)
                    if plan is not None:
                        kept[workspace_id] = plan.log_days
        return kept

    async def _prune_changes(self) -> None:
        """Forget the ids of old changes. A process that has not applied them for so long sees the gap and drops its cache."""
        async with self.store.changing() as c:
            await changes.prune(c, CHANGES_KEPT)

    async def _prune_replays(self) -> None:
        """Forget the answers that no retry is promised any more."""
        while True:
            async with self.store.changing() as c:
                if await replays.prune(c, self.now() - KEPT_SECONDS * 1000) < replays.PRUNED_MAX:
                    return

    async def _prune_sessions(self) -> None:
        async with self.store.changing() as c:
            await sessions.prune(c, self.now() - ENDED_SESSIONS_KEPT_SECONDS * 1000)

    async def _watch_store(self) -> None:
        """Let streams of this process see what others changed, and stop where the file was replaced: this process would serve the past."""
        if isinstance(self.feed, SqliteFeed):
            if self.feed.replaced():
                log.critical(
                    "store_replaced", path=str(self.settings.store_path), advice="restart this process: it still has the old file open"
                )
                os.kill(os.getpid(), signal.SIGTERM)
            self.feed.current()


def _outside(settings: Settings) -> Outside:
    origins = tuple(settings.portal_origins)
    urls = {
        "slack": settings.slack_url,
        "slack_hooks": settings.slack_hooks_url,
        "resend": settings.resend_url,
        "stripe": settings.stripe_url,
    }
    return Outside(settings.base_url, settings.sends_mail, origins, _openid(settings), networks(settings.outgoing_networks), urls)


def _openid(settings: Settings) -> OpenId | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.oidc_client_secret is None:
        return None
    return OpenId(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret.get_secret_value(), settings.oidc_name)
