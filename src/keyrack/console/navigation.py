"""Where pages stand: in the sidebar, and as tabs of one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.routing import Route

from keyrack.model.principals import Principal


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that people find by themselves.

    `path` is its address below the console. Pages with the same `area` are tabs of one page, and the first of them stands in the sidebar,
    under the heading `group`, as `title`; `tab` is what it is called in the row of tabs. `icon` is named in assets/icons.txt. Members
    without org-level Admin do not see an entry `for_admins`, those who may not use the API none `for_api_users`, and who was let in
    through another product none `for_people`.
    """

    area: str
    path: str
    title: str
    icon: str
    tab: str = ""
    group: str = ""
    for_admins: bool = False
    for_people: bool = False
    for_api_users: bool = False

    def shown_to(self, member: Principal) -> bool:
        """Whether a member may open the page."""
        needed = ((self.for_admins, member.is_admin), (self.for_people, member.decides_roles), (self.for_api_users, member.may_use_api))
        return all(has for needs, has in needed if needs)


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of the sidebar under one heading, which leads to `path`; the first group has none."""

    title: str
    entries: tuple[Entry, ...]

    @property
    def path(self) -> str:
        """What the heading leads to: the page of settings, or the first one for who may not open that."""
        return next((entry.path for entry in self.entries if entry.area == "settings"), self.entries[0].path)


def own_entry(group: str, path: str, tab: str, *, for_api_users: bool = False) -> Entry:
    """Return the entry of a page about somebody's own things: a tab of Personal preferences."""
    return Entry("preferences", path, "Personal preferences", "user", tab, group, for_people=True, for_api_users=for_api_users)


class Section(Protocol):
    """Pages that belong together: their routes, and which of them people find."""

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""

    @property
    def entries(self) -> Sequence[Entry]:
        """What stands in the sidebar and in tabs."""


class Navigation:
    """The pages of the console, as one member finds them from one path."""

    def __init__(self, entries: Sequence[Entry], member: Principal, path: str) -> None:
        self._entries = [entry for entry in entries if entry.shown_to(member)]
        here = [entry for entry in self._entries if _lies_below(path, entry.path)]
        self.current = max(here, key=lambda entry: len(entry.path), default=None)

    @property
    def groups(self) -> list[Group]:
        """The sidebar: the first entry of each area."""
        first = {entry.area: entry for entry in reversed(self._entries)}
        titles = list(dict.fromkeys(entry.group for entry in self._entries))
        in_order = [entry for entry in self._entries if first[entry.area] is entry]
        return [Group(title, tuple(entry for entry in in_order if entry.group == title)) for title in titles]

    @property
    def tabs(self) -> list[Entry]:
        """The pages beside the current one, itself included; empty where it is alone."""
        beside = [entry for entry in self._entries if entry.tab and self.current and entry.area == self.current.area]
        return beside if len(beside) > 1 else []


def _lies_below(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/" if top else "//")
