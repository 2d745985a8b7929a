"""Play a day on the grid, for as long as nobody stops it."""

import logging
import os
import secrets
import signal
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error as DatabaseFault
from django.db import close_old_connections, connection
from django.utils import timezone

from apps.feeds import services
from apps.feeds.demo import files
from apps.feeds.simulator import ground
from apps.feeds.simulator.client import Away, Portal, Refused
from apps.feeds.simulator.incident import Pace
from apps.feeds.simulator.runner import Runner
from apps.feeds.simulator.simulation import Simulation
from apps.feeds.storms import World

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "OMS_SERVICE_TOKEN"  # noqa: S105 - the name of a variable
TICK_SECONDS = 0.25
WAIT_SECONDS = 3.0
CURRENT_EVERY_SECONDS = 30.0
SPARED = "meter-123"


class Stopped(BaseException):
    """Somebody asked us to stop."""


class Command(BaseCommand):
    """Play a day on the grid."""

    help = (
        "Let things break and be repaired on the registered network. All of it is told to the "
        "portal over its public interface, with the demo's service token or the one in "
        f"{TOKEN_VARIABLE}."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the speed, the address and the seed."""
        parser.add_argument(
            "--speed",
            type=float,
            default=float(os.environ.get("SIMULATOR_SPEED", "20")),
            help="simulated minutes a minute",
        )
        parser.add_argument("--url", help="the portal's address; else that of this folder")
        parser.add_argument("--seed", type=int, help="plays the same day again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Go round until SIGTERM or Ctrl-C."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        address = options["url"] or files.portal_address()
        speed = min(max(options["speed"], 0.1), 1_000.0)
        seed = options["seed"] if options["seed"] is not None else secrets.randbits(32)
        try:
            while True:
                self._play(address, Pace(speed=speed), seed)
        except Stopped:
            logger.info("The simulator stops")

    def _play(self, address: str, pace: Pace, seed: int) -> None:
        """Play on one network until it is replaced by another."""
        world = _wait_for_world()
        run = f"sim-{int(time.time() * 1000):x}"
        now = timezone.now()
        simulation = Simulation(
            world,
            seed=seed,
            run=run,
            pace=pace,
            starts_at=now,
            spared=ground.neighbours(SPARED),
        )
        portal = Portal(address, _token)
        runner = Runner(simulation, portal, _next_storm)
        logger.info("Playing on %s meters at %s, seed %s", len(world.meters), address, seed)
        _take_over(simulation, portal, runner, run)
        look_at = time.monotonic() + CURRENT_EVERY_SECONDS
        while True:
            runner.turn(timezone.now())
            if time.monotonic() > look_at:
                look_at = time.monotonic() + CURRENT_EVERY_SECONDS
                if not _is_current(world):
                    portal.close()
                    return
            time.sleep(TICK_SECONDS)


def _take_over(simulation: Simulation, portal: Portal, runner: Runner, run: str) -> None:
    """Wait for the portal, then go on with what an earlier run left."""
    while True:
        try:
            count = ground.take_over(simulation, portal, timezone.now())
            runner.waiting.extend(ground.left_open(simulation, run, timezone.now()))
        except (Away, Refused, DatabaseFault) as fault:
            logger.info("Waiting for the portal: %s", fault)
            _rest()
            time.sleep(WAIT_SECONDS)
            continue
        if count:
            logger.info("Went on with %s outages of an earlier run", count)
        return


def _wait_for_world() -> World:
    while True:
        try:
            found = ground.world()
        except DatabaseFault as fault:
            logger.info("Waiting for the database: %s", fault)
            found = None
        _rest()
        if found is not None:
            return found
        time.sleep(WAIT_SECONDS)


def _is_current(world: World) -> bool:
    try:
        return ground.is_current(world)
    except DatabaseFault:
        return True
    finally:
        _rest()


def _next_storm(at: datetime) -> int | None:
    try:
        row = services.take_storm(at=at)
    except DatabaseFault as fault:
        logger.warning("The database does not answer: %s", fault)
        connection.close()
        return None
    return row.faults if row is not None else None


def _rest() -> None:
    """Give a broken connection back."""
    close_old_connections()


def _token() -> str:
    return os.environ.get(TOKEN_VARIABLE) or str(
        files.read_accounts().get("service_token", "")
    )


def _stop(*_: object) -> None:
    raise Stopped
