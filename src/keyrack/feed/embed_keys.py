"""From an embed key, as the store shows it, to the principal that it proves."""

from keyrack.model.embed_keys import FoundEmbedKey
from keyrack.model.permissions import EMBEDDED_MASKS, Rights
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import KEY_REVOKED


def principal_of(found: FoundEmbedKey) -> Principal:
    """Return who an embed key proves: whoever looks at the page in which it stands.

    It reaches what the host declares for it and nothing else, takes nothing from the limits of the plan, and is neither switched off with
    the API nor gone with the plan's access to it: pages of customers' sites are no programs of theirs (DESIGN §8).
    """
    key, workspace = found.key, found.workspace
    return Principal(
        kind=Kind.EMBED_KEY,
        workspace=workspace,
        credential_id=key.id,
        credential_name=key.name,
        prefix=key.prefix,
        mode=Mode.LIVE,
        rights=Rights(),
        masks=EMBEDDED_MASKS,
        derived_from=frozenset({key.id, key.object_id, workspace.id}),
        refusal=KEY_REVOKED if workspace.deleted_at is not None else key.refusal,
        because=key.why(),
        embedded=key.reach,
    )
