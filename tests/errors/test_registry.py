"""Every code that a caller can get is in the registry, and the registry explains it."""

import ast
from pathlib import Path

import httpx
import pytest

from keyrack import Keyrack, Settings, refusals
from keyrack.docs.error_codes import sections
from keyrack.model.members import Role
from tests.console.visitors import Office
from tests.errors.conftest import CARD_DECLINED
from tests.hosts import BRAND, Host
from tests.walk.problems import problem

SOURCE = Path(refusals.__file__).parent.parent


def test_every_refusal_that_the_code_makes_stands_in_the_registry() -> None:
    made, raised = [], set()
    for path in SOURCE.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                made.append((path.name, ast.literal_eval(node.args[0])))
            elif isinstance(node, ast.ImportFrom) and node.module == "keyrack.model.refusals":
                raised |= {alias.name for alias in node.names if alias.name.isupper()}
    known = {name for name, value in vars(refusals).items() if isinstance(value, refusals.Refusal)}
    assert set() == raised - known - {"ALL"}
    assert {("refusals.py", code) for code in refusals.ALL} == set(made)
    assert len(made) == len(set(made))


@pytest.mark.parametrize("refusal", refusals.ALL.values(), ids=lambda refusal: refusal.code)
def test_each_code_says_what_it_is_why_it_happens_and_what_to_do(refusal: refusals.Refusal) -> None:
    assert refusal.title
    assert refusal.title[-1] != "."
    for text in (refusal.cause, refusal.remedy):
        assert text[-1] == "."
        assert text[0].isupper()
    assert refusal.cause != refusal.remedy


@pytest.mark.parametrize(
    "words",
    [
        ("code", 402, "Title", "", "Remedy."),
        ("code", 402, "Title", "Cause.", " "),
        ("code", 402, "", "Cause.", "Remedy."),
        ("x", 402, "Title", "Cause.", "Remedy."),
        ("code", 302, "Title", "Cause.", "Remedy."),
    ],
)
def test_code_that_explains_nothing_cannot_be_made(words: tuple[str, int, str, str, str]) -> None:
    with pytest.raises(ValueError, match="code"):
        refusals.Refusal(*words)


def test_code_of_a_host_that_stands_twice_stops_the_rack(tmp_path: Path) -> None:
    twice = refusals.Refusal("conflict", 409, "Ours", "Cause.", "Remedy.")
    for own in ([twice], [CARD_DECLINED, CARD_DECLINED]):
        with pytest.raises(ValueError, match="stands twice"):
            Keyrack(Settings(data=tmp_path), brand=BRAND, refusals=own)


async def test_code_of_the_host_is_told_and_documented_like_ours(host: Host) -> None:
    answer = await host.send("POST", "/api/v1/payments", await host.key(), json={"declared": True})
    document = problem(answer, 402, "card_declined")
    assert ("Card declined", "card") == (document["title"], document["param"])
    page = await host.client.get(document["doc_url"])
    assert 200 == page.status_code
    assert "Use another card." in page.text


async def test_code_of_the_host_is_explained_beside_the_line_of_its_call(host: Host) -> None:
    async def client() -> httpx.AsyncClient:
        return host.client

    ada = await host.rack.members.add(host.workspace.id, email="ada@acme.example", name="Ada Park", role=Role.OWNER)
    browser = await Office(host, client, {"Ada": ada}).signed_in()
    answer = await host.send("POST", "/api/v1/payments", await host.key(), json={"declared": True})
    page = await browser.open(answer.json()["request_log_url"])
    assert "Use another card." in page.text


async def test_code_that_the_host_did_not_declare_is_a_crash_that_its_developer_reads(host: Host) -> None:
    answer = await host.send("POST", "/api/v1/payments", await host.key(), json={})
    problem(answer, 500, "internal_error")
    assert "never_declared" not in answer.text


async def test_the_docs_have_a_section_for_each_code(host: Host) -> None:
    told = sections(host.rack.refusals, "https://acme.test")
    assert {*refusals.ALL, "card_declined"} == set(told)
    for code, text in told.items():
        refusal = host.rack.refusals[code]
        assert refusal.cause in text
        assert refusal.remedy in text
        assert f'"doc_url": "https://acme.test/docs/errors/{code}"' in text
    assert "did you mean `target_launch_date`?" in told["invalid_request"]
    assert '"violated-policies"' in told["rate_limited"]
