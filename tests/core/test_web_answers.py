"""Each answer goes out at once: its head and its body are one write."""

import asyncio

from apps.core.joining import Joining


class Wire:
    """A transport that notes what it is asked."""

    def __init__(self):
        self.asked = []

    def write(self, data):
        self.asked.append(data)

    def write_eof(self):
        self.asked.append("eof")

    def close(self):
        self.asked.append("close")

    def is_closing(self):
        return "close" in self.asked


def written(work):
    """Do the work on a joining transport; return what the wire was asked, and when it was done."""

    async def run():
        wire = Wire()
        work(Joining(wire, asyncio.get_running_loop()))
        at_once = list(wire.asked)
        await asyncio.sleep(0)
        return at_once, wire.asked

    return asyncio.run(run())


def test_what_is_written_in_one_moment_goes_out_at_once():
    def answer(transport):
        transport.write(b"head ")
        transport.writelines([b"bo", b"dy"])

    assert written(answer) == ([], [b"head body"])


def test_what_is_written_later_goes_out_by_itself():
    async def run():
        wire = Wire()
        transport = Joining(wire, asyncio.get_running_loop())
        for piece in (b"one", b"two"):
            transport.write(piece)
            await asyncio.sleep(0)
        return wire.asked

    assert asyncio.run(run()) == [b"one", b"two"]


def test_nothing_is_lost_where_it_closes():
    def close(transport):
        transport.write(b"last")
        transport.close()

    assert written(close) == ([b"last", "close"], [b"last", "close"])


def test_the_end_comes_after_what_was_written():
    def end(transport):
        transport.write(b"last")
        transport.write_eof()

    assert written(end) == ([b"last", "eof"], [b"last", "eof"])


def test_everything_else_is_the_transports_own():
    def look(transport):
        assert not transport.is_closing()
        transport.close()
        assert transport.is_closing()

    assert written(look)[1] == ["close"]
