"""The OpenAPI documents of Atrium under each brand, as its users get them."""

import json
from pathlib import Path
from typing import Any

from atrium.brands import BRANDS
from atrium.factory import create_app
from keyrack import Keyrack, Settings

BASE_URL = "https://my.atrium.example"
METHODS = ("get", "post", "put", "patch", "delete")


def rack_of(folder: Path, brand: str = "atrium") -> Keyrack:
    """Return Atrium's rack under a brand."""
    rack: Keyrack = create_app(Settings(data=folder / brand), brand).state.rack
    return rack


def write_all(folder: Path) -> list[Path]:
    """Write the document of each brand into a file."""
    files = []
    for brand in BRANDS:
        file = folder / f"{brand}.json"
        file.write_text(json.dumps(rack_of(folder, brand).openapi(BASE_URL)))
        files.append(file)
    return files


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the operations by their ids."""
    found = [item[method] for item in document["paths"].values() for method in METHODS if method in item]
    return {one["operationId"]: one for one in found}
