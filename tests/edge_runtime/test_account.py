"""What another account may do is asked by being it."""

import os
import tempfile
from pathlib import Path

import pytest

from edge_runtime.account import Account
from edge_runtime.errors import ServiceError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may be somebody else")


@pytest.fixture
def folder():
    """A folder that everybody can reach: pytest's own are shut."""
    with tempfile.TemporaryDirectory(prefix="fer-edge-account-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_files_of_root_are_not_for_everybody(folder):
    secret, public = folder / "secret", folder / "public"
    secret.write_text("x")
    public.write_text("x")
    secret.chmod(0o600)
    public.chmod(0o644)
    nobody = Account("nobody")
    assert nobody.may_read(public)
    assert not nobody.may_read(secret)
    assert not nobody.may_write(folder)
    folder.chmod(0o777)
    assert nobody.may_write(folder)
    assert not nobody.may_read(folder / "absent")
    assert Account("root").may_read(secret)


def test_a_name_is_no_part_of_a_command(folder):
    strange = folder / "a $(reboot) 'b'"
    strange.write_text("x")
    strange.chmod(0o644)
    assert Account("nobody").may_read(strange)
    assert not Account("nobody").may_run(strange)


def test_an_account_that_is_none_is_refused():
    with pytest.raises(ServiceError, match="no account 'nobody-at-all'"):
        Account("nobody-at-all")
