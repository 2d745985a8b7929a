"""Where it cannot start, the portal says why in a sentence and ends with code 1."""

import socket

import pytest

from apps.core.processes import plan
from apps.core.processes.refusal import Refusal
from tests.supervisor.conftest import refusal


@pytest.mark.parametrize("text", ["0", "65536", "abc", "-1", "1.5", "٩", " 80"])
def test_port_must_be_a_port(text):
    with pytest.raises(Refusal) as refused:
        plan.number({"PORT": text}, "PORT", 9100, 65_535)
    assert str(refused.value) == (
        f"PORT must be a whole number from 1 to 65535, not {text!r}."
    )


def test_port_has_a_default_and_may_be_moved():
    assert plan.number({}, "PORT", 9100, 65_535) == 9100
    assert plan.number({"PORT": ""}, "PORT", 9100, 65_535) == 9100
    assert plan.number({"PORT": "65535"}, "PORT", 9100, 65_535) == 65_535


def test_nonsense_for_a_port(start):
    assert refusal(start(PORT="https")) == (
        "The portal does not start. PORT must be a whole number from 1 to 65535, not 'https'."
    )


def test_taken_port(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        portal = start(PORT=str(port))
        said = refusal(portal)
    assert said == (
        f"The portal does not start. Port {port} on 127.0.0.1 cannot be used: Address already "
        "in use. Stop what listens there, or set PORT to another one."
    )
    assert not (portal.var / "pg").exists()


def test_folder_that_cannot_be_written(start, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    said = refusal(start(tmp_path / "file" / "var"))
    assert said == f"The folder {tmp_path}/file/var cannot be used: Not a directory."
