"""Single events of several web processes are taken in by the one that leads."""

import asyncio
import fcntl

import pytest

from apps.api.oms import gathering
from apps.api.oms.gathering import Gathering

PATH = "/api/oms/events/correlate"


class Process:
    """What one web process does with the calls that it answers itself."""

    def __init__(self, name, socket):
        self.name = name
        self.taken = []
        self.at_once = self.most_at_once = 0
        self.answer = (201, b"{}", [(b"x-limit", b"9")])
        self.fault = None
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.gathering = Gathering(self._take, socket)
        self.callers, self.called = [], self.gathering._called
        self.gathering._called = self._called

    async def _take(self, path, token, body):
        self.taken.append((path, token, body))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await self.goes_on.wait()
        self.at_once -= 1
        if self.fault:
            raise self.fault
        return self.answer

    def _called(self):
        self.callers.append(self.called())
        return self.callers[-1]

    async def call(self, body=b"{}", token="secret"):
        return await asyncio.wait_for(self.gathering.take(PATH, token, body), 5)

    async def die(self):
        """Let go of everything as the kernel does for a process that was killed."""
        if self.gathering.server:
            self.gathering.server.close()
            self.gathering.leads.close()
            for caller in self.callers:
                caller.transport.abort()
            await asyncio.sleep(0)


@pytest.fixture
def socket(tmp_path_factory):
    return tmp_path_factory.mktemp("s") / "calls"


def test_without_a_socket_each_process_answers_by_itself():
    async def calls():
        one, two = Process("one", None), Process("two", None)
        await one.call()
        await two.call()
        return one.taken, two.taken

    assert [len(taken) for taken in asyncio.run(calls())] == [1, 1]


def test_the_first_to_be_asked_leads_and_answers_for_the_others(socket):
    async def calls():
        one, two = Process("one", socket), Process("two", socket)
        answers = [await one.call(b"1"), await two.call(b"2"), await two.call(b"3", "t")]
        return one.taken, two.taken, answers

    one, two, answers = asyncio.run(calls())
    assert one == [(PATH, "secret", b"1"), (PATH, "secret", b"2"), (PATH, "t", b"3")]
    assert two == []
    assert answers == [(201, b"{}", [(b"x-limit", b"9")])] * 3


def test_calls_of_another_process_are_taken_together(socket):
    async def calls():
        one, two = Process("one", socket), Process("two", socket)
        await one.call()
        one.goes_on.clear()
        waiting = [asyncio.create_task(two.call(b"%d" % n)) for n in range(50)]
        while one.at_once < 50:
            await asyncio.sleep(0.001)
        one.goes_on.set()
        answers = await asyncio.gather(*waiting)
        return one, answers

    one, answers = asyncio.run(calls())
    assert one.most_at_once == 50
    assert len(answers) == 50


def test_each_gets_the_answer_to_its_own_call_in_whatever_order(socket):
    async def calls():
        one, two = Process("one", socket), Process("two", socket)
        await one.call()

        async def echo(path, token, body):
            await asyncio.sleep(0.02 if body == b"slow" else 0)
            return 200, body, []

        one.gathering.take_here = echo
        return await asyncio.gather(
            *(two.call(b) for b in (b"slow", b"quick", b"x" * 70_000))
        )

    slow, quick, large = asyncio.run(calls())
    assert (slow[1], quick[1]) == (b"slow", b"quick")
    assert large[1] == b"x" * 70_000


@pytest.mark.parametrize("fault", [None, ValueError("broken")])
def test_what_the_leader_does_not_answer_is_left_to_the_plain_view(socket, fault):
    async def calls():
        one, two = Process("one", socket), Process("two", socket)
        await one.call()
        one.answer, one.fault = None, fault
        return await two.call(), two.taken

    assert asyncio.run(calls()) == (None, [])


def test_where_the_leader_dies_the_call_is_answered_here_and_another_leads(socket):
    async def calls():
        one, two, three = (Process(name, socket) for name in ("one", "two", "three"))
        await one.call()
        await two.call()
        one.goes_on.clear()
        waiting = asyncio.create_task(two.call(b"in flight"))
        while not one.at_once:
            await asyncio.sleep(0.001)
        await one.die()
        answer = await waiting
        await two.call(b"next")
        await three.call(b"third")
        return answer, two, three

    answer, two, three = asyncio.run(calls())
    assert answer[0] == 201
    assert [body for _, _, body in two.taken] == [b"in flight", b"next", b"third"]
    assert two.gathering.leads
    assert three.taken == []


def test_where_the_leader_is_silent_the_call_is_answered_here(socket, monkeypatch):
    monkeypatch.setattr(gathering, "LONGEST_SECONDS", 0.05)

    async def calls():
        one, two = Process("one", socket), Process("two", socket)
        await one.call()
        one.goes_on.clear()
        return await two.call(b"mine"), two.taken

    answer, taken = asyncio.run(calls())
    assert answer[0] == 201
    assert [body for _, _, body in taken] == [b"mine"]


def test_where_the_leader_does_not_listen_yet_calls_are_answered_here(socket):
    async def calls():
        two = Process("two", socket)
        with socket.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            await two.call(b"early")
        await two.call(b"late")
        return two

    two = asyncio.run(calls())
    assert len(two.taken) == 2
    assert two.gathering.leads
