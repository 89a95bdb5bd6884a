"""`keyrack people`: how somebody gets in who cannot: the first person of all, and who forgot a password. Each link works once."""

from typing import Annotated

import typer
from pydantic import BaseModel

from keyrack.cli.acting import in_rack, tell
from keyrack.cli.failures import Failed
from keyrack.cli.options import App, Data, Json
from keyrack.crypto.format import Secret
from keyrack.manage import mail, passwords, set_ups
from keyrack.model.people import Person
from keyrack.server import Keyrack

commands = typer.Typer(name="people", no_args_is_help=True, help="Make links: to set everything up, or to choose a new password.")

Url = Annotated[str | None, typer.Option("--url", help="Where people reach this host.  [default: the setting base_url]")]


class LinkView(BaseModel):
    """A link that works once."""

    object: str = "link"
    email: str | None = None
    url: str


@commands.command("reset-password")
def reset_password(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whose password it is.")],
    url: Url = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print a link with which somebody chooses a new password, once and within the hour. It is an event."""

    async def work(rack: Keyrack) -> tuple[str, Secret, Person]:
        base_url = _base_url(rack, url)
        return base_url, *await passwords.operators_link(rack.assembly.desk, email)

    base_url, secret, person = in_rack(app, data, work)
    view = LinkView(email=person.email, url=mail.link_url(base_url, mail.PASSWORD_PATH, secret))
    tell(as_json, view, f"Give this link to {person.name} alone. It works once, within an hour:", view.url)


@commands.command("set-up")
def set_up(url: Url = None, app: App = None, data: Data = None, as_json: Json = False) -> None:
    """Print the link with which the first person makes their login and a workspace, once and within the day."""

    async def work(rack: Keyrack) -> tuple[str, Secret]:
        base_url = _base_url(rack, url)
        return base_url, await set_ups.link(rack.assembly.desk)

    base_url, secret = in_rack(app, data, work)
    view = LinkView(url=mail.link_url(base_url, mail.SET_UP_PATH, secret))
    tell(as_json, view, "Open this link to begin. It works once, within a day:", view.url)


def _base_url(rack: Keyrack, url: str | None) -> str:
    found = url or rack.settings.base_url
    if found is None or not found.startswith(("https://", "http://")):
        raise Failed("Say where people reach this host: --url https://app.example.com, or the setting KEYRACK_BASE_URL.")
    return found
