"""Numbers with their spread: medians of many short rounds, because a machine is never quite quiet."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median, quantiles


@dataclass(frozen=True)
class Figure:
    """A median, the quartiles around it, and of how many rounds."""

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Figure":
        """Sum samples up."""
        low, _, high = quantiles(samples, n=4) if len(samples) > 1 else [samples[0]] * 3
        return cls(median(samples), low, high, len(samples))

    def text(self, places: int = 1) -> str:
        """Return `12.3 ±4 %`: the median, and how far away the quartiles are."""
        away = max(self.high - self.median, self.median - self.low) / abs(self.median or 1)
        return f"{self.median:,.{places}f} ±{away:.0%}".replace("%", " %")


@dataclass(frozen=True)
class Machine:
    """Where it was measured. The load averages tell how quiet it was: at the beginning and at the end."""

    processor: str
    cores: int
    python: str
    uvicorn: str
    uvloop: str
    fastapi: str
    load_before: float
    load_after: float = 0.0

    @classmethod
    def here(cls) -> "Machine":
        """Look at this machine."""
        return cls(
            processor=platform.machine(),
            cores=os.cpu_count() or 1,
            python=platform.python_version(),
            uvicorn=version("uvicorn"),
            uvloop=version("uvloop"),
            fastapi=version("fastapi"),
            load_before=os.getloadavg()[0],
        )
