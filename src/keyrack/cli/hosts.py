"""The host's app, loaded by its name, and the rack installed in it."""

import difflib
import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from sqlalchemy.exc import ArgumentError
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from keyrack.cli.failures import Failed, explain
from keyrack.model.brands import Brand
from keyrack.server import Keyrack
from keyrack.settings import Settings
from keyrack.store.database import is_sqlite

LAYERS_MAX = 50
WHAT_IT_IS = "Name an app as module:app, like shop.main:app, and run the command in the folder that holds the module."


def load(name: str) -> ASGIApp:
    """Import `module:app` and return the app. Raises Failed."""
    return cast(ASGIApp, attribute(name))


def attribute(name: str) -> Any:
    """Import `module:attribute` and return what it names. Raises Failed."""
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise Failed(f"{name!r} names no app. {WHAT_IT_IS}")
    found: Any = _imported(module_name)
    for part in path.split("."):
        if not hasattr(found, part):
            close = difflib.get_close_matches(part, [each for each in dir(found) if not each.startswith("_")], n=1)
            raise Failed(f"{module_name} has no {path!r}{f': did you mean {module_name}:{close[0]}?' if close else '.'}")
        found = getattr(found, part)
    return found


def rack_in(app: object, name: str) -> Keyrack:
    """Return the rack that was installed in an app, however many wrappers are around it. Raises Failed where there is none."""
    if isinstance(app, Keyrack):
        return app
    for layer in _layers(app):
        rack = getattr(getattr(layer, "state", None), "keyrack", None)
        if isinstance(rack, Keyrack):
            return rack
    raise Failed(f"{name} is no app that Keyrack was installed in: call rack.install(app) where the app is made.")


def rewrites_addresses(app: object) -> bool:
    """Whether a ProxyHeadersMiddleware stands in front: it would replace the peer's address before Keyrack's one rule reads it."""
    return any(isinstance(layer, ProxyHeadersMiddleware) for layer in _layers(app))


def use_folder(folder: Path | None, *, make: bool = False) -> None:
    """Let every `Settings()` of this process and its children name this data folder, made where `make` says so. Raises Failed."""
    if folder is None:
        return
    os.environ["KEYRACK_DATA"] = str(folder)
    if make:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Failed(f"The data folder {folder} cannot be made ({error.strerror}): name another with --data.") from None
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise Failed(f"The data folder {folder} may not be written by this user: change its owner, or name another with --data.")


def settings_for(name: str | None, folder: Path | None, *, make: bool = False) -> Settings:
    """Return the settings of the app that is named, else those of the environment. Raises Failed where they name no database."""
    use_folder(folder, make=make)
    if name is not None:
        return rack_in(load(name), name).settings
    settings = Settings()
    try:
        is_sqlite(settings.store_url)
    except (ValueError, ArgumentError) as error:
        raise Failed(f"KEYRACK_DATABASE_URL: {error}") from None
    return settings


def rack_for(name: str | None, folder: Path | None, *, makes: str | None = None) -> Keyrack:
    """Return the rack of the app that is named, or, where none is, a plain one that finds, ends and switches off the same things.

    `makes` says what a command is about to make of the app's own: then the app must be named. Raises Failed.
    """
    if name is not None:
        use_folder(folder)
        rack = rack_in(load(name), name)
        if folder is not None and rack.settings.data.absolute() != folder.absolute():
            raise Failed(f"{name} keeps its data in {rack.settings.data}, whatever --data says: leave --data out.")
        return rack
    if makes is not None:
        raise Failed(f"Only the app knows {makes}: name it with --app module:app, or set KEYRACK_APP. For the demo: --app atrium.app:app")
    settings = settings_for(None, folder)
    _require_data(settings)
    return Keyrack(settings, brand=Brand("Keyrack", "keyrack"))


def require_database(rack: Keyrack) -> None:
    """Raise Failed unless the rack's data is there: a mistyped folder must not become an empty installation."""
    _require_data(rack.settings)


def _require_data(settings: Settings) -> None:
    path = settings.store_path
    if path is not None and not path.is_file():
        raise Failed(
            f"There is no Keyrack data in {path.parent}: name its folder with --data, or make it with "
            f"keyrack migrate --data {settings.data}"
        )


def _imported(module_name: str) -> ModuleType:
    # As with `python -m`: what lies in the folder of the command can be imported.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise Failed(f"There is no module {module_name!r} in {here} or among what is installed. {WHAT_IT_IS}") from None
        raise Failed(_explain_import(module_name, error)) from error
    except Exception as error:
        raise Failed(explain(error) or _explain_import(module_name, error)) from error


def _explain_import(module_name: str, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{module_name} cannot be imported: {error.msg} ({error.filename}, line {error.lineno})."
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{module_name} cannot be imported: {type(error).__name__}: {error} ({last.filename}, line {last.lineno})."


def _layers(app: object) -> Iterator[object]:
    """An app, and what it wraps, from the outside in."""
    for _ in range(LAYERS_MAX):
        if app is None:
            return
        yield app
        app = getattr(app, "app", None)
