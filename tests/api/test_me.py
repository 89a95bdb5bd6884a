"""What a key says of itself."""

from tests.hosts import Host, Mode


async def test_me_has_the_fields_of_the_quickstart_page(host: Host) -> None:
    key = await host.key(name="local-dev")
    me = (await host.get("/api/v1/me", key)).json()
    page = {
        "object": "api_key_identity", "key_name": "local-dev", "key_prefix": key.secret.text[:9], "org_id": host.workspace.id,
        "org_slug": "vml", "mode": "live",
    }  # fmt: skip
    assert page == {name: me[name] for name in page}
    assert ("none", {"*": "write"}, []) == (me["org_access"], me["permissions"], me["spaces"])
    assert (key.key.id, key.integration.id) == (me["id"], me["integration_id"])


async def test_test_key_says_so(host: Host) -> None:
    key = await host.key(mode=Mode.TEST)
    me = (await host.get("/api/v1/me", key)).json()
    assert ("test", "acme_test_") == (me["mode"], me["key_prefix"][:10])
