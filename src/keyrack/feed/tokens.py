"""From a personal token, as the store shows it, to the principal that it proves."""

from collections.abc import Mapping
from dataclasses import replace

from keyrack.model.members import Member
from keyrack.model.permissions import Category, Rights, compile_rights
from keyrack.model.plans import Plan, missing_api
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED, TOKEN_REVOKED, Refusal
from keyrack.model.times import iso
from keyrack.model.tokens import FoundToken, end_of


def principal_of(found: FoundToken, categories: Mapping[str, Category], plans: Mapping[str, Plan]) -> Principal:
    """Return who a token proves: its member, as far as the token and the member's present rights reach.

    Whatever ends or narrows it carries one of the ids that it was derived from: the token's, its member's, its person's, its workspace's
    and those of the spaces that it reaches. The end of the membership is compared on every call, like an expiry.
    """
    token, member, workspace = found.token, found.member, found.workspace
    rights = Rights() if member is None else _rights(found, member, categories)
    until, until_refusal = end_of(member, token.expires_at)
    plan = plans.get(workspace.plan)
    missing = missing_api(plans, workspace.plan)
    refusal = _refusal(found, missing)
    subjects = {"workspace": workspace.id, "integration": token.member_id, "key": token.id}
    return Principal(
        kind=Kind.PERSONAL_TOKEN,
        workspace=workspace,
        credential_id=token.id,
        credential_name=f"{found.name} ({token.name})",
        prefix=token.prefix,
        mode=Mode.LIVE,
        rights=rights,
        masks=compile_rights(rights, categories, found.space_ids),
        derived_from=frozenset({token.id, token.member_id, token.person_id, workspace.id, *rights.spaces, *found.space_ids}),
        member_id=token.member_id,
        person_id=token.person_id,
        until=until,
        until_refusal=until_refusal,
        buckets=() if plan is None else plan.buckets(Mode.LIVE, subjects),
        refusal=refusal,
        because=missing if refusal is PLAN_UPGRADE_REQUIRED else _because(found) if refusal in (None, TOKEN_REVOKED) else "",
        api_version=token.api_version or "",
    )


def _rights(found: FoundToken, member: Member, categories: Mapping[str, Category]) -> Rights:
    reached = found.token.reach(member.rights, categories)
    # A token may name a space that was deleted since: the member's wildcard reaches it no more than anything else does.
    living = {*member.rights.spaces, *found.space_ids}
    return replace(reached, spaces={space_id: role for space_id, role in reached.spaces.items() if space_id in living})


def _refusal(found: FoundToken, missing: str) -> Refusal | None:
    member, workspace = found.member, found.workspace
    if workspace.deleted_at is not None or found.token.has_ended:
        return TOKEN_REVOKED
    if member is None or not member.holds_tokens:
        return TOKEN_REVOKED
    return workspace.api_refusal(missing)


def _because(found: FoundToken) -> str:
    """What a refusal of the token adds: who ended it, or until when its member had access."""
    if found.token.has_ended:
        return found.token.why()
    if found.member is not None and found.member.access_until is not None:
        return f"{found.name} has access until {iso(found.member.access_until)}."
    return ""
