"""Files that a node writes: whole or not at all, never through a link; and the secret among them."""

import ast
import stat
from pathlib import Path

import pytest

from rollup.files import write_file
from rollup.rpc.jwt_auth import JwtSecretError, read_or_make_secret, read_secret

PACKAGES = [Path(__file__).resolve().parents[2] / name for name in ("rollup", "sequencer", "derivation")]


def test_a_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("kept")
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        write_file(link, "changed")
    assert target.read_text() == "kept"
    assert link.is_symlink()


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("kept")
    (tmp_path / "file.new").symlink_to(target)
    write_file(tmp_path / "file", "new")
    assert target.read_text() == "kept"
    assert (tmp_path / "file").read_text() == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"target", "file"}


def test_a_device_is_refused() -> None:
    with pytest.raises(OSError, match="not a regular file"):
        write_file(Path("/dev/null"), "x")


def test_no_module_writes_a_file_in_another_way() -> None:
    for path in (file for package in PACKAGES for file in package.rglob("*.py") if file.name != "files.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("write_text", "write_bytes"), f"{path}:{node.lineno}"


def test_an_empty_secret_is_made_anew_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "jwt.hex"
    path.touch()
    assert len(read_or_make_secret(path)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_secret(path) == read_secret(path)


def test_a_secret_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jwt.hex"
    read_or_make_secret(path)
    path.chmod(0o666)
    with pytest.raises(JwtSecretError, match="others may write"):
        read_or_make_secret(path)
