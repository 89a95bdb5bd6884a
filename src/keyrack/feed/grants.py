"""From an access token, as the store shows it, to the principal that it proves."""

from collections.abc import Mapping

from keyrack.model.apps import shared
from keyrack.model.grants import FoundAccess, reach
from keyrack.model.permissions import Category, Rights, compile_rights
from keyrack.model.plans import Plan, missing_api
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED, TOKEN_REVOKED, Refusal
from keyrack.model.tokens import end_of


def principal_of(found: FoundAccess, categories: Mapping[str, Category], plans: Mapping[str, Plan]) -> Principal:
    """Return who an access token proves: an app that acts for a member, as far as the grant and the member's present rights reach.

    Whatever ends or narrows it carries one of the ids that it was derived from: the token's, the grant's, the app's, the member's, the
    person's, the workspace's and those of the spaces that it reaches.
    """
    grant, app, member, workspace, token = found.grant, found.app, found.member, found.workspace, found.token
    scopes = shared(token.scopes, found.scopes)
    rights = Rights() if member is None else reach(scopes, member.rights, categories, found.space_ids)
    until, until_refusal = end_of(member, token.expires_at)
    plan = plans.get(workspace.plan)
    missing = missing_api(plans, workspace.plan)
    refusal = _refusal(found, missing)
    subjects = {"workspace": workspace.id, "integration": grant.id, "key": token.id}
    derived_from = {token.id, grant.id, app.id, grant.member_id, grant.person_id, workspace.id, *rights.spaces, *found.space_ids}
    return Principal(
        kind=Kind.ACCESS_TOKEN,
        workspace=workspace,
        credential_id=token.id,
        credential_name=f"{app.name} for {found.name}",
        prefix=token.prefix,
        mode=Mode.LIVE,
        rights=rights,
        masks=compile_rights(rights, categories),
        derived_from=frozenset(derived_from),
        member_id=grant.member_id,
        person_id=grant.person_id,
        app_id=app.id,
        grant_id=grant.id,
        until=until,
        until_refusal=until_refusal,
        buckets=() if plan is None else plan.buckets(Mode.LIVE, subjects),
        refusal=refusal,
        because=missing if refusal is PLAN_UPGRADE_REQUIRED else _because(found) if refusal is TOKEN_REVOKED else "",
        api_version="",
    )


def _refusal(found: FoundAccess, missing: str) -> Refusal | None:
    member, workspace = found.member, found.workspace
    if workspace.deleted_at is not None or not found.is_live or found.token.ended_at is not None:
        return TOKEN_REVOKED
    if member is None or not member.holds_tokens:
        return TOKEN_REVOKED
    return workspace.api_refusal(missing)


def _because(found: FoundAccess) -> str:
    if found.app.deleted_at is not None:
        return f"{found.app.name} was deleted."
    return found.grant.why() or ("The app gave this token back." if found.token.ended_at is not None else "")
