"""Customers who do not exist, with addresses that reach nobody."""

from typing import Any
from zlib import crc32

FIRST = (
    "Ahmad", "Layla", "Omar", "Rania", "Khaled", "Dina", "Yousef", "Hala", "Tariq", "Noor",
    "Samir", "Amal", "Faris", "Salma", "Ziad", "Mariam", "Hani", "Lina", "Bashar", "Reem",
    "Nabil", "Huda", "Walid", "Farah", "Imad", "Sara", "Majed", "Yasmin", "Adel",
)  # fmt: skip
LAST = (
    "Haddad", "Nasser", "Khoury", "Odeh", "Saleh", "Mansour", "Shami", "Qasem", "Barakat",
    "Hijazi", "Darwish", "Rawashdeh", "Zoubi", "Tamimi", "Awad", "Najjar", "Khatib", "Sabbagh",
    "Hamdan", "Abbadi", "Masri", "Jaber", "Kilani",
)  # fmt: skip
CRITICAL = (
    "Hospital", "Water pumping station", "Dialysis centre", "Life support at home",
    "Health centre", "Waterworks",
)  # fmt: skip
STREETS = (
    "Cedar Street", "Market Street", "Station Road", "Olive Lane", "Hill Street", "Mill Road",
    "School Street", "Garden Lane", "River Road", "Citadel Street", "Almond Street",
)  # fmt: skip
HOUSES = 180
AREAS = 10_000
ONU_GAP = 11
"""Every so many customers one has no optical network unit."""


def customer(number: int, network: str = "", *, critical: bool = False) -> dict[str, Any]:
    """Return the customer of that number in a network as an entry of its file.

    Nobody else has the same id and phone, in whatever networks are registered together.
    """
    first = FIRST[number % len(FIRST)]
    last = LAST[number * 7 % len(LAST)]
    name = f"{first} {last}"
    if critical:
        name = f"{last} {CRITICAL[number % len(CRITICAL)]}"
    return {
        "id": _named(f"customer_{number}", network),
        "name": name,
        "phone": _phone(number, network),
        "email": f"{first}.{last}.{number}@example.org".lower(),
        "address": address(number),
        "critical": critical,
    }


def address(number: int) -> str:
    """Return where the customer of that number lives: a house that no other customer has."""
    street, house = divmod(number, HOUSES)
    block, street = divmod(street, len(STREETS))
    return f"{STREETS[street]} {house + 1}, block {block + 1}"


def _phone(number: int, network: str) -> str:
    if not network:
        return f"+9627{70_000_000 + number:08d}"
    return f"+9628{crc32(network.encode()) % AREAS:04d}{number:07d}"


def onu(number: int, network: str = "") -> str:
    """Return the optical network unit of a customer in a network, or nothing."""
    return "" if number % ONU_GAP == 0 else _named(f"ONU-{number:07d}", network)


def _named(name: str, network: str) -> str:
    return f"{network}-{name}" if network else name
