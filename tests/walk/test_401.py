"""401: we do not know, or no longer accept, who is calling."""

import pytest

from keyrack.manage import integrations, keys, workspaces
from tests.hosts import Host
from tests.walk.problems import problem

PATH = "/api/v1/customers"


async def test_call_without_credential_gets_the_bare_challenge(host: Host) -> None:
    answer = await host.get(PATH)
    problem(answer, 401, "missing_credential")
    assert 'Bearer realm="Acme"' == answer.headers["www-authenticate"]


@pytest.mark.parametrize("form", ["Bearer: {}", "{}", "Basic {}", "Token {}", "Bearer", "Bearer ", "bearer:{}"])
async def test_other_header_forms_are_refused_with_what_to_write(host: Host, form: str) -> None:
    key = await host.key()
    answer = await host.get(PATH, headers={"Authorization": form.format(key.secret.text)})
    document = problem(answer, 401, "invalid_credential")
    assert "Authorization: Bearer <key>" in document["detail"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}", "Bearer {} ", " Bearer {}"])
async def test_scheme_is_read_in_any_case_and_spaces_around_do_not_matter(host: Host, form: str) -> None:
    key = await host.key()
    answer = await host.get(PATH, headers={"Authorization": form.format(key.secret.text)})
    assert 200 == answer.status_code


@pytest.mark.parametrize("header", ["X-API-Key", "x-api-token"])
async def test_key_is_accepted_in_its_own_header(host: Host, header: str) -> None:
    key = await host.key()
    assert 200 == (await host.get(PATH, headers={header: key.secret.text})).status_code


async def test_unknown_and_mistyped_keys_are_refused_alike(host: Host) -> None:
    from_elsewhere = "acme_0123456789012345678901234567890s4R2Q"
    key = await host.key()
    wrong_place = key.secret.text[:-8] + ("A" if key.secret.text[-8] != "A" else "B") + key.secret.text[-7:]
    for secret in (from_elsewhere, wrong_place, "x", "é" * 40, key.secret.text[:-1], key.secret.text + "0"):
        problem(await host.get(PATH, headers={b"Authorization": b"Bearer " + secret.encode()}), 401, "invalid_credential")


async def test_revoked_key_is_refused_when_revoke_returns(host: Host) -> None:
    key = await host.key()
    assert 200 == (await host.get(PATH, key)).status_code
    await keys.revoke(host.rack.assembly.desk, host.owner, key.key.id)
    document = problem(await host.get(PATH, key), 401, "key_revoked")
    assert key.key.prefix in document["detail"]


async def test_revoking_twice_is_the_same_as_once(host: Host) -> None:
    key = await host.key()
    first = await keys.revoke(host.rack.assembly.desk, host.owner, key.key.id)
    assert first == await keys.revoke(host.rack.assembly.desk, host.owner, key.key.id)


async def test_disabled_key_is_refused_until_it_is_enabled(host: Host) -> None:
    key = await host.key()
    desk = host.rack.assembly.desk
    await keys.edit(desk, host.owner, key.key.id, enabled=False)
    problem(await host.get(PATH, key), 401, "key_disabled")
    await keys.edit(desk, host.owner, key.key.id, enabled=True)
    assert 200 == (await host.get(PATH, key)).status_code


async def test_expired_key_is_refused_from_its_moment_on(host: Host) -> None:
    expires_at = host.clock.now() + 60_000
    key = await host.key(expires_at=expires_at)
    host.clock.set(expires_at - 1)
    assert 200 == (await host.get(PATH, key)).status_code
    host.clock.set(expires_at)
    problem(await host.get(PATH, key), 401, "key_expired")


async def test_rotation_without_overlap_ends_the_old_secret_at_once(host: Host) -> None:
    old = await host.key()
    new = await keys.rotate(host.rack.assembly.desk, host.owner, old.key.id)
    problem(await host.get(PATH, old), 401, "key_revoked")
    assert 200 == (await host.get(PATH, new)).status_code


async def test_rotation_with_overlap_keeps_both_until_it_is_over(host: Host) -> None:
    old = await host.key()
    rotated_at = host.clock.now()
    new = await keys.rotate(host.rack.assembly.desk, host.owner, old.key.id, overlap_seconds=60)
    assert 200 == (await host.get(PATH, old)).status_code == (await host.get(PATH, new)).status_code
    host.clock.set(rotated_at + 60_000)
    problem(await host.get(PATH, old), 401, "key_revoked")
    assert 200 == (await host.get(PATH, new)).status_code


async def test_toggle_off_refuses_every_key_of_the_workspace_alone(host: Host) -> None:
    key = await host.key()
    other = await host.other_workspace()
    await workspaces.switch_api(host.rack.assembly.desk, host.owner, False)
    problem(await host.get(PATH, key), 401, "api_disabled")
    assert 200 == (await host.get(PATH, other.key)).status_code
    await workspaces.switch_api(host.rack.assembly.desk, host.owner, True)
    assert 200 == (await host.get(PATH, key)).status_code


async def test_deleting_an_integration_ends_its_keys(host: Host) -> None:
    key = await host.key()
    await integrations.delete(host.rack.assembly.desk, host.owner, key.key.integration_id)
    problem(await host.get(PATH, key), 401, "key_revoked")


async def test_deleting_the_workspace_ends_its_keys(host: Host) -> None:
    key = await host.key()
    await host.rack.workspaces.delete(host.workspace.id)
    problem(await host.get(PATH, key), 401, "key_revoked")


async def test_unknown_path_is_not_told_to_strangers(host: Host) -> None:
    problem(await host.get("/api/v1/nothing"), 401, "missing_credential")
