"""Workspaces: the tenants. A workspace owns everything else."""

from dataclasses import dataclass

from keyrack.model.refusals import API_DISABLED, PLAN_UPGRADE_REQUIRED, Refusal


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace. `api_enabled` is the API toggle; `plan` names one of the host's plans. Times are ms since the epoch.

    With `revealing`, the secrets of keys that are made from then on can be shown again to admins who prove that it is them.
    """

    id: str
    name: str
    slug: str
    plan: str
    api_enabled: bool
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    revealing: bool = False

    def api_refusal(self, missing: str) -> Refusal | None:
        """Return why nobody may call here: the plan is without the API, where `missing` says so, or the API is switched off."""
        if missing:
            return PLAN_UPGRADE_REQUIRED
        return None if self.api_enabled else API_DISABLED
