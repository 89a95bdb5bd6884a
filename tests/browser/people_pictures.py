"""What pictures there are of people's pages: where each is, and what is pressed there in whose row."""

from typing import NamedTuple

from keyrack.manage import invitations, passwords, sessions
from keyrack.model.members import MemberStatus, Role
from tests.browser.sites import Scene
from tests.browser.visitor import Visitor

INVITED = "dee@aurora.example"


class Place(NamedTuple):
    """A path, the controls to press there, the text in their row, and the status of the page."""

    path: str
    controls: tuple[str, ...] = ()
    of: str = ""
    status: int = 200


PLACES = {
    "sign-in": Place("/sign-in"),
    "sign-in-ended": Place("/sign-in?link=atrium_link_x", ("sign-in",)),
    "sign-in-forgot": Place("/forgot"),
    "sign-in-new-password": Place("/new-password?link=x"),
    "people-members": Place("/members"),
    "people-members-menu": Place("/members", ("members.more",), "Cy Park"),
    "people-members-edit": Place("/members", ("members.more", "members.edit"), "Cy Park"),
    "people-members-role": Place("/members", ("members.more", "members.role"), "Cy Park"),
    "people-members-remove": Place("/members", ("members.more", "members.remove"), "Cy Park"),
    "people-members-transfer": Place("/members", ("members.more", "members.transfer"), "Bo Park"),
    "people-members-no-match": Place("/members?search=nothing"),
    "people-invitations": Place("/invitations"),
    "people-invitations-new": Place("/invitations/new"),
    "people-leave": Place("/leave", ("leave.submit",)),
    "people-workspaces": Place("/workspaces"),
    "people-preferences": Place("/preferences"),
    "people-settings": Place("/settings"),
    "people-settings-revealing": Place("/settings", ("settings.revealing",)),
}


async def join(visitor: Visitor) -> None:
    """Lead to what somebody who is invited sees."""
    await visitor.open("/invitations")
    await visitor.press("invitations.more", INVITED)
    await visitor.press("invitations.renew")
    link = await visitor.page.locator("#link").inner_text()
    await visitor.open(link.partition("/console")[2])


async def invite(visitor: Visitor) -> None:
    """Lead to an invitation's link."""
    await visitor.open("/invitations")
    await visitor.press("invitations.more", INVITED)
    await visitor.press("invitations.renew")


async def choose_spaces(visitor: Visitor) -> None:
    """Lead to the step in which the spaces of somebody are chosen who is invited."""
    await visitor.open("/invitations/new")
    await visitor.fill("invitations.email", "kim@aurora.example")
    await visitor.press("invitations.spaces")


async def furnish(scene: Scene) -> None:
    """Put people into a workspace, and one of them into another."""
    rack, workspace = scene.site.rack, scene.workspace
    names = ("Mira Chen", "Jonas Weber", "Priya Raman", "Tomás Alvarez", "Ines Laurent")
    for number, name in enumerate(names):
        email = f"{name.split()[0].lower()}@{workspace.slug}.example"
        role = Role.ADMIN if number == 1 else Role.MEMBER
        member = await rack.members.add(workspace.id, email=email, name=name, role=role, may_use_api=number % 2 == 0)
        if number == 3:
            await rack.members.edit(workspace.id, member.id, status=MemberStatus.INACTIVE)
    reset = await passwords.reset_link(scene.site.desk, scene.operator, scene.members["Ada"].id)
    _, secret = await passwords.reset(scene.site.desk, reset.text, new="three blue herons", address="127.0.0.1")
    ada = await sessions.find(scene.site.desk, secret.text)
    assert ada is not None
    for email in (INVITED, "leo@aurora.example"):
        await invitations.create(scene.site.desk, ada, email=email)
    other = await rack.workspaces.create("Aurora Labs", slug=f"aurora-{workspace.slug}")
    await rack.members.add(other.id, email=scene.members["Ada"].email, name="Ada Park")
