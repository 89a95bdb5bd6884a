"""Changes as people make them, through the same functions as the management API; each knows what holds after it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from keyrack.manage import integrations, keys, spaces, workspaces
from keyrack.manage.desk import Desk
from keyrack.manage.workspaces import Workspaces
from keyrack.model.permissions import ALL, Level, Rights, SpaceRole
from keyrack.model.principals import Principal
from tests.feed.truth import ELSEWHERE, IntegrationTruth, KeyTruth, Truth

Act = Callable[[Desk, Principal], Awaitable[Any]]
After = Callable[[Any], Truth]


@dataclass(frozen=True)
class Change:
    """One change: `act` makes it, `after` says what holds then, from what `act` returned. `simple`: it needs nothing of that."""

    name: str
    act: Act
    after: After
    simple: bool = True


def revoke(truth: Truth, key: str) -> Change:
    """Revoke a key; again, where that was done."""
    told = truth.keys[key]
    return Change(f"revoke {key}", lambda desk, owner: keys.revoke(desk, owner, told.id), lambda _: truth.with_key(key, ended=True))


def switch(truth: Truth, key: str, enabled: bool) -> Change | None:
    """Disable or enable a key."""
    return _edit_key(truth, key, "switch", {"enabled": enabled}, enabled=enabled)


def restrict(truth: Truth, key: str, elsewhere: bool) -> Change | None:
    """Let a key be used from another network only, or from everywhere again."""
    return _edit_key(truth, key, "restrict", {"ip_ranges": [ELSEWHERE] if elsewhere else []}, elsewhere=elsewhere)


def expire(truth: Truth, key: str, at: int | None) -> Change | None:
    """Have a key expire, or never."""
    return _edit_key(truth, key, "expire", {"expires_at": at}, expires_at=at)


def rename(truth: Truth, key: str, name: str) -> Change | None:
    """Give a key another name: evicts it, and changes nothing else."""
    return _edit_key(truth, key, "rename", {"name": name})


def rotate(truth: Truth, key: str, overlap_seconds: int, now: int, successor: str) -> Change | None:
    """Replace a key by a successor."""
    told = truth.keys[key]
    gone = told.ended or told.ends_at is not None or (told.expires_at is not None and told.expires_at <= now)
    if gone or truth.integrations[told.integration].deleted:
        return None

    def after(issued: keys.Issued) -> Truth:
        ended = truth.with_key(key, ends_at=now + overlap_seconds * 1000) if overlap_seconds else truth.with_key(key, ended=True)
        made = KeyTruth.of(issued.key, issued.secret.text, told.integration)
        return replace(ended, keys={**ended.keys, successor: made})

    return Change(f"rotate {key}", lambda desk, owner: keys.rotate(desk, owner, told.id, overlap_seconds), after, simple=False)


def rotate_all(truth: Truth, integration: str, successor: str) -> Change | None:
    """End all live keys of an integration, and make one."""
    told = truth.integrations[integration]
    if told.deleted:
        return None

    def after(issued: keys.Issued) -> Truth:
        ended = truth
        for name in truth.keys_of(integration):
            ended = ended.with_key(name, ended=True)
        made = KeyTruth.of(issued.key, issued.secret.text, integration)
        return replace(ended, keys={**ended.keys, successor: made})

    return Change(f"rotate all of {integration}", lambda desk, owner: keys.rotate_all(desk, owner, told.id), after, simple=False)


def give(truth: Truth, integration: str, level: Level, everything: bool = False) -> Change | None:
    """Give an integration this level in customers and no other; or the wildcard."""
    told = truth.integrations[integration]
    if told.deleted:
        return None
    permissions = {ALL: Level.WRITE} if everything else {"customers": level}
    return Change(
        f"give {integration} {'all' if everything else level.word}",
        lambda desk, owner: integrations.edit(desk, owner, told.id, permissions=permissions),
        lambda _: truth.with_integration(integration, level=level, all=everything),
    )


def set_role(truth: Truth, integration: str, space: str, inside: bool) -> Change | None:
    """Let an integration into a space, or out of it."""
    told = truth.integrations[integration]
    if told.deleted or space not in truth.spaces:
        return None
    space_id = truth.spaces[space]
    roles = told.spaces | {space} if inside else told.spaces - {space}

    async def act(desk: Desk, owner: Principal) -> None:
        if inside:
            await spaces.set_role(desk, owner, space_id, told.id, SpaceRole.VIEWER)
        else:
            await spaces.remove_role(desk, owner, space_id, told.id)

    return Change(f"role of {integration} in {space}: {inside}", act, lambda _: truth.with_integration(integration, spaces=roles))


def delete_space(truth: Truth, space: str) -> Change | None:
    """Delete a space, with everybody's roles in it."""
    if space not in truth.spaces:
        return None
    left = {name: told for name, told in truth.spaces.items() if name != space}
    space_id = truth.spaces[space]
    return Change(f"delete {space}", lambda desk, owner: spaces.delete(desk, owner, space_id), lambda _: replace(truth, spaces=left))


