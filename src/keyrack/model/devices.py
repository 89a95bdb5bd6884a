"""Devices, as people know them apart: the browser and the system that a User-Agent speaks of, and nothing else of it."""

UNKNOWN = "An unknown device"
# The first that is named counts: most browsers also call themselves the ones below them.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chromium": "Chromium",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Macintosh": "macOS",
    "Linux": "Linux",
}


def device_of(user_agent: str) -> str:
    """Return what somebody signed in with: `Firefox on Linux`. The header is read for known names alone, so none of its text is kept."""
    browser, system = (next((name for mark, name in names.items() if mark in user_agent), None) for names in (_BROWSERS, _SYSTEMS))
    return " on ".join(name for name in (browser, system) if name) or UNKNOWN
