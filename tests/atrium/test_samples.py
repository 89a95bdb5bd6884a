"""The sample workspace: something to read, that is not in the way of the quickstart."""

from atrium import samples
from tests.atrium.chat.talking import ask, taken_in
from tests.atrium.host import Host


async def test_samples_fill_a_workspace_and_leave_the_first_number_free(host: Host) -> None:
    await samples.load(host.rack, host.workspace_id)
    customers = (await host.get("/customers?limit=100")).json()["data"]
    assert list(range(244, 244 - len(customers), -1)) == [customer["display_id"] for customer in customers]
    assert {"lead", "onboarding", "active", "churned"} == {customer["status"] for customer in customers}
    assert 245 == (await host.post("/customers", {"name": "Aurora Outfitters", "slug": "aurora"})).json()["display_id"]
    for customer in customers:
        primary = (await host.get(f"/customers/{customer['slug']}/contacts?is_primary=true")).json()["data"]
        assert [customer["domain"]] == [contact["email"].partition("@")[2] for contact in primary]
    assert (await host.get("/onboardings?state=active")).json()["data"]


async def test_samples_lie_in_spaces_under_a_members_name(host: Host) -> None:
    await samples.load(host.rack, host.workspace_id)
    for space in await host.rack.spaces.list(host.workspace_id):
        messages = (await host.get(f"/spaces/{space.id}/messages")).json()["data"]
        items = (await host.get(f"/spaces/{space.id}/items")).json()["data"]
        assert {"Ada Park"} == {row["author"]["name"] for row in messages + items}
        assert {host.member_id} == {item["assignee_id"] for item in items}


async def test_samples_come_once(host: Host) -> None:
    await samples.load(host.rack, host.workspace_id)
    before = (await host.get("/customers?limit=100")).json()
    await samples.load(host.rack, host.workspace_id)
    assert before == (await host.get("/customers?limit=100")).json()
    assert len(samples.SAMPLES["spaces"]) == len(await host.rack.spaces.list(host.workspace_id))


async def test_sample_chatbot_answers_as_its_sample_conversations_say(host: Host) -> None:
    await samples.load(host.rack, host.workspace_id)
    bot = (await host.get("/chatbots")).json()["data"][0]
    meters = {meter["name"]: meter["used"] for meter in (await host.get("/usage")).json()["live"]["meters"]}
    assert {"chatbots": 1, "sources": 4, "messages": 6} == meters
    states = {}
    for source in (await host.get("/sources")).json()["data"]:
        states[source["name"]] = (await taken_in(host, source["id"]))["status"]
    assert {"Member handbook": "ready", "levels.csv": "ready", "Opening hours": "ready", "old-faq.html": "failed"} == states
    for conversation in (await host.get("/conversations")).json()["data"]:
        said = (await host.get(f"/conversations/{conversation['id']}/messages?sort=created_at")).json()["data"]
        assert len(said) == conversation["messages_count"]
        for question, told in zip(said[::2], said[1::2], strict=True):
            answer = await ask(host, bot["id"], question["body"])
            assert (told["body"], told["citations"]) == (answer["body"], answer["citations"]), question["body"]
    assert 2 == len((await host.get("/leads")).json()["data"])
