"""The folder `var/`: its lock, its logs, its socket folder and the run file."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from apps.core.processes.refusal import Refusal

RUN_FILE = "run.json"
SOCKET_PATH_LIMIT = 100
LOG_LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True)
class Folder:
    """The writable home of one portal."""

    var: Path

    @property
    def logs(self) -> Path:
        """Return where each part writes its log."""
        return self.var / "log"

    def log(self, name: str) -> Path:
        """Return the log file of a part."""
        return self.logs / f"{name}.log"

    def write_run_file(self, content: dict[str, Any]) -> None:
        """Write `run.json`: where the servers listen, and which processes run."""
        self.write(RUN_FILE, content)

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file in one step, readable by its owner alone."""
        fresh = self.var / f"{name}.new"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file, indent=1)
        fresh.replace(self.var / name)

    def read_run_file(self) -> dict[str, Any]:
        """Return what an earlier supervisor left; empty where it stopped in order."""
        try:
            found = json.loads((self.var / RUN_FILE).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def remove_run_file(self) -> None:
        """Remove `run.json`: nothing runs any more."""
        (self.var / RUN_FILE).unlink(missing_ok=True)

    def lock(self) -> IO[str]:
        """Keep a second supervisor out for as long as the returned file stays open."""
        file = (self.var / "up.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "?"
            file.close()
            raise Refusal(
                f"The portal already runs on {self.var} (process {pid}); stop that one "
                "first, or set OMS_VAR to another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def trim_logs(self, limit: int = LOG_LIMIT) -> None:
        """Set aside each log longer than `limit` bytes; the one before it is dropped."""
        for path in self.logs.glob("*.log"):
            if path.stat().st_size > limit:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                os.truncate(path, 0)

    def last_words(self, name: str, lines: int = 12) -> str:
        """Return the end of a part's log."""
        with contextlib.suppress(OSError):
            text = self.log(name).read_text(errors="replace")
            return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
        return ""


def open_folder(var: Path) -> Folder:
    """Return the folder, made where it is missing. Refuses where it cannot be written."""
    folder = Folder(var)
    try:
        folder.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in (var, folder.logs):
            with tempfile.TemporaryFile(dir=place):
                continue
    except OSError as fault:
        raise Refusal(f"The folder {var} cannot be written: {fault.strerror}.") from None
    return folder


def socket_folder(var: Path) -> Path:
    """Return the private folder of the servers' sockets.

    It lies in `var/`, or under the temporary folder where that path is too long.
    """
    place = var / "sockets"
    if len(str(place / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT:
        key = hashlib.sha256(str(var).encode()).hexdigest()[:12]
        place = Path(tempfile.gettempdir()) / f"oms-{os.geteuid()}-{key}"
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or os.geteuid() not in (0, found.st_uid):
        raise Refusal(
            f"The socket folder {place} belongs to somebody else; remove it first."
        )
    place.chmod(0o700)
    return place
