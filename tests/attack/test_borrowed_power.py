"""Nobody reaches further through somebody else than by themselves: through whom a key invited, or whose link an admin once made."""

import pytest

from keyrack.manage import integrations, invitations, passwords, sessions
from keyrack.manage.keys import Issued
from keyrack.model.members import MemberStatus, Role
from keyrack.model.permissions import OrgAccess, Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, LINK_ENDED, Refused
from tests.console.visitors import Office
from tests.hosts import ADMIN_RIGHTS

PASSWORD = "nine blue herons"


async def _session(office: Office, name: str) -> Principal:
    member = office.members[name]
    begun = await sessions.redeem(office.desk, (await sessions.sign_in_link(office.desk, member.person_id, member.workspace_id)).text)
    found = await sessions.find(office.desk, begun.secret.text)
    assert found is not None
    return found


async def _invite(office: Office, key: Issued, email: str) -> str:
    answer = await office.host.send("POST", "/api/v1/invitations", key, json={"email": email})
    assert 201 == answer.status_code
    return str(answer.json()["url"]).partition("link=")[2]


async def test_key_makes_no_admin_of_whom_it_has_invited(office: Office) -> None:
    key = await office.host.key(ADMIN_RIGHTS)
    link = await _invite(office, key, "puppet@acme.example")
    await invitations.accept(office.desk, link, address="192.0.2.1", name="Puppet", password=PASSWORD)
    (puppet,) = (await office.host.get("/api/v1/members?search=puppet", key)).json()["data"]

    raised = await office.host.send("PATCH", f"/api/v1/members/{puppet['id']}", key, json={"org_access": "admin"})
    assert (INSUFFICIENT_PERMISSION.status, "org_access") == (raised.status_code, raised.json()["param"])
    granted = await office.host.send("PATCH", f"/api/v1/members/{puppet['id']}", key, json={"permissions": {"customers": "write"}})
    assert (200, "reader") == (granted.status_code, granted.json()["org_access"])


async def test_key_lets_no_admin_in_again_whom_somebody_deactivated(office: Office) -> None:
    key, host = await office.host.key(ADMIN_RIGHTS), office.host
    for name, answer in {"Bo": INSUFFICIENT_PERMISSION.status, "Cy": 200}.items():
        member = office.members[name]
        await host.rack.members.edit(host.workspace.id, member.id, status=MemberStatus.INACTIVE)
        assert answer == (await host.send("PATCH", f"/api/v1/members/{member.id}", key, json={"status": "active"})).status_code


@pytest.mark.parametrize("ends", ["deleted", "demoted"])
async def test_invitations_end_with_the_power_of_the_integration_that_made_them(office: Office, ends: str) -> None:
    host = office.host
    key = await host.key(ADMIN_RIGHTS)
    link = await _invite(office, key, "puppet@acme.example")
    if ends == "deleted":
        await integrations.delete(office.desk, host.owner, key.key.integration_id)
    else:
        await integrations.edit(office.desk, host.owner, key.key.integration_id, org_access=OrgAccess.READER)
    with pytest.raises(Refused) as refused:
        await invitations.look(office.desk, link, address="192.0.2.1")
    assert LINK_ENDED is refused.value.refusal


@pytest.mark.parametrize("rise", ["joins", "owns"])
async def test_link_that_an_admin_made_opens_nothing_that_its_person_reached_since(office: Office, rise: str) -> None:
    host, cy = office.host, office.members["Cy"]
    link = await passwords.reset_link(office.desk, await _session(office, "Bo"), cy.id)
    if rise == "joins":
        other = await host.rack.workspaces.create("Other", slug="other")
        await host.rack.members.add(other.id, email=cy.email, name=cy.name, rights=Rights(OrgAccess.ADMIN), role=Role.ADMIN)
    else:
        await host.rack.members.edit(host.workspace.id, cy.id, role=Role.OWNER)
    with pytest.raises(Refused) as refused:
        await passwords.reset(office.desk, link.text, new=PASSWORD, address="192.0.2.1")
    assert LINK_ENDED is refused.value.refusal
