"""The databases that every promise of the store is kept on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backend:
    """An empty database. `traffic_url` is None where requests are logged into the same one."""

    dialect: str
    url: str
    traffic_url: str | None
