"""Several web processes at one socket share its connections, and none waits for one that hangs."""

import asyncio
import contextlib
import socket

import pytest

from apps.core.processes.door import bound_socket
from apps.core.processes.sharing import Counts, SharedDoor


class Caller(asyncio.Protocol):
    """What a process keeps of a connection."""

    def __init__(self, held):
        self.held = held

    def connection_made(self, transport):
        self.transport = transport
        self.held.add(self)

    def connection_lost(self, exc):
        self.held.discard(self)


@contextlib.contextmanager
def processes(file, many, *, hanging=0):
    """Let so many processes share a socket; yield its address and what each holds."""
    listening = bound_socket("127.0.0.1", 0)
    doors, holds = [], []
    for place in range(many):
        counts, held = Counts(file, place, many + hanging), set()
        doors.append(SharedDoor(listening.dup(), lambda h=held: Caller(h), held, counts))
        holds.append(held)
    for place in range(many, many + hanging):
        Counts(file, place, many + hanging)
    try:
        yield listening.getsockname(), holds, doors
    finally:
        for door in doors:
            door.close()
        listening.close()


async def call(address, holds, many):
    """Open so many connections; return them once all were taken in."""
    before = sum(map(len, holds))
    calls = [await asyncio.open_connection(*address) for _ in range(many)]
    async with asyncio.timeout(10):
        while sum(map(len, holds)) < before + many:
            await asyncio.sleep(0.01)
    return [writer for _, writer in calls]


@pytest.mark.parametrize("many", [2, 3])
def test_none_has_more_than_the_others(tmp_path, many):
    async def run():
        with processes(tmp_path / "counts", many) as (address, holds, _):
            calls = await call(address, holds, 4 * many)
            return [len(held) for held in holds], len(calls)

    assert asyncio.run(run()) == ([4] * many, 4 * many)


def test_who_lost_its_connections_gets_the_next(tmp_path):
    async def run():
        with processes(tmp_path / "counts", 2) as (address, holds, doors):
            calls = await call(address, holds, 8)
            for caller in list(holds[0]):
                caller.transport.close()
            await asyncio.sleep(0.05)
            doors[0].tell()
            calls += await call(address, holds, 4)
            assert len(calls) == 12
            return [len(held) for held in holds]

    assert asyncio.run(run()) == [4, 4]


def test_what_one_that_hangs_leaves_is_taken(tmp_path):
    async def run():
        with processes(tmp_path / "counts", 1, hanging=1) as (address, holds, _):
            calls = await call(address, holds, 12)
            return len(holds[0]), len(calls)

    assert asyncio.run(run()) == (12, 12)


def test_a_closed_door_takes_nothing_in(tmp_path):
    async def run():
        with processes(tmp_path / "counts", 1) as (address, holds, doors):
            calls = await call(address, holds, 1)
            doors[0].close()
            await doors[0].wait_closed()
            calls += await asyncio.open_connection(*address)
            await asyncio.sleep(0.1)
            return len(holds[0])

    assert asyncio.run(run()) == 1


def test_too_many_open_files_are_waited_for(tmp_path, monkeypatch):
    full = socket.socket.accept

    def accept(self):
        monkeypatch.setattr(socket.socket, "accept", full)
        raise OSError(24, "Too many open files")

    async def run():
        with processes(tmp_path / "counts", 1) as (address, holds, _):
            monkeypatch.setattr(socket.socket, "accept", accept)
            calls = await call(address, holds, 1)
            return len(holds[0]), len(calls)

    assert asyncio.run(run()) == (1, 1)
