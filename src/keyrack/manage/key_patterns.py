"""What scanners look for: the shape of this host's keys, tokens and client secrets, as an expression and as the rules of scanners."""

import json
from enum import StrEnum

from keyrack.crypto.format import CHECKSUM_PLACES, RANDOM_PLACES
from keyrack.model.brands import Brand

GITHUB_PATH = "/api/v1/leaks/github"
GITHUB_MAIL = "secret-scanning@github.com"


class Format(StrEnum):
    """In what form a pattern is wanted."""

    REGEX = "regex"
    GITHUB = "github"
    GITLEAKS = "gitleaks"
    TRUFFLEHOG = "trufflehog"


def regex(brand: Brand) -> str:
    """Return the expression that matches every key of a brand, of any mode, every personal token, and the tokens and secrets of apps.

    It looks neither back nor ahead: RE2 and Hyperscan read it. What has another checksum matches too: no expression can tell that, but
    whoever is asked about a match can.
    """
    return rf"\b(?:{'|'.join(brand.lasting_prefixes)})_[0-9A-Za-z]{{{RANDOM_PLACES + CHECKSUM_PLACES}}}\b"


def pattern(brand: Brand, wanted: Format, base_url: str | None = None) -> str:
    """Return the pattern of a brand's keys as a scanner wants it: text of several lines, without the last line break.

    `base_url` is where people outside find the host.
    """
    match wanted:
        case Format.REGEX:
            return regex(brand)
        case Format.GITHUB:
            return _github(brand, base_url or "https://YOUR-HOST")
        case Format.GITLEAKS:
            return _gitleaks(brand)
        case Format.TRUFFLEHOG:
            return _trufflehog(brand)


def _github(brand: Brand, base_url: str) -> str:
    """What goes into the mail to GitHub."""
    return "\n".join(
        [
            f"To: {GITHUB_MAIL}",
            f"Secret type: {_type(brand)}",
            f"Regular expression: {regex(brand)}",
            f"Endpoint: {base_url}{GITHUB_PATH}",
            f"Checksum: the last {CHECKSUM_PLACES} places are CRC-32 (IEEE) of everything before them, base 62 (0-9, A-Z, a-z), big-endian",
            f"Entropy: {RANDOM_PLACES} random places of base 62, 178 bits",
            "Test account: make a workspace for GitHub, and name its sign-in here",
            "False positives: the endpoint answers with token_hash, token_type and label",
        ]
    )


def _gitleaks(brand: Brand) -> str:
    """A rule for .gitleaks.toml."""
    # A JSON string of printable text is a TOML basic string, too.
    return "\n".join(
        [
            "[[rules]]",
            f'id = "{_type(brand).replace("_", "-")}"',
            f"description = {json.dumps(f'{brand.name} API key', ensure_ascii=False)}",
            f"regex = '''{regex(brand)}'''",
            f'keywords = ["{brand.key_prefix}_"]',
        ]
    )


def _trufflehog(brand: Brand) -> str:
    """A custom detector for TruffleHog's configuration."""
    return "\n".join(
        [
            "detectors:",
            f"  - name: {_type(brand)}",
            "    keywords:",
            f"      - {brand.key_prefix}_",
            "    regex:",
            f"      key: '{regex(brand)}'",
        ]
    )


def _type(brand: Brand) -> str:
    return f"{brand.key_prefix}_api_key"
