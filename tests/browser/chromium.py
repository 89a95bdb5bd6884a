"""The system's Chromium, as tests and pictures start it."""

import os
import shutil

from playwright.async_api import Browser, Playwright

# The first draws pages and nothing around them: a quarter of a test's time is spent on windows that nobody sees.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
MISSING = "The console's tests need a Chromium. On Debian or Ubuntu: sudo apt-get install chromium-headless-shell"


async def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Start the browser, with these arguments too. Raises RuntimeError that says what to install where there is none."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise RuntimeError(MISSING)
    # Chromium's sandbox does not run as root, and what it shows here is ours.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments, *sandbox])
