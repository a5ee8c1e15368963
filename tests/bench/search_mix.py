"""What clients ask a catalogue of the items of search_items.py: kinds of searches, and all of them in turn."""
import datetime
import json
import random

from search_items import COLLECTIONS, START

PAGE = 10


def _box(chance, size):
    west, south = chance.uniform(-180, 180 - size), chance.uniform(-80, 80 - size)
    return [west, south, west + size, south + size]


def _interval(chance, days):
    begin = START + datetime.timedelta(days=chance.randrange(8 * 365 - days))
    return f"{begin:%Y-%m-%dT%H:%M:%SZ}/{begin + datetime.timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def _polygon(chance):
    west, south, east, north = _box(chance, 8)
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south + 2], [east - 3, north], [west, south]]]}


def _clouds(most):
    return {"filter-lang": "cql2-json", "filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, most]}}


def _sorted(field, direction):
    return {"sortby": [{"field": field, "direction": direction}]}


# Name, what is asked.
KINDS = (
    ("place and time", lambda c, ids: {"collections": [c.choice(COLLECTIONS)], "bbox": _box(c, 10),
                                       "datetime": _interval(c, 182)}),
    ("place", lambda c, ids: {"bbox": _box(c, 3)}),
    ("time", lambda c, ids: {"datetime": _interval(c, 1)}),
    ("shape", lambda c, ids: {"intersects": _polygon(c), "datetime": _interval(c, 365)}),
    ("ids", lambda c, ids: {"ids": c.sample(ids, 3)}),
    ("collection", lambda c, ids: {"collections": [c.choice(COLLECTIONS)]}),
    ("place, time, clouds", lambda c, ids: {"bbox": _box(c, 10), "datetime": _interval(c, 365), **_clouds(20)}),
    ("clouds", lambda c, ids: {"collections": [c.choice(COLLECTIONS)], **_clouds(1)}),
    ("by clouds", lambda c, ids: {"bbox": _box(c, 10), **_sorted("properties.eo:cloud_cover", "asc")}),
    ("by clouds, all", lambda c, ids: {"collections": [c.choice(COLLECTIONS)],
                                       **_sorted("properties.eo:cloud_cover", "asc")}),
    ("latest", lambda c, ids: {"bbox": _box(c, 10), **_sorted("properties.datetime", "desc")}),
)


def queries(kind, ids, count):
    chance = random.Random(kind)
    ask = next(ask for name, ask in KINDS if name == kind)
    return [{"limit": PAGE, **ask(chance, ids)} for _ in range(count)]


def in_turn(kinds, ids, count):
    """So many of each kind, one after the other."""
    return [query for row in zip(*(queries(kind, ids, count) for kind in kinds)) for query in row]


def lua(asked):
    """A script of wrk that asks one after the other."""
    bodies = ",\n".join(json.dumps(json.dumps(query)) for query in asked)
    return (f"local bodies = {{{bodies}}}\nlocal at = 0\nfunction request()\n  at = at % #bodies + 1\n"
            "  return wrk.format('POST', nil, {['Content-Type'] = 'application/json'}, bodies[at])\nend\n")