def make_space(truth: Truth, space: str) -> Change:
    """Make a space, which whoever has the wildcard reaches."""
    return Change(
        f"make {space}",
        lambda desk, owner: spaces.create(desk, owner, space),
        lambda made: replace(truth, spaces={**truth.spaces, space: made.id}),
        simple=False,
    )


def switch_api(truth: Truth, enabled: bool) -> Change:
    """Switch the workspace's API off or on."""
    return Change(
        f"api {enabled}", lambda desk, owner: workspaces.switch_api(desk, owner, enabled), lambda _: replace(truth, api_enabled=enabled)
    )


def set_plan(truth: Truth, has_api: bool) -> Change:
    """Put the workspace on a plan with or without API access."""
    plan = "standard" if has_api else "free"
    return Change(
        f"plan {plan}",
        lambda desk, owner: Workspaces(desk).set_plan(owner.workspace.id, plan),
        lambda _: replace(truth, plan_has_api=has_api),
    )


def delete_integration(truth: Truth, integration: str) -> Change | None:
    """Delete an integration, which ends its keys."""
    told = truth.integrations[integration]
    if told.deleted:
        return None
    return Change(
        f"delete {integration}",
        lambda desk, owner: integrations.delete(desk, owner, told.id),
        lambda _: truth.with_integration(integration, deleted=True),
    )


def make_key(truth: Truth, name: str, integration: str, expires_at: int | None = None) -> Change | None:
    """Make a key of an integration: takes no revision."""
    told = truth.integrations[integration]
    if told.deleted:
        return None

    def after(issued: keys.Issued) -> Truth:
        return replace(truth, keys={**truth.keys, name: KeyTruth.of(issued.key, issued.secret.text, integration)})

    return Change(
        f"make {name}",
        lambda desk, owner: keys.create(desk, owner, name=name, integration_id=told.id, expires_at=expires_at),
        after,
        simple=False,
    )


def make_integration(truth: Truth, name: str, level: Level) -> Change:
    """Make an integration: takes no revision."""
    return Change(
        f"make {name}",
        lambda desk, owner: integrations.create(desk, owner, name=name, rights=Rights(permissions={"customers": level})),
        lambda made: replace(truth, integrations={**truth.integrations, name: IntegrationTruth(made.id, level)}),
        simple=False,
    )


def _edit_key(truth: Truth, key: str, verb: str, fields: dict[str, Any], **after: Any) -> Change | None:
    told = truth.keys[key]
    if told.ended or told.ends_at is not None or truth.integrations[told.integration].deleted:
        return None
    return Change(
        f"{verb} {key}: {fields}",
        lambda desk, owner: keys.edit(desk, owner, told.id, **fields),
        lambda _: truth.with_key(key, **after),
    )
