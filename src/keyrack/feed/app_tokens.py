"""From an app token, as the store shows it, to the principal that it proves."""

from collections.abc import Mapping

from keyrack.model.app_tokens import FoundAppToken
from keyrack.model.apps import levels_of, shared
from keyrack.model.permissions import Category, Rights, compile_rights
from keyrack.model.plans import Plan, missing_api
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED, TOKEN_EXPIRED, TOKEN_REVOKED, Refusal


def principal_of(found: FoundAppToken, categories: Mapping[str, Category], plans: Mapping[str, Plan]) -> Principal:
    """Return who an app token proves: an app that acts for itself, with what its workspace gives it at this moment, and no more."""
    app, workspace, token = found.app, found.workspace, found.token
    flat = {one.name for one in categories.values() if not one.in_spaces}
    levels = levels_of(shared(token.scopes, app.own_scopes))
    rights = Rights(permissions={name: level for name, level in levels.items() if name in flat})
    plan, missing = plans.get(workspace.plan), missing_api(plans, workspace.plan)
    refusal = _refusal(found, missing)
    subjects = {"workspace": workspace.id, "integration": app.id, "key": token.id}
    return Principal(
        kind=Kind.ACCESS_TOKEN,
        workspace=workspace,
        credential_id=token.id,
        credential_name=app.name,
        prefix=token.prefix,
        mode=Mode.LIVE,
        rights=rights,
        masks=compile_rights(rights, categories),
        derived_from=frozenset({token.id, app.id, workspace.id}),
        app_id=app.id,
        until=token.expires_at,
        until_refusal=TOKEN_EXPIRED,
        buckets=() if plan is None else plan.buckets(Mode.LIVE, subjects),
        refusal=refusal,
        because=missing if refusal is PLAN_UPGRADE_REQUIRED else found.ending,
        api_version="",
    )


def _refusal(found: FoundAppToken, missing: str) -> Refusal | None:
    if found.workspace.deleted_at is not None or found.ending:
        return TOKEN_REVOKED
    return found.workspace.api_refusal(missing)
