"""The end of Pivot's help page, "Join the Pivot Dev. Community", done sentence by sentence; and what the team does there."""

from tests.browser.films import ON_EVERY_SCREEN, Film
from tests.browser.sites import Browsing, Scene
from tests.browser.visitor import Visitor

CODE = (
    "The gist:\n\n```\nfor item in client.spaces.items(space_id, updated_after=last_run): warehouse.upsert('items', item['id'], item)\n```"
)
NOBODYS = "c" + "0" * 24


@ON_EVERY_SCREEN
async def test_every_sentence_about_the_community_comes_true(pivot: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    film = await Film.begin(pivot, browsing, size, scheme)
    ada = film.visitor
    # "If you’re building with the Pivot API, we strongly recommend joining the Pivot Dev. Community."
    await ada.visit("/docs/guides/integrations")
    await ada.press("docs.community")
    await ada.sees("Share", "Ask", "Updates", "Support", "Others see your name, Ada Park")
    await ada.press("community.join")
    # "Share code, examples, and integration strategies."
    await ada.press("community.space")
    await ada.control("community.compose").click()
    title = f"A nightly sync, {size[0]} wide and {scheme}"
    await ada.fill("community.title", title)
    await ada.fill("community.body", CODE)
    await ada.press("community.start")
    await film.fits()
    await ada.press("community.trail.space")
    await ada.sees(title)
    await film.fits()
    await ada.press("community.thread")
    # "Ask questions and receive help from the Pivot team."
    await _the_team_answers(pivot, browsing, ada)
    await ada.visit(ada.page.url.removeprefix(ada.base_url))
    await ada.sees("Pivot team", "Nice one")
    await ada.press("community.follow")
    await ada.sees("Follow by mail")
    await ada.press("community.trail")
    # "Stay informed about new API features and updates."
    await ada.visit("/community/updates")
    await ada.press("community.thread")
    await ada.sees("Pivot team", "Onboardings have phases")
    await film.fits()
    # "Request support for specific use cases."
    await _support_is_private(film, browsing)
    await ada.visit("/community")
    await film.fits()
    await ada.control("community.leaving").click()
    await ada.press("community.leave")
    await ada.sees("Join the Pivot Dev. Community")


async def _the_team_answers(pivot: Scene, browsing: Browsing, ada: Visitor) -> None:
    (community,) = [one for one in await pivot.site.rack.workspaces.list() if one.name == "Pivot Dev. Community"]
    await pivot.site.rack.members.add(community.id, email=pivot.members["Bo"].email, name="", role=pivot.members["Bo"].role)
    bo = await browsing.sign_in(pivot, "Bo")
    path = ada.page.url.removeprefix(ada.base_url)
    await bo.visit(path)
    await bo.fill("community.body", "Nice one.")
    await bo.press("community.reply")
    for control, seen in (("lock", "The team has closed this thread."), ("unlock", "Your reply"), ("hide", "Hidden"), ("show", "Hide")):
        await bo.press(f"community.{control}")
        await bo.sees(seen)
    await bo.visit(f"/community/threads/{NOBODYS}", status=404)
    await bo.press("community.missing")


async def _support_is_private(film: Film, browsing: Browsing) -> None:
    ada = film.visitor
    await ada.visit("/community/support")
    await ada.sees("only you and the team see it")
    await ada.control("community.compose").click()
    await ada.fill("community.title", "Our key leaked")
    await ada.fill("community.body", "What now?")
    await ada.press("community.start")
    await ada.sees("Only you and the Pivot team see this.")
    await film.fits()
    path = ada.page.url.removeprefix(ada.base_url)
    cy = await browsing.sign_in(film.scene, "Cy")
    await cy.open("")
    await cy.press("community")
    await cy.press("community.join")
    await cy.visit(path, status=404)
    await cy.visit("/community/support")
    await cy.sees("You have asked for nothing yet")
    # Whoever needs help finds the way there; and the link of a mail asks before it ends anything.
    await cy.visit("/docs/help")
    await cy.press("docs.help.community")
    await cy.visit("/community/unfollow?link=torn")
    await cy.press("community.unfollow")
    await cy.sees("This link is not whole")
