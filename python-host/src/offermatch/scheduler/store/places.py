"""What is known of places besides what the cluster says: which get nothing new, and what was last seen of them all."""

from __future__ import annotations

import json
import math
import zlib
from array import array
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select, update

from offermatch.model import RULES, Description
from offermatch.recording.columns import devices_of, devices_shown
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.records import Place, Sighting
from offermatch.scheduler.store.schema import places, sightings, tasks
from offermatch.tables.offers import OfferColumns

__all__ = ["LONGEST_LEFT_OUT", "all_places", "cordon", "idle", "leave_out", "see", "seen"]

LONGEST_LEFT_OUT = 600.0
"""Seconds for which a place is left out at most."""


def all_places(connection: Connection) -> list[Place]:
    """Return every place of which something is known, by name."""
    return [
        Place(row.name, bool(row.cordoned), bool(row.draining), row.left_out_until, row.strikes, row.reason or "")
        for row in connection.execute(select(places).order_by(places.c.name))
    ]


def cordon(
    connection: Connection, database: Database, names: Sequence[str], reason: str, at: float, *, cordoned: bool, drain: bool
) -> None:
    """Say that nothing new goes to these places, and with ``drain`` that what runs there ends; or that all is well again."""
    _make(connection, database, names, at)
    values = {"cordoned": int(cordoned), "draining": int(drain), "reason": reason or None, "changed_at": at}
    # Whoever says that a place is well says so of its failures, too.
    values |= {} if cordoned else {"left_out_until": 0.0, "strikes": 0}
    connection.execute(update(places).where(database.among(places.c.name, names)).values(**values))


def leave_out(
    connection: Connection, database: Database, name: str, until: float, strikes: int, reason: str, at: float
) -> None:
    """Say that a place is left out for a while, or with ``until`` 0 that it is not any more."""
    _make(connection, database, [name], at)
    values = {"left_out_until": until, "strikes": strikes, "reason": reason or None, "changed_at": at}
    connection.execute(update(places).where(places.c.name == name, places.c.cordoned == 0).values(**values))


def see(connection: Connection, offers: OfferColumns, at: float, matcher: Description | None = None) -> None:
    """Keep what the cluster offers now, and what the matcher serves, instead of what was kept before."""
    shown = {
        **({"matcher": f"{matcher.name} {matcher.version}", "rules": matcher.rules} if matcher is not None else {}),
        "measures": {
            name: [None if math.isnan(one) else repr(one) for one in column] for name, column in offers.measures.items()
        },
        "names": offers.names,
        "available": {name: list(column) for name, column in offers.available.items()},
        "capacity": {name: list(column) for name, column in (offers.capacity or offers.available).items()},
        "attributes": offers.attributes,
        **devices_shown(offers.devices),
    }
    packed = zlib.compress(json.dumps(shown, separators=(",", ":")).encode(), 1)
    connection.execute(delete(sightings))
    connection.execute(insert(sightings).values(id=1, at=at, offers=packed))


def seen(connection: Connection) -> Sighting | None:
    """Return what was kept; None where nothing was yet."""
    row = connection.execute(select(sightings)).first()
    if row is None:
        return None
    shown = json.loads(zlib.decompress(row.offers))
    table = OfferColumns(
        shown["names"],
        {name: array("Q", column) for name, column in shown["available"].items()},
        {name: array("Q", column) for name, column in shown["capacity"].items()},
        shown["attributes"],
    )
    # Versions before wrote null where no offer had a device.
    if shown["device_offsets"] is not None:
        table.devices = devices_of(shown)
    for name, column in shown.get("measures", {}).items():
        table.measures[name] = array("d", [math.nan if one is None else float(one) for one in column])
    return Sighting(row.at, table, shown.get("matcher", ""), shown.get("rules", RULES))


def _make(connection: Connection, database: Database, names: Sequence[str], at: float) -> None:
    known = set(connection.execute(select(places.c.name).where(database.among(places.c.name, names))).scalars())
    new = [name for name in dict.fromkeys(names) if name not in known]
    if new:
        row = {"cordoned": 0, "draining": 0, "left_out_until": 0.0, "strikes": 0, "changed_at": at}
        connection.execute(insert(places), [{"name": name, **row} for name in new])


def idle(connection: Connection) -> dict[str, int]:
    """Return how many tasks that ask nothing are on each offer."""
    asks = (tasks.c.demand == "{}", tasks.c.devices == 0, tasks.c.device_share == 0)
    found = select(tasks.c.offer, func.count()).where(tasks.c.owner.is_not(None), *asks).group_by(tasks.c.offer)
    return {offer: count for offer, count in connection.execute(found) if offer is not None}
