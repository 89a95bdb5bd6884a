"""What a URL says by itself: where it leads, and which ones are refused before anything is resolved."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyrack.model.addresses import Destination, destination, networks, plain, refused_url

LOOPBACK = networks(["127.0.0.0/8", "::1/128"])

# The URL, and a word of why it is refused.
HOSTILE = [
    # loopback, in every notation that somebody reads as one
    ("https://127.0.0.1/", "loopback"),
    ("https://127.255.255.254/", "loopback"),
    ("https://127.1/", "decimal"),
    ("https://127.0.1/", "decimal"),
    ("https://2130706433/", "decimal"),
    ("https://0x7f000001/", "decimal"),
    ("https://0x7f.1/", "decimal"),
    ("https://0X7F.0.0.1/", "decimal"),
    ("https://0x7f.0x0.0x0.0x1/", "decimal"),
    ("https://0177.0.0.1/", "decimal"),
    ("https://017700000001/", "decimal"),
    ("https://127.0.0.01/", "decimal"),
    ("https://127.0.0.1.1/", "decimal"),
    ("https://127.0.0.256/", "decimal"),
    ("https://evil.example.0x1/", "decimal"),
    ("https://127.0.0.1./", "valid name"),
    ("https://１２７.0.0.1/", "loopback"),
    ("https://127。0。0。1/", "loopback"),
    ("https://①②⑦.0.0.1/", "loopback"),
    ("https://127%2e0%2e0%2e1/", "valid name"),
    ("https://%31%32%37.0.0.1/", "valid name"),
    ("https://[::1]/", "loopback"),
    ("https://[0:0:0:0:0:0:0:1]/", "loopback"),
    ("https://[::ffff:127.0.0.1]/", "loopback"),
    ("https://[::ffff:7f00:1]/", "loopback"),
    ("https://[0:0:0:0:0:ffff:127.0.0.1]/", "loopback"),
    ("https://[::127.0.0.1]/", "no longer used"),
    ("https://[::1%25lo]/", "one link"),
    ("https://[::1%lo]/", "one link"),
    ("https://[fe80::1%25eth0]/", "one link"),
    ("https://[::1]x/", "port"),
    ("https://[:::1]/", "IPv6"),
    ("https://[127.0.0.1]/", "IPv6"),
    ("https://[v1.x]/", "IPv6"),
    ("https://[]/", "IPv6"),
    ("https://[::1/", "port"),
    ("https://[::１]/", "IPv6"),
    ("https://::1/", "port"),
    # names of this machine and of inner networks
    ("https://localhost/", "inside"),
    ("https://LOCALHOST/", "inside"),
    ("https://localhost:8443/", "inside"),
    ("https://localhost./", "valid name"),
    ("https://ｌｏｃａｌｈｏｓｔ/", "inside"),
    ("https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "inside"),
    ("https://app.localhost/", "inside"),
    ("https://printer.local/", "inside"),
    ("https://metadata.google.internal/computeMetadata/v1/", "inside"),
    ("https://router.home.arpa/", "inside"),
    ("https://wiki.corp/", "inside"),
    ("https://nas.lan/", "inside"),
    ("https://intranet/", "inside"),
    # metadata and other special addresses
    ("https://169.254.169.254/latest/meta-data/", "link-local"),
    ("https://[fd00:ec2::254]/latest/meta-data/", "private"),
    ("https://[::ffff:169.254.169.254]/", "link-local"),
    ("https://[64:ff9b::169.254.169.254]/", "NAT64"),
    ("https://[64:ff9b:1::a9fe:a9fe]/", "NAT64"),
    ("https://[2002:a9fe:a9fe::1]/", "6to4"),
    ("https://[2001:0:a9fe:a9fe::1]/", "Teredo"),
    ("https://168.63.129.16/", "cloud"),
    ("https://100.100.100.200/", "shared"),
    ("https://10.0.0.1/", "private"),
    ("https://172.16.0.1/", "private"),
    ("https://172.31.255.255/", "private"),
    ("https://192.168.1.1/", "private"),
    ("https://100.64.0.1/", "shared"),
    ("https://0.0.0.0/", "this network"),
    ("https://0/", "decimal"),
    ("https://192.0.0.1/", "protocols"),
    ("https://192.0.2.1/", "documentation"),
    ("https://192.88.99.1/", "6to4"),
    ("https://198.19.0.1/", "measurements"),
    ("https://198.51.100.1/", "documentation"),
    ("https://203.0.113.9/", "documentation"),
    ("https://224.0.0.1/", "multicast"),
    ("https://240.0.0.1/", "reserved"),
    ("https://255.255.255.255/", "broadcast"),
    ("https://[::]/", "no address"),
    ("https://[100::1]/", "discarded"),
    ("https://[2001:db8::1]/", "documentation"),
    ("https://[2001:20::1]/", "protocols"),
    ("https://[3fff::1]/", "documentation"),
    ("https://[5f00::1]/", "SRv6"),
    ("https://[fc00::1]/", "private"),
    ("https://[fe80::1]/", "link-local"),
    ("https://[fec0::1]/", "site-local"),
    ("https://[ff02::1]/", "multicast"),
    ("https://[4000::1]/", "not given"),
    # other schemes, and none
    ("http://example.com/", "https"),
    ("HTTP://example.com/", "https"),
    ("http://198.41.0.4/", "https"),
    ("ftp://example.com/", "https"),
    ("file:///etc/passwd", "https"),
    ("gopher://127.0.0.1:6379/_INFO", "https"),
    ("javascript:alert(1)", "https"),
    ("//example.com/", "https"),
    ("example.com/hook", "https"),
    ("", "https"),
    ("https:/example.com/", "https"),
    ("https:example.com", "https"),
    ("https://", "https"),
    ("https:///hook", "https"),
    ("https://?x", "https"),
    # what leads another reader somewhere else
    ("https://user@example.com/", "password"),
    ("https://user:secret@example.com/", "password"),
    ("https://example.com@127.0.0.1/", "password"),
    ("https://example.com:443@127.0.0.1/", "password"),
    ("https://example.com\\@127.0.0.1/", "password"),
    ("https://127.0.0.1\\.example.com/", "valid name"),
    ("https://127.0.0.1#.example.com/", "fragment"),
    ("https://example.com/#part", "fragment"),
    ("https://example.com/a\\b", "percent-encoded"),
    ("https://example.com/ä", "percent-encoded"),
    ("https://example.com/a b", "spaces"),
    (" https://example.com/", "spaces"),
    ("https://example.com/\r\nHost: 127.0.0.1", "control"),
    ("https://example.com\n.evil.example/", "control"),
    ("https://exa\tmple.com/", "control"),
    ("https://example.com/\x00", "control"),
    ("https://example.com/\x7f", "control"),
    ("https://exam\u00a0ple.com/", "valid name"),
    ("https://example\u2024com/\u2025", "percent-encoded"),
    ("https://\u202eexample.com/", "valid name"),
    ("https://\ud800.example/", "valid name"),
    ("https://ex*mple.com/", "valid name"),
    ("https://example..com/", "valid name"),
    ("https://.example.com/", "valid name"),
    ("https://-example.com/", "valid name"),
    ("https://xn--.\u00fc.example/", "valid name"),
    (f"https://{'a' * 64}.example/", "valid name"),
    (f"https://{'a.' * 130}example/", "valid name"),
    (f"https://example.com/{'a' * 2000}", "2,000"),
    # ports
    ("https://example.com:0/", "1 to 65535"),
    ("https://example.com:65536/", "1 to 65535"),
    ("https://example.com:/", "1 to 65535"),
    ("https://example.com:-1/", "1 to 65535"),
    ("https://example.com:4a3/", "1 to 65535"),
    ("https://example.com:４４３/", "1 to 65535"),
    ("https://example.com:443:443/", "1 to 65535"),
    ("https://example.com:22/", "another protocol"),
    ("https://example.com:25/", "another protocol"),
    ("https://example.com:587/", "another protocol"),
    ("https://example.com:6667/", "another protocol"),
]

REACHED = [
    ("https://example.com", Destination("https", "example.com", None, 443, "/")),
    ("HTTPS://Example.COM/Hook?a=b&c=%20", Destination("https", "example.com", None, 443, "/Hook?a=b&c=%20")),
    ("https://example.com?a=/x:y@z", Destination("https", "example.com", None, 443, "/?a=/x:y@z")),
    ("https://example.com:8443/a//b/../c", Destination("https", "example.com", None, 8443, "/a//b/../c")),
    ("https://my_bucket.example.com/{id}|[0]", Destination("https", "my_bucket.example.com", None, 443, "/{id}|[0]")),
    ("https://bücher.example/", Destination("https", "xn--bcher-kva.example", None, 443, "/")),
    ("https://xn--bcher-kva.example/", Destination("https", "xn--bcher-kva.example", None, 443, "/")),
    ("https://127.0.0.1.nip.example/", Destination("https", "127.0.0.1.nip.example", None, 443, "/")),
    ("https://8.example/", Destination("https", "8.example", None, 443, "/")),
]


@pytest.mark.parametrize(("url", "why"), HOSTILE)
def test_hostile_url_is_refused_with_the_reason(url: str, why: str) -> None:
    refused = refused_url(url, ())
    assert refused is not None
    assert why in refused


@pytest.mark.parametrize(("url", "leads_to"), REACHED)
def test_url_leads_where_it_says(url: str, leads_to: Destination) -> None:
    assert leads_to == destination(url, ())


@pytest.mark.parametrize("url", ["https://198.41.0.4/", "https://[2606:4700::1111]:8443/", "https://[::ffff:198.41.0.4]/"])
def test_public_address_is_called(url: str) -> None:
    assert refused_url(url, ()) is None


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:9000/hook", "https://127.0.0.1/", "http://[::1]:9000/", "http://localhost:9000/", "http://receiver:9000/"),
        *("http://[::ffff:127.0.0.1]/", "http://anything.example/", "https://198.41.0.4/"),
    ],
)
def test_what_the_operator_allows_is_called_also_by_http(url: str) -> None:
    assert refused_url(url, LOOPBACK) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://198.41.0.4/", "https"),
        ("https://10.0.0.1/", "private"),
        ("https://[fd00::1]/", "private"),
        ("https://[::127.0.0.1]/", "no longer used"),
        ("https://0x7f.1/", "decimal"),
        ("http://user@127.0.0.1/", "password"),
        ("http://127.0.0.1:22/", "another protocol"),
    ],
)
def test_what_the_operator_allows_lets_nothing_else_through(url: str, why: str) -> None:
    refused = refused_url(url, LOOPBACK)
    assert refused is not None
    assert why in refused


def test_host_header_names_the_port_where_it_is_not_the_usual_one() -> None:
    assert "example.com" == destination("https://example.com:443/", ()).authority
    assert "example.com:80" == destination("https://example.com:80/", ()).authority
    assert "[2606:4700::1111]:8443" == destination("https://[2606:4700:0::1111]:8443/", ()).authority


URLS = st.from_regex(r"(https?|HTTPS)://[0-9a-fA-FxX.\[\]:%@\\/?#_-]{0,40}", fullmatch=True) | st.text(max_size=60).map("https://{}".format)


@given(url=URLS)
@example(url="https://[::ffff:0:127.0.0.1]/")
def test_any_url_is_refused_in_words_or_leads_to_a_name_or_a_public_address(url: str) -> None:
    refused = refused_url(url, ())
    if refused is not None:
        assert refused.endswith(".")
        return
    leads_to = destination(url, ())
    assert "https" == leads_to.scheme
    assert leads_to.host.isascii()
    assert leads_to.path.startswith("/")
    if leads_to.address is None:
        assert "." in leads_to.host
        assert not leads_to.host.rpartition(".")[2].isdigit()
    else:
        assert plain(leads_to.address).is_global
