"""`/metrics`, for Prometheus: what all processes of this machine have measured. Who has no token finds no such page."""

import asyncio
from collections.abc import Callable, Iterator
from hmac import compare_digest
from importlib.metadata import version
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from keyrack.assemble import Assembly
from keyrack.model.measures import BOUNDS_SECONDS, Histogram, Standing
from keyrack.work.measuring import Measuring, Reading

PATH = "/metrics"
Encoder = Callable[[CollectorRegistry], bytes]
BOUNDS = [*map(str, BOUNDS_SECONDS), "+Inf"]


def build_metrics(assembly: Assembly) -> dict[str, ASGIApp]:
    """Return the page by its path. `metrics_token` must be set."""
    token = assembly.settings.metrics_token
    measuring = assembly.measuring
    assert token is not None
    assert measuring is not None
    expected = f"Bearer {token.get_secret_value()}".encode()

    async def show(request: Request) -> Response:
        if not compare_digest(request.headers.get("authorization", "").encode(), expected):
            return PlainTextResponse("Not Found", 404)
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        # Files are read and a text is made: not between two calls.
        text = await asyncio.to_thread(_text, measuring, encode)
        return Response(text, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    return {PATH: Starlette(routes=[Route(PATH, show)])}


def _text(measuring: Measuring, encode: Encoder) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Once(measuring.read()))
    return encode(registry)


class _Once(Collector):
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("keyrack", "The version of Keyrack.", {"version": version("keyrack")})
        yield from _calls(self._reading)
        yield from _processes(self._reading.standings)
        yield from _spool(self._reading)


def _calls(reading: Reading) -> Iterator[Metric]:
    tally = reading.tally
    calls = CounterMetricFamily("keyrack_calls", "Calls, by what they end with.", labels=["operation", "status", "code"])
    for name, count in sorted(tally.calls.items()):
        calls.add_metric(name.split(" "), count)
    yield calls
    durations = HistogramMetricFamily("keyrack_call_duration_seconds", "From a call's head to its answer.", labels=["operation"])
    for operation, histogram in sorted(tally.durations.items()):
        durations.add_metric([operation], *_buckets(histogram))
    yield durations
    yield CounterMetricFamily("keyrack_calls_proved", "Calls whose credential was known.", tally.proved)
    look_ups = CounterMetricFamily("keyrack_look_ups", "Credentials that were read from the store.", labels=["result"])
    for result, count in sorted(tally.look_ups.items()):
        look_ups.add_metric([result], count)
    yield look_ups
    waits = HistogramMetricFamily("keyrack_change_wait_seconds", "From a change's commit until nobody could believe the old state.")
    waits.add_metric([], *_buckets(tally.change_waits))
    yield waits
    attempts = CounterMetricFamily(
        "keyrack_delivery_attempts", "Attempts of webhook deliveries, by what they ended with.", labels=["result"]
    )
    for result, count in sorted(tally.attempts.items()):
        attempts.add_metric([result], count)
    yield attempts
    lasted = HistogramMetricFamily("keyrack_delivery_attempt_duration_seconds", "From the beginning of an attempt to its end.")
    lasted.add_metric([], *_buckets(tally.attempt_durations))
    yield lasted
    lags = HistogramMetricFamily("keyrack_delivery_lag_seconds", "From an event to the first attempt to deliver it.")
    lags.add_metric([], *_buckets(tally.delivery_lags))
    yield lags


def _processes(standings: list[Standing]) -> Iterator[Metric]:
    yield GaugeMetricFamily("keyrack_processes", "Processes that run on this data folder.", len(standings))
    yield GaugeMetricFamily(
        "keyrack_cache_entries", "Credentials in memory, over all processes.", sum(standing.cache_entries for standing in standings)
    )
    applied = [standing.applied for standing in standings if standing.applied >= 0]
    if applied:
        yield GaugeMetricFamily("keyrack_revision_applied", "The revision that the slowest process has applied.", min(applied))
    leases = [standing.has_lease for standing in standings if standing.has_lease is not None]
    if leases:
        yield GaugeMetricFamily("keyrack_leases_held", "Processes that hold a lease on the database.", sum(leases))
    yield from _longest("keyrack_lease_age_seconds", "Since the oldest renewal of a lease began.", [s.lease_age_seconds for s in standings])
    yield from _longest("keyrack_log_lag_seconds", "Since the log was last moved completely.", [s.log_lag_seconds for s in standings])
    away = [standing.valkey_away for standing in standings if standing.valkey_away is not None]
    if away:
        yield GaugeMetricFamily("keyrack_valkey_away_processes", "Processes that do not reach Valkey.", sum(away))
    waiting = [standing.deliveries_waiting for standing in standings if standing.deliveries_waiting is not None]
    if waiting:
        yield GaugeMetricFamily("keyrack_deliveries_waiting", "Deliveries with an attempt to come, at most 10,000.", max(waiting))


def _longest(name: str, text: str, values: list[float | None]) -> Iterator[Metric]:
    known = [value for value in values if value is not None]
    if known:
        yield GaugeMetricFamily(name, text, max(known))


def _spool(reading: Reading) -> Iterator[Metric]:
    yield GaugeMetricFamily("keyrack_spool_bytes", "Files of log lines that wait, or will, to be moved.", reading.spool_bytes)
    yield GaugeMetricFamily("keyrack_spool_has_room", "1 while the log has room; calls are refused without.", int(reading.spool_has_room))


def _buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    return list(zip(BOUNDS, map(float, accumulate(histogram.counts)), strict=True)), histogram.seconds
