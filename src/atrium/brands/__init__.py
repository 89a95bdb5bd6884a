"""One configuration for each product that Atrium can look like."""

from atrium.brands.atrium import ATRIUM
from atrium.brands.configuration import Configuration
from atrium.brands.pinpoint import PINPOINT
from atrium.brands.pipedrive import PIPEDRIVE
from atrium.brands.pivot import PIVOT
from atrium.brands.pivotal import PIVOTAL
from atrium.brands.pivra import PIVRA

BRANDS = {"atrium": ATRIUM, "pivotal": PIVOTAL, "pivot": PIVOT, "pinpoint": PINPOINT, "pipedrive": PIPEDRIVE, "pivra": PIVRA}

__all__ = ["BRANDS", "Configuration", "named"]


def named(name: str) -> Configuration:
    """Return the configuration with this name; raise ValueError that lists them for any other."""
    if name not in BRANDS:
        raise ValueError(f"There is no brand {name!r}: choose one of {', '.join(BRANDS)}.")
    return BRANDS[name]
