"""What opened the console for somebody does not open it again, though they are let in again."""

from collections.abc import Awaitable, Callable

import pytest

from keyrack.manage import passwords
from keyrack.model.members import MemberStatus, Role
from keyrack.model.refusals import LINK_ENDED, SESSION_ENDED, Refused
from tests.console.visitors import SIGN_IN, Office

PASSWORD = "nine blue herons"


async def _deactivated_and_activated(office: Office) -> None:
    host, cy = office.host, office.members["Cy"]
    for status in (MemberStatus.INACTIVE, MemberStatus.ACTIVE):
        await host.rack.members.edit(host.workspace.id, cy.id, status=status)


async def _removed_and_added(office: Office) -> None:
    host, cy = office.host, office.members["Cy"]
    await host.rack.members.remove(host.workspace.id, cy.id)
    await host.rack.members.add(host.workspace.id, email=cy.email, name=cy.name, role=Role.MEMBER)


@pytest.mark.parametrize("meanwhile", [_deactivated_and_activated, _removed_and_added])
async def test_neither_session_nor_link_of_before_lets_in_who_came_back(
    office: Office, meanwhile: Callable[[Office], Awaitable[None]]
) -> None:
    browser = await office.signed_in("Cy")
    link = await office.link("Cy", None)
    reset = await passwords.reset_link(office.desk, office.host.owner, office.members["Cy"].id)
    await meanwhile(office)

    assert 401 == (await browser.open("/console")).status
    fresh = await office.browser()
    assert SESSION_ENDED.status == (await fresh.submit(await fresh.open(link), SIGN_IN)).status
    with pytest.raises(Refused) as refused:
        await passwords.reset(office.desk, reset.text, new=PASSWORD, address="192.0.2.1")
    assert LINK_ENDED is refused.value.refusal

    came_back = await office.signed_in("Cy")
    assert 200 == (await came_back.open("/console")).status
