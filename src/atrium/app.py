"""Atrium as an app: `atrium.app:app`, with settings from the environment. `ATRIUM_BRAND` chooses whose product it looks like."""

import os

from atrium.factory import create_app
from keyrack import Keyrack, Settings

app = create_app(Settings(), os.environ.get("ATRIUM_BRAND", "atrium"))
rack: Keyrack = app.state.rack
