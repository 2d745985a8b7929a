"""Calls that wait together are worked off together, in turns."""

import asyncio
import threading
import time

import pytest

from apps.api.oms.doors import Again, Turns


class Work:
    """Doubles what it is given, once it may; remembers the turns."""

    def __init__(self):
        self.turns = []
        self.threads = set()
        self.may_go = threading.Event()

    def __call__(self, calls):
        self.turns.append(list(calls))
        self.threads.add(threading.current_thread().name)
        assert self.may_go.wait(10)
        return [None if call < 0 else call * 2 for call in calls]


@pytest.fixture
def work():
    return Work()


async def began(work, number):
    while len(work.turns) < number:
        await asyncio.sleep(0.001)


def test_what_comes_in_during_a_turn_shares_the_next(work):
    async def scene():
        turns = Turns("test", work, 100)
        first = asyncio.create_task(turns.take(1))
        await began(work, 1)
        later = [asyncio.create_task(turns.take(n)) for n in (2, -3, 4)]
        await asyncio.sleep(0)
        work.may_go.set()
        return await asyncio.gather(first, *later)

    assert asyncio.run(scene()) == [2, 4, None, 8]
    assert work.turns == [[1], [2, -3, 4]]
    assert work.threads == {"test_0"}


def test_two_halves_that_came_one_after_the_other_share_their_turns_soon(work):
    async def call_again(turns, call):
        for _ in range(4):
            await turns.take(call)

    async def scene():
        turns = Turns("test", work, 100)
        first = [asyncio.create_task(call_again(turns, n)) for n in (1, 2)]
        await began(work, 1)
        later = [asyncio.create_task(call_again(turns, n)) for n in (3, 4)]
        await asyncio.sleep(0)
        work.may_go.set()
        await asyncio.gather(*first, *later)

    asyncio.run(scene())
    assert work.turns[0] == [1, 2]
    assert [sorted(turn) for turn in work.turns[1:4]] == [[1, 2, 3, 4]] * 3


def test_two_threads_have_a_turn_each_and_what_comes_then_waits_for_either(work):
    async def scene():
        turns = Turns("test", work, 100, threads=2)
        first = asyncio.create_task(turns.take(1))
        await began(work, 1)
        second = asyncio.create_task(turns.take(2))
        await began(work, 2)
        later = [asyncio.create_task(turns.take(n)) for n in (3, 4)]
        await asyncio.sleep(0)
        work.may_go.set()
        return await asyncio.gather(first, second, *later)

    assert asyncio.run(scene()) == [2, 4, 6, 8]
    assert sorted(work.turns[:2]) == [[1], [2]]
    assert sorted(call for turn in work.turns[2:] for call in turn) == [3, 4]
    assert work.threads == {"test_0", "test_1"}


def test_a_turn_is_never_larger_than_it_may_be(work):
    work.may_go.set()

    async def scene():
        turns = Turns("test", work, 2)
        return await asyncio.gather(*(turns.take(n) for n in range(5)))

    assert asyncio.run(scene()) == [0, 2, 4, 6, 8]
    assert [len(turn) for turn in work.turns] == [2, 2, 1]


def test_after_a_pause_and_after_a_fault_it_goes_on(work):
    def broken(calls):
        if calls == [0]:
            raise ValueError("broken")
        return work(calls)

    work.may_go.set()

    async def scene():
        turns = Turns("test", broken, 100)
        return [await turns.take(n) for n in (1, 0, 2)]

    assert asyncio.run(scene()) == [2, None, 4]


def test_who_has_left_holds_up_nobody(work):
    async def scene():
        turns = Turns("test", work, 100)
        first = asyncio.create_task(turns.take(1))
        await began(work, 1)
        gone, waits = (asyncio.create_task(turns.take(n)) for n in (2, 3))
        await asyncio.sleep(0)
        gone.cancel()
        work.may_go.set()
        return await first, await waits

    assert asyncio.run(scene()) == (2, 6)


def test_a_stopped_thread_leaves_it_to_others(work):
    async def scene():
        turns = Turns("test", work, 100)
        turns.pool.shutdown()
        began_at = time.monotonic()
        return await turns.take(1), time.monotonic() - began_at

    answer, seconds = asyncio.run(scene())
    assert answer is None
    assert seconds < 5


def test_a_call_that_cannot_be_answered_yet_is_asked_again_and_holds_up_nobody():
    asked = []

    def work(calls):
        asked.append(list(calls))
        busy = len(asked) < 4
        return [Again.LATER if call == 1 and busy else call * 2 for call in calls]

    order = []

    async def one(turns, call):
        order.append(await turns.take(call))

    async def scene():
        turns = Turns("test", work, 2)
        await asyncio.gather(*(one(turns, n) for n in (1, 2, 3, 4)))
        return turns.waiting

    assert asyncio.run(scene()) == []
    assert order == [4, 6, 8, 2]
    assert asked == [[1, 2], [1, 3], [1, 4], [1]]
