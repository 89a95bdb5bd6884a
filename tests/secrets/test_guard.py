"""The guard over the whole test run sees what it guards against."""

from pathlib import Path

from keyrack.crypto.format import mint
from tests.secrets.guard import left_in


def test_secret_in_a_file_is_noticed_wherever_it_stands_in_it(tmp_path: Path) -> None:
    file = tmp_path / "below" / "file"
    file.parent.mkdir()
    for secret in (mint("acme"), mint("acme_test")):
        file.write_bytes(b"\0\xff_aa" + secret.text.encode() + b"bb_")
        assert [str(file)] == left_in(tmp_path)
    file.write_text(f"{mint('acme')!r} {mint('acme').shown_prefix} {mint('acme').text[:30]}")
    assert [] == left_in(tmp_path)
