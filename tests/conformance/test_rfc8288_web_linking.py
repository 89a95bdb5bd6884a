"""RFC 8288, Web Linking: the way to the next page."""

import re

from tests.hosts import ADMIN_RIGHTS, Host

LINK = re.compile(r'<([^<>\s]+)>((?:\s*;\s*[\w*]+="[^"]*")*)')


async def test_section_3_the_next_page_is_a_link_with_an_absolute_target_that_leads_there(host: Host) -> None:
    admin = await host.key(ADMIN_RIGHTS)
    for number in range(3):
        await host.key(name=f"key-{number}")
    seen, url = [], "http://acme.test/api/v1/keys?limit=2"
    while url:
        answer = await host.get(url, admin)
        seen += [one["id"] for one in answer.json()["data"]]
        links = LINK.findall(answer.headers.get("link", ""))
        following = [target for target, parameters in links if 'rel="next"' in parameters]
        assert bool(following) is answer.json()["has_more"]
        url = following[0] if following else ""
        assert not url or url.startswith("http://acme.test/api/v1/keys?")
    assert 4 == len(seen) == len(set(seen))
