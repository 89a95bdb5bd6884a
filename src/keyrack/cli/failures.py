"""What ends a command early, in words that say what to do. Nothing here shows a traceback, a parameter's value or a secret."""

from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DBAPIError

from keyrack.model.refusals import Refused
from keyrack.settings import Settings
from keyrack.store.sqlite import StoreUnusable


class Failed(Exception):
    """A command cannot do what was asked of it. The message says why, and what to do."""


def explain(error: BaseException) -> str | None:
    """Return what to tell about an error that somebody at the command line can mend; None for a fault in the program."""
    if isinstance(error, (Failed, StoreUnusable)):
        return str(error)
    if isinstance(error, Refused):
        return _explain_refusal(error)
    if isinstance(error, ValidationError):
        return _explain_values(error)
    if isinstance(error, SettingsError):
        return f"A setting cannot be read: {error}. Lists are written as JSON, like KEYRACK_TRUSTED_PROXIES='[\"10.0.0.0/8\"]'."
    if isinstance(error, DBAPIError):
        return f"The database refuses a statement ({error.orig}). If another version of Keyrack wrote it, run: keyrack migrate"
    return None


def _explain_refusal(refused: Refused) -> str:
    details = [refused.detail, *(str(error.get("detail", "")) for error in refused.errors)]
    cause = refused.__cause__
    if refused.refusal.status >= 500 and cause is not None:
        details.append(f"({cause.orig if isinstance(cause, DBAPIError) else cause})")
    return " ".join(filter(None, details))


def _explain_values(error: ValidationError) -> str:
    is_settings = error.title == Settings.__name__
    told = "; ".join(f"{_name_of(each['loc'], is_settings)}: {each['msg']}" for each in error.errors(include_input=False))
    return f"A setting cannot be used. {told}" if is_settings else told


def _name_of(place: tuple[int | str, ...], is_settings: bool) -> str:
    path = ".".join(map(str, place))
    return f"KEYRACK_{path.upper()}" if is_settings else path
