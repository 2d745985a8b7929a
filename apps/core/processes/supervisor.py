"""Start parts stage by stage, bring back those that end, stop all of them in reverse."""

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from apps.core.processes import linux
from apps.core.processes.folder import Folder
from apps.core.processes.part import Part, launch
from apps.core.processes.refusal import Refusal

STOPPING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
TICK_SECONDS = 0.05
IDLE_SECONDS = 1.0
LOOP_SECONDS = 60.0
LONGEST_PAUSE = 30.0
TRIM_SECONDS = 60.0
HURRY_AFTER_SECONDS = 1.0


class Stopped(Exception):
    """Somebody asked the portal to stop."""


@dataclass
class _Seat:
    """A part, and the process that fills it now."""

    part: Part
    pid: int = 0
    born: int = 0
    began: float = 0.0
    ready: bool = False
    status: int = 0
    due: float = 0.0
    ends: deque[float] = field(default_factory=deque)


class Supervisor:
    """The parent of every process of the portal: a context manager for one thread."""

    def __init__(self, folder: Folder, say: Callable[[str, str], None]) -> None:
        self._folder = folder
        self._say = say
        self._seats: dict[str, _Seat] = {}
        self._facts: dict[str, object] = {}
        self._asked: float | None = None
        self._next_trim = 0.0

    def __enter__(self) -> "Supervisor":
        linux.adopt_orphans()
        for number in STOPPING | {signal.SIGCHLD}:
            if not (number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN):
                signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING | {signal.SIGCHLD})
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def note(self, **facts: object) -> None:
        """Add facts to the run file."""
        self._facts.update(facts)
        self._write_run_file()

    def start(self, parts: Iterable[Part], seconds: float = 60.0) -> None:
        """Start parts together and wait until all are ready.

        Raises Refusal where one keeps ending or takes longer than `seconds`, and Stopped.
        """
        seats = [_Seat(part) for part in parts]
        for seat in seats:
            self._seats[seat.part.name] = seat
            self._launch(seat)
        limit = time.monotonic() + seconds
        while not all(seat.ready for seat in seats):
            self._turn(TICK_SECONDS)
            for seat in seats:
                self._judge_start(seat, limit)

    def run(self, part: Part) -> None:
        """Run a part once to its end. Raises Refusal where it fails, and Stopped."""
        seat = self._seats[part.name] = _Seat(part)
        self._launch(seat)
        while seat.pid:
            self._turn(IDLE_SECONDS)
        del self._seats[part.name]
        if seat.status != 0:
            raise Refusal(
                f"The step `{part.name}` {_ending(seat.status)}. {self._words(part)}"
            )
        self._say(part.name, f"done ({time.monotonic() - seat.began:.1f} s)")

    def watch(self) -> None:
        """Bring back what ends, until somebody asks to stop."""
        while True:
            self._turn(self._pause())

    def stop(self) -> None:
        """Stop all parts, the last stage first, and leave no descendant behind."""
        for stage in sorted(
            {seat.part.stage for seat in self._seats.values()}, reverse=True
        ):
            self._stop_stage([s for s in self._seats.values() if s.part.stage == stage])
        self._seats.clear()
        self._sweep()

    # --- One turn -------------------------------------------------------------------------
    def _turn(self, seconds: float) -> None:
        """Sleep until a signal or for `seconds`; reap, restart, look who is ready."""
        self._sleep(seconds)
        self._reap()
        if self._asked is not None:
            raise Stopped
        now = time.monotonic()
        for seat in list(self._seats.values()):
            if not seat.pid and seat.due and seat.due <= now:
                self._launch(seat)
            elif seat.pid and not seat.ready:
                self._look(seat)
        if now >= self._next_trim:
            self._next_trim = now + TRIM_SECONDS
            with self._surviving("trim the logs"):
                self._folder.trim_logs()

    def _pause(self) -> float:
        waiting = any(seat.due or not seat.ready for seat in self._seats.values())
        return TICK_SECONDS * 4 if waiting else IDLE_SECONDS * 30

    def _sleep(self, seconds: float) -> bool:
        """Wait for a signal; tell whether it was a second wish to stop, after a while."""
        found = signal.sigtimedwait(STOPPING | {signal.SIGCHLD}, seconds)
        if found is None or found.si_signo not in STOPPING:
            return False
        if self._asked is None:
            self._asked = time.monotonic()
            return False
        return time.monotonic() - self._asked > HURRY_AFTER_SECONDS

    # --- Life and death of one process ----------------------------------------------------
    def _launch(self, seat: _Seat) -> None:
        seat.began, seat.due, seat.ready = time.monotonic(), 0.0, False
        try:
            process = launch(seat.part, self._folder.log(seat.part.name))
        except OSError as fault:
            self._plan_return(seat, f"cannot be started ({fault.strerror})")
            return
        process.returncode = 0  # reaped here, not by its object
        seat.pid, seat.born = process.pid, linux.birth(process.pid)
        self._write_run_file()

    def _look(self, seat: _Seat) -> None:
        if seat.part.ready is not None and not seat.part.ready(seat.pid):
            return
        seat.ready = True
        if seat.part.once:
            return
        word = "ready" if seat.part.ready else "started"
        again = " again" if seat.ends else ""
        self._say(seat.part.name, f"{word}{again} ({time.monotonic() - seat.began:.1f} s)")

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for seat in self._seats.values():
                if seat.pid == pid:
                    self._bury(seat, os.waitstatus_to_exitcode(status))

    def _bury(self, seat: _Seat, status: int) -> None:
        """Note the end of a process, end what is left of its group, and plan its return."""
        linux.send(seat.pid, signal.SIGKILL, group=True)
        seat.pid, seat.ready, seat.status = 0, False, status
        if self._asked is None and not seat.part.once:
            self._plan_return(seat, _ending(status))

    def _plan_return(self, seat: _Seat, what: str) -> None:
        now = time.monotonic()
        seat.ends.append(now)
        while seat.ends[0] < now - LOOP_SECONDS:
            seat.ends.popleft()
        count, patience = len(seat.ends), seat.part.patience
        pause = _pause_before(count, patience)
        seat.due = now + pause
        if count <= patience:
            self._say(seat.part.name, f"{what}; starting it again")
            return
        self._say(
            seat.part.name,
            f"keeps ending ({count} times within a minute; the last time it {what}); next try "
            f"in {pause:.0f} s. {self._words(seat.part)}",
        )

    def _judge_start(self, seat: _Seat, limit: float) -> None:
        name, words = seat.part.name, self._words(seat.part)
        if len(seat.ends) > seat.part.patience:
            raise Refusal(f"`{name}` does not start: it {_ending(seat.status)}. {words}")
        if not seat.ready and time.monotonic() > limit:
            raise Refusal(f"`{name}` runs but does not answer. {words}")

    def _words(self, part: Part) -> str:
        return f"The log {self._folder.log(part.name)} ends:\n{self._folder.last_words(part.name)}"

    # --- The end --------------------------------------------------------------------------
    def _stop_stage(self, seats: list[_Seat]) -> None:
        if self._asked is None:
            self._asked = time.monotonic()
        for seat in seats:
            seat.due = 0.0
            if seat.pid:
                linux.send(seat.pid, seat.part.stop_signal)
        began, hurry = time.monotonic(), False
        while any(seat.pid for seat in seats):
            hurry = self._sleep(TICK_SECONDS) or hurry
            self._reap()
            spent = time.monotonic() - began
            for seat in seats:
                if seat.pid and (hurry or spent > seat.part.stop_seconds):
                    self._force(seat, spent)

    def _force(self, seat: _Seat, spent: float) -> None:
        """End a process that does not listen; impatience never cuts the database short."""
        if seat.part.stop_signal == signal.SIGINT and spent < seat.part.stop_seconds:
            return
        linux.send(seat.pid, signal.SIGKILL, group=True)

    def _sweep(self) -> None:
        """End descendants that lost their parent and came to us."""
        while left := list(linux.children()):
            for pid in left:
                linux.send(pid, signal.SIGKILL)
            self._reap()
            time.sleep(TICK_SECONDS / 5)

    def _write_run_file(self) -> None:
        living = {s.part.name: [s.pid, s.born] for s in self._seats.values() if s.pid}
        me = os.getpid()
        pids = {"supervisor": [me, linux.birth(me)], **living}
        with self._surviving("write the run file"):
            self._folder.write_run_file({**self._facts, "pids": pids})

    @contextlib.contextmanager
    def _surviving(self, what: str) -> Iterator[None]:
        """Go on where the disk is full: what runs is worth more than what is noted."""
        try:
            yield
        except OSError as fault:
            self._say("portal", f"cannot {what}: {fault.strerror}")


def _pause_before(ends: int, patience: int) -> float:
    """Return how long to wait before the next start, after so many ends within a minute."""
    if ends == 1:
        return 0.2
    if ends <= patience:
        return 1.0
    return float(min(LONGEST_PAUSE, 2.0 ** (ends - patience)))


def _ending(status: int) -> str:
    if status < 0:
        return f"was ended by signal {-status} ({signal.Signals(-status).name})"
    return f"ended with code {status}"
