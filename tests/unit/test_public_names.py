"""What `keyrack` offers by name, and what a program imports that asks for a part of it."""

import subprocess
import sys

import pytest

import keyrack


def test_every_public_name_is_there() -> None:
    assert sorted(keyrack.__all__) == sorted(keyrack._PLACES) == [name for name in dir(keyrack) if name in keyrack._PLACES]
    assert all(getattr(keyrack, name) is not None for name in keyrack.__all__)


def test_name_that_is_not_there_is_refused_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'keyrack' has no attribute 'Keyring'"):
        _ = keyrack.Keyring  # type: ignore[attr-defined]


def test_client_imports_no_server() -> None:
    told = "import sys; from keyrack.client import Client; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", told], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True, timeout=60, text=True)
    assert set() == {"fastapi", "sqlalchemy", "starlette", "keyrack.server", "keyrack.store"} & set(said.stdout.split())
