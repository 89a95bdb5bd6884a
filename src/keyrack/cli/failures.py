"""What ends a command early, in words that say what to do. Nothing here shows a traceback, a parameter's value or a secret."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DBAPIError

from keyrack.model.refusals import NOT_FOUND, Refused
from keyrack.settings import Settings
from keyrack.store.sqlite import StoreUnusable

Model = TypeVar("Model", bound=BaseModel)


class Failed(Exception):
    """A command cannot do what was asked of it. The message says why, and what to do."""


def checked(model: type[Model], **values: object) -> Model:
    """Return what was given at the command line as the API reads it. Raises Failed for values that cannot be."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Failed(_told(error)) from None


def explain(error: BaseException) -> str | None:
    """Return what to tell about an error that somebody at the command line can mend; None for a fault in the program."""
    if isinstance(error, (Failed, StoreUnusable)):
        return str(error)
    if isinstance(error, Refused):
        return _explain_refusal(error)
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return f"A setting cannot be used. {_told(error, lambda field: f'KEYRACK_{field.upper()}')}"
    if isinstance(error, SettingsError):
        return f"A setting cannot be read: {error}. Lists are written as JSON, like KEYRACK_TRUSTED_PROXIES='[\"10.0.0.0/8\"]'."
    if isinstance(error, DBAPIError):
        return f"The database refuses a statement ({error.orig}). If another version of Keyrack wrote it, run: keyrack migrate"
    return None


def _explain_refusal(refused: Refused) -> str:
    details = [refused.detail, *(str(error.get("detail", "")) for error in refused.errors)]
    if refused.refusal is NOT_FOUND:
        details.append("Commands take ids: the list commands show them.")
    cause = refused.__cause__
    if refused.refusal.status >= 500 and cause is not None:
        details.append(f"({cause.orig if isinstance(cause, DBAPIError) else cause})")
    return " ".join(filter(None, details))


def _told(error: ValidationError, name: Callable[[str], str] = str) -> str:
    return "; ".join(
        f"{name('.'.join(map(str, each['loc'])))}: {each['msg'].removeprefix('Value error, ')}"
        for each in error.errors(include_input=False)
    )
