"""Each house rule finds the violation that is planted for it, at its place, and nothing where there is none."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checks import imports, sizes, store, words
from checks.__main__ import RULES
from checks.tree import Tree, Violation

Rule = Callable[[Tree], Iterator[Violation]]

LONG = "def long() -> None:\n" + "    print()\n" * 60
MIDDLING = "def middling() -> None:\n" + "    print()\n" * 30
FINDER = "from keyrack.store.database import Connection\nasync def get(c: Connection, key_id: str) -> None: ...\n"
WRITER = "from sqlalchemy import update\nasync def end(c, workspace_id): update(keys)\n"
SAVES = "from keyrack.store import keys\nasync def revoke(desk):\n    keys.save(c, key)\n"
ENDS = "from keyrack.store.keys import end\nasync def revoke(desk):\n    async with open(desk) as c:\n        end(c.connection, 'org_1')\n"
UNSCOPED = 'async def person(c, email):\n    """Return a person. For `keyrack.manage.members` alone."""\n'
ASKS = "from keyrack.store import lookup\nfind = lookup.person\n"
MARK = "TO" + "DO"
INDEX = "--index-" + "url somewhere"
TARBALL = "https://example.com/npm/pack" + "ages/a.tgz"
HOME = "/ho" + "me/somebody/keyrack"

PLANTED: list[tuple[Rule, dict[str, str], str]] = [
    (sizes.no_function_is_longer_than_a_screen, {"src/keyrack/a.py": f"\n{LONG}"}, "src/keyrack/a.py:2"),
    (sizes.no_function_is_longer_than_a_screen, {"tests/gate/test_a.py": LONG}, "tests/gate/test_a.py:1"),
    (sizes.nine_of_ten_functions_are_short, {"src/keyrack/a.py": MIDDLING}, "src:1"),
    (sizes.nine_of_ten_functions_are_short, {"tests/gate/test_a.py": MIDDLING}, "tests:1"),
    (sizes.no_file_is_a_drawer, {"tests/test_a.py": "a = 1\n" * 401}, "tests/test_a.py:1"),
    (words.no_module_is_called_a_drawer, {"src/keyrack/gate/_utils.py": ""}, "src/keyrack/gate/_utils.py:1"),
    (words.no_module_is_called_a_drawer, {"src/keyrack/common/keys.py": ""}, "src/keyrack/common/keys.py:1"),
    (words.nothing_is_left_open, {"src/keyrack/a.py": f"a = 1\nb = 2  # {MARK} c\n"}, "src/keyrack/a.py:2"),
    (words.nothing_is_left_open, {"tests/a.py": "raise NotImplemented" + "Error\n"}, "tests/a.py:1"),
    (words.public_names_have_docstrings, {"src/keyrack/a.py": "a = 1\n"}, "src/keyrack/a.py:1"),
    (words.public_names_have_docstrings, {"src/keyrack/a.py": '"""A."""\ndef public(): ...\n'}, "src/keyrack/a.py:2"),
    (
        words.public_names_have_docstrings,
        {"src/keyrack/a.py": '"""A."""\nclass B:\n  """B."""\n  def c(self): ...\n'},
        "src/keyrack/a.py:4",
    ),
    (words.no_file_names_a_place, {"a.lock": f"# one\n{INDEX}\n"}, "a.lock:2"),
    (words.no_file_names_a_place, {"package-lock.json": f'"url": "{TARBALL}"\n'}, "package-lock.json:1"),
    (words.no_file_names_a_place, {"README.md": f"cd {HOME}\n"}, "README.md:1"),
    (imports.imports_stand_at_the_top, {"src/atrium/a.py": "def a():\n    import os\n"}, "src/atrium/a.py:2"),
    (imports.imports_stand_at_the_top, {"src/keyrack/a.py": "from typing import TYPE_CHECKING\n"}, "src/keyrack/a.py:1"),
    (store.finders_take_the_workspace_first, {"src/keyrack/store/keys.py": FINDER}, "src/keyrack/store/keys.py:2"),
    (
        store.finders_take_the_workspace_first,
        {"src/keyrack/store/keys.py": FINDER.replace(" get", " add_all")},
        "src/keyrack/store/keys.py:2",
    ),
    (
        store.unscoped_finders_are_asked_by_whom_they_name,
        {"src/keyrack/store/lookup.py": UNSCOPED, "src/keyrack/manage/keys.py": ASKS, "src/keyrack/manage/members.py": ASKS},
        "src/keyrack/manage/keys.py:2",
    ),
    (
        store.unscoped_finders_are_asked_by_whom_they_name,
        {"src/keyrack/store/lookup.py": UNSCOPED.replace("`", "")},
        "src/keyrack/store/lookup.py:1",
    ),
    (
        store.only_the_store_writes_rows,
        {"src/keyrack/manage/keys.py": "from sqlalchemy import select, update\n"},
        "src/keyrack/manage/keys.py:1",
    ),
    (store.only_the_store_writes_rows, {"src/keyrack/work/a.py": "import sqlalchemy as sa\nsa.delete(keys)\n"}, "src/keyrack/work/a.py:2"),
    (
        store.changes_go_through_change,
        {"src/keyrack/store/keys.py": WRITER, "src/keyrack/manage/keys.py": ENDS},
        "src/keyrack/manage/keys.py:4",
    ),
    (store.changes_go_through_change, {"src/keyrack/store/keys.py": WRITER, "src/keyrack/work/a.py": ENDS}, "src/keyrack/work/a.py:4"),
    (
        store.changes_go_through_change,
        {"src/keyrack/store/keys.py": "def save(c, key): ...\n", "src/keyrack/gate/a.py": SAVES},
        "src/keyrack/gate/a.py:3",
    ),
]

CLEAN = {
    "src/keyrack/store/keys.py": (
        '"""Keys."""\nfrom sqlalchemy import insert\nfrom keyrack.store.database import Connection\n'
        'async def get(c: Connection, workspace_id: str, key_id: str) -> None:\n    """Get."""\n'
        'async def add(c: Connection, key: Key) -> None:\n    """Add."""\n    insert(keys)\n'
    ),
    "src/keyrack/manage/keys.py": (
        '"""Keys."""\nfrom keyrack.manage.change import Change, change\nfrom keyrack.store import keys as stored\n'
        'async def create(desk, actor):\n    """Create."""\n'
        "    async with change(desk, actor) as c:\n        await stored.add(c.connection, key)\n"
        "async def _again(c: Change):\n    await stored.add(c.connection, key)\n"
    ),
    "README.md": "src/keyrack/work/loop.py and https://example.com/work/a are no places\n",
}


@pytest.mark.parametrize(("rule", "files", "place"), PLANTED)
def test_planted_violation_is_found_at_its_place(tmp_path: Path, rule: Rule, files: dict[str, str], place: str) -> None:
    found = list(rule(_checkout(tmp_path, files)))

    assert [place] == [str(violation).split(" ")[0] for violation in found]


@pytest.mark.parametrize("rule", RULES)
def test_clean_checkout_breaks_no_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    monkeypatch.setattr(store, "UNSCOPED", {})
    monkeypatch.setattr(store, "BOOKKEEPING", {})

    assert [] == list(rule(_checkout(tmp_path, CLEAN)))


def test_exception_for_what_is_gone_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "UNSCOPED", {"keys.get": "kept", "gone": "left over"})
    monkeypatch.setattr(store, "BOOKKEEPING", {})

    found = list(store.closed_lists_name_what_exists(_checkout(tmp_path, CLEAN)))

    assert ["gone is excepted from a rule and does not exist in the store"] == [violation.message for violation in found]


def test_listed_bookkeeping_is_written_without_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BOOKKEEPING", {"keys.end": "a planted exception"})
    tree = _checkout(tmp_path, {"src/keyrack/store/keys.py": WRITER, "src/keyrack/work/a.py": ENDS})

    assert [] == list(store.changes_go_through_change(tree))


def test_every_rule_has_a_planted_violation() -> None:
    assert set(RULES) - {store.closed_lists_name_what_exists} == {rule for rule, _, _ in PLANTED}


def _checkout(root: Path, files: dict[str, str]) -> Tree:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    subprocess.run(["git", "-C", root, "add", "--all"], check=True)
    return Tree(root)
