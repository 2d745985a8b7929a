"""Run the portal: `manage.py up` becomes this process once it knows what is wanted."""

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from apps.core.processes import linux, plan
from apps.core.processes.door import bound_socket
from apps.core.processes.folder import Folder, open_folder, socket_folder
from apps.core.processes.refusal import Refusal
from apps.core.processes.supervisor import Stopped, Supervisor

LEFTOVER_SECONDS = 20.0
DEMO_ACCOUNTS = "demo-accounts.json"
DEMO_FILE = "demo.json"


def main(words: list[str]) -> int:
    """Start everything, watch it until told to stop; return the exit code."""
    try:
        wish = _wish(words)
        folder = open_folder(wish.var)
        with folder.lock():
            _run(wish, folder)
    except Refusal as reason:
        sys.stderr.write(f"The portal does not start. {reason}\n")
        return 1
    return 0


def _wish(words: list[str]) -> plan.Wish:
    parser = argparse.ArgumentParser(prog="manage.py up")
    parser.add_argument("--var", type=Path, required=True)
    parser.add_argument("--commands", default="")
    parser.add_argument("--demo", action="store_true")
    options = parser.parse_args(words)
    return plan.Wish(
        var=options.var,
        host=os.environ.get("BIND", "127.0.0.1"),
        port=plan.number(os.environ, "PORT", 9100, 65_535),
        web_workers=plan.number(os.environ, "WEB_WORKERS", plan.WEB_WORKERS, 64),
        task_workers=plan.number(os.environ, "TASK_WORKERS", plan.TASK_WORKERS, 64),
        demo=options.demo,
        commands=frozenset(options.commands.split(",")),
    )


def _run(wish: plan.Wish, folder: Folder) -> None:
    began = time.monotonic()
    os.environ["OMS_VAR"] = str(folder.var)
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    for name in ("DATABASE_URL", *plan.BROKER_VARIABLES):
        if not os.environ.get(name):
            os.environ.pop(name, None)  # set but empty means embedded
    (folder.var / DEMO_FILE).unlink(missing_ok=True)
    with bound_socket(wish.host, wish.port) as listening, Supervisor(folder, say) as parent:
        _end_leftovers(folder)
        folder.trim_logs()
        try:
            _start(wish, folder, parent, listening.fileno())
            _announce(wish, folder, time.monotonic() - began)
            parent.watch()
        except Stopped:
            say("portal", "stopping")
        finally:
            parent.stop()
            _clean(folder)
    say("portal", "stopped; the data stays in " + str(folder.var))


def _start(wish: plan.Wish, folder: Folder, parent: Supervisor, descriptor: int) -> None:
    sockets = socket_folder(folder.var)
    embedded = plan.servers(wish, folder, sockets)
    parent.note(
        web={"host": wish.host, "port": wish.port},
        **{name: address for name, (_, address) in embedded.items()},
    )
    parent.start(part for part, _ in embedded.values())
    parent.run(plan.preparation(wish))
    parent.start(plan.web(wish, folder, descriptor))
    parent.start(plan.workers(wish))
    parent.start(plan.drivers(wish))


def _end_leftovers(folder: Folder) -> None:
    """Wait for processes of a supervisor that was killed, which stop by themselves."""
    left = folder.read_run_file().get("pids", {})
    limit = time.monotonic() + LEFTOVER_SECONDS
    while alive := [pid for pid, born in left.values() if linux.runs(pid, born)]:
        if time.monotonic() > limit:
            for pid in alive:
                linux.send(pid, signal.SIGKILL)
        time.sleep(0.05)


def _announce(wish: plan.Wish, folder: Folder, seconds: float) -> None:
    say("portal", f"started in {seconds:.1f} s; logs in {folder.logs}")
    lines = [f"OMS is ready at {wish.address}"]
    if wish.demo and (accounts := _publish_demo(wish, folder)):
        lines += ["Demo accounts:"]
        for role, account in accounts.items():
            lines.append(f"  {role:<12} {account.get('email')}  {account.get('password')}")
    lines.append("Press Ctrl-C to stop.")
    _print("\n" + "\n".join(lines) + "\n")


def _publish_demo(wish: plan.Wish, folder: Folder) -> dict[str, Any]:
    """Write `demo.json`: the accounts that the demo made, and where the portal answers."""
    try:
        made = json.loads((folder.var / DEMO_ACCOUNTS).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    folder.write(DEMO_FILE, {"base_url": wish.address, **made})
    return {role: account for role, account in made.get("accounts", {}).items() if account}


def _clean(folder: Folder) -> None:
    folder.remove_run_file()
    (folder.var / DEMO_FILE).unlink(missing_ok=True)


def say(name: str, text: str) -> None:
    """Print one calm line about a part."""
    _print(f"{time.strftime('%H:%M:%S')}  {name:<10} {text}")


def _print(text: str) -> None:
    """Print, even where nobody reads: a closed terminal does not stop the portal."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
