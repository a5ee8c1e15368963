"""CQL2 three ways: a plain evaluator here, ours on documents, and ours as SQL, on random filters and items.

The evaluator follows the standard's text (OGC 21-065r2) with Python's own arithmetic, str.casefold, unicodedata,
regular expressions for patterns, and shapely for shapes.
"""

import datetime
import json
import math
import os
import pathlib
import random
import re
import subprocess
import unicodedata

import pytest

shapely = pytest.importorskip("shapely")
from shapely.geometry import shape as shapely_shape  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube")).resolve()
CHECK = BINARY.parent / "cql2_check"
SEED = int(os.environ.get("TWINCUBE_PROPERTY_SEED", "7"))
FILTERS, ITEMS = 400, 30
FAR = 9 * 10**15

NUMBERS = [0, 1, -1, 2, 2.5, 7, 0.1, 1e6, -3.25, 100]
TEXTS = ["", "a", "A", "abc", "ABC", "Straße", "STRASSE", "é", "e", "E", "a%c", "a_c", "it's", "ä", "zebra",
         "a\\c"]
PATTERNS = ["%", "a%", "%c", "_", "a_c", "%b%", "a\\%c", "A%", "é", "%e%", "", "__"]
DATES = ["2020-01-01", "2020-06-15", "2021-01-01", "1999-12-31"]
TIMES = ["2020-01-01T00:00:00Z", "2020-01-01T23:59:59.999Z", "2020-06-15T10:30:00Z", "2020-06-15T12:30:00+02:00",
         "2021-01-01T00:00:00.5Z", "1999-12-31T00:00:00Z"]
SHAPES = [
    {"type": "Point", "coordinates": [5, 5]},
    {"type": "Point", "coordinates": [0, 0]},
    {"type": "LineString", "coordinates": [[-5, 5], [15, 5]]},
    {"type": "LineString", "coordinates": [[0, 0], [10, 0]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]},
    {"type": "Polygon", "coordinates": [[[10, 0], [0, 0], [0, 10], [10, 10], [10, 0]]]},
    {"type": "Polygon", "coordinates": [[[5, 5], [15, 5], [15, 15], [5, 15], [5, 5]]]},
    {"type": "Polygon", "coordinates": [[[10, 0], [20, 0], [20, 10], [10, 10], [10, 0]]]},
    {"type": "Polygon", "coordinates": [[[2, 2], [3, 2], [3, 3], [2, 3], [2, 2]]]},
    {"type": "MultiPoint", "coordinates": [[1, 1], [50, 50]]},
    {"type": "MultiPolygon",
     "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]], [[[40, 40], [41, 40], [41, 41], [40, 40]]]]},
]
NUMERIC, TEXTUAL = ["n", "m", "eo:x"], ["s", "t", "id", "collection"]
TEMPORAL, LISTS = ["datetime", "d", "e"], ["l", "k"]
PROPERTIES = NUMERIC + TEXTUAL[:2] + TEMPORAL + LISTS + ["b", "odd"]


# ---- items -----------------------------------------------------------------------------------------------------------

def any_value(rng):
    return rng.choice([rng.choice(NUMBERS), rng.choice(TEXTS), True, False, None, rng.choice(TIMES), {"x": 1},
                       [1, "a"]])


def make_item(rng, number):
    properties = {}
    for names, values in ((NUMERIC, NUMBERS), (["s", "t"], TEXTS), (["d", "e"], DATES + TIMES),
                          (["b"], [True, False])):
        for name in names:
            if rng.random() < 0.85:
                properties[name] = rng.choice(values) if rng.random() < 0.85 else any_value(rng)
    for name in LISTS:
        if rng.random() < 0.8:
            values = rng.choice([NUMBERS[:5], TEXTS[:5], DATES + TIMES[:2]])
            properties[name] = [rng.choice(values) for _ in range(rng.randrange(4))]
    if rng.random() < 0.8:
        properties["datetime"] = rng.choice(TIMES)
    else:
        first, last = sorted(rng.sample(TIMES[:3] + TIMES[4:], 2))
        properties.update(datetime=None, start_datetime=first, end_datetime=last)
    if rng.random() < 0.3:
        properties["odd"] = any_value(rng)
    return {"type": "Feature", "id": rng.choice(["abc", "x"]) + str(number % 3), "collection": rng.choice(["c", "C"]),
            "geometry": rng.choice(SHAPES) if rng.random() < 0.9 else None, "properties": properties}


# ---- filters, as CQL2 JSON -------------------------------------------------------------------------------------------

def prop(name):
    return {"property": name}


def op(name, *args):
    return {"op": name, "args": list(args)}


def number(rng, depth):
    kind = rng.random()
    if depth <= 0 or kind < 0.35:
        return rng.choice(NUMBERS)
    if kind < 0.7:
        return prop(rng.choice(NUMERIC + ["odd"]))
    return op(rng.choice(["+", "-", "*", "/", "+", "*", "%", "div", "^"]), number(rng, depth - 1),
              number(rng, depth - 1))


def text(rng, depth):
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(TEXTS)
    if depth <= 0 or kind < 0.75:
        return prop(rng.choice(TEXTUAL + ["odd"]))
    return op(rng.choice(["casei", "accenti"]), text(rng, depth - 1))


def instant(rng, _depth=0):
    kind = rng.random()
    if kind < 0.5:
        return prop(rng.choice(TEMPORAL + ["odd", "s"]))
    return {"date": rng.choice(DATES)} if kind < 0.75 else {"timestamp": rng.choice(TIMES)}


def span(rng):
    if rng.random() < 0.6:
        return instant(rng)
    first, last = sorted(rng.sample(DATES, 2))
    return {"interval": [rng.choice(["..", first, prop("d")]), rng.choice(["..", last, prop("e"), prop("datetime")])]}


def listing(rng):
    if rng.random() < 0.5:
        return prop(rng.choice(LISTS + ["odd", "s"]))
    makes = rng.choice([lambda: rng.choice(NUMBERS[:5]), lambda: rng.choice(TEXTS[:5]),
                        lambda: {"date": rng.choice(DATES)}, lambda: number(rng, 1)])
    return [makes() for _ in range(rng.randrange(4))]


def predicate(rng):
    makes = rng.choice([number, number, text, instant])
    kind = rng.randrange(10)
    if kind < 4:
        return op(rng.choice(["=", "<>", "<", ">", "<=", ">="]), makes(rng, 2), makes(rng, 2))
    if kind == 4:
        pattern = rng.choice(PATTERNS)
        fold = rng.choice([None, "casei", "accenti"])
        return op("like", text(rng, 1), op(fold, pattern) if fold else pattern)
    if kind == 5:
        return op("between", makes(rng, 1), makes(rng, 1), makes(rng, 1))
    if kind == 6:
        return op("in", makes(rng, 1), [makes(rng, 0) for _ in range(rng.randrange(4))])
    if kind == 7:
        return op("isNull", rng.choice([prop(rng.choice(PROPERTIES + ["geometry", "nothing"])), number(rng, 1)]))
    if kind == 8:
        return rng.choice([prop("b"), op("=", prop("b"), rng.random() < 0.5), op("<>", prop("odd"), True)])
    family = rng.randrange(3)
    if family == 0:
        return op("t_" + rng.choice(list(RELATIONS)), span(rng), span(rng))
    if family == 1:
        return op("a_" + rng.choice(["equals", "contains", "containedBy", "overlaps"]), listing(rng), listing(rng))
    pair = [prop("geometry"), rng.choice(SHAPES)]
    rng.shuffle(pair)
    return op("s_" + rng.choice(list(SPATIAL)), *pair)


def make_filter(rng, depth):
    kind = rng.random()
    if depth <= 0 or kind < 0.3:
        return predicate(rng)
    if kind < 0.45:
        return op("not", make_filter(rng, depth - 1))
    return op(rng.choice(["and", "or"]), *(make_filter(rng, depth - 1) for _ in range(rng.randrange(2, 5))))


# ---- the plain evaluator: None is null, and unknown ------------------------------------------------------------------

class Span:
    def __init__(self, first, last):
        self.first, self.last = first, last

    def key(self):
        return (self.first, self.last)


def read_span(value):
    if not isinstance(value, str):
        return None
    day = re.fullmatch(r"\d{4}-\d\d-\d\d", value)
    if not day and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
        return None
    moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00").replace(".5+", ".500+"))
    if day:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    first = (moment - epoch) // datetime.timedelta(milliseconds=1)
    return Span(first, first + 86400000 - 1 if day else first)


def get(item, name):
    return item.get(name) if name in ("id", "collection", "geometry", "bbox") else item["properties"].get(name)


ARITHMETIC = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
              "/": lambda a, b: None if b == 0 else a / b, "%": lambda a, b: None if b == 0 else math.fmod(a, b),
              "div": lambda a, b: None if b == 0 else float(math.trunc(a / b)), "^": None}
COMPARE = {"=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
           "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b}
RELATIONS = {"after": lambda a, b: a.first > b.last, "before": lambda a, b: a.last < b.first,
             "contains": lambda a, b: a.first < b.first and a.last > b.last,
             "disjoint": lambda a, b: a.first > b.last or a.last < b.first,
             "during": lambda a, b: a.first > b.first and a.last < b.last,
             "equals": lambda a, b: a.key() == b.key(),
             "finishedBy": lambda a, b: a.first < b.first and a.last == b.last,
             "finishes": lambda a, b: a.first > b.first and a.last == b.last,
             "intersects": lambda a, b: not (a.first > b.last or a.last < b.first),
             "meets": lambda a, b: a.last == b.first, "metBy": lambda a, b: a.first == b.last,
             "overlappedBy": lambda a, b: b.first < a.first < b.last < a.last,
             "overlaps": lambda a, b: a.first < b.first < a.last < b.last,
             "startedBy": lambda a, b: a.first == b.first and a.last > b.last,
             "starts": lambda a, b: a.first == b.first and a.last < b.last}
SPATIAL = {"intersects": "intersects", "disjoint": "disjoint", "equals": "equals", "touches": "touches",
           "crosses": "crosses", "overlaps": "overlaps", "contains": "contains", "within": "within"}


def power(a, b):
    try:
        result = math.pow(a, b)
    except OverflowError:
        odd = b == int(b) and int(b) % 2
        return -math.inf if a < 0 and odd else math.inf
    except ValueError:  # zero to a negative power, or a root of a negative number
        return math.inf if a == 0 else None
    return result


def fold(name, value):
    if not isinstance(value, str):
        return None
    if name == "casei":
        return value.casefold()
    kept = (c for c in unicodedata.normalize("NFD", value) if unicodedata.category(c) != "Mn")
    return "".join(kept)


def value(item, node):
    if isinstance(node, list):
        return [value(item, part) for part in node]
    if not isinstance(node, dict):
        return float(node) if isinstance(node, int) and not isinstance(node, bool) else node
    if "property" in node:
        found = get(item, node["property"])
        return float(found) if isinstance(found, int) and not isinstance(found, bool) else found
    if "date" in node or "timestamp" in node:
        return read_span(node.get("date") or node.get("timestamp"))
    if "op" not in node:
        return node
    name = node["op"]
    if name in ("casei", "accenti"):
        return fold(name, value(item, node["args"][0]))
    if name in ARITHMETIC:
        a, b = (value(item, part) for part in node["args"])
        if not isinstance(a, float) or not isinstance(b, float):
            return None
        result = power(a, b) if name == "^" else ARITHMETIC[name](a, b)
        return None if result is None or math.isnan(result) else result
    return truth(item, node)


def comparable(a, b):
    if isinstance(a, Span) or isinstance(b, Span):
        a, b = (x if isinstance(x, Span) else read_span(x) for x in (a, b))
        return None if a is None or b is None else (a.first, b.first)
    if type(a) is not type(b) or not isinstance(a, (bool, float, str)):
        return None
    return (a.encode(), b.encode()) if isinstance(a, str) else (a, b)


def compare(name, a, b):
    pair = comparable(a, b)
    return None if pair is None else COMPARE[name](*pair)


def like(value, pattern):
    if not isinstance(value, str):
        return None
    out, at = "", 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 < len(pattern):
            at += 1
            out += re.escape(pattern[at])
        else:
            out += {"%": ".*", "_": "."}.get(pattern[at], re.escape(pattern[at]))
        at += 1
    return re.fullmatch(out, value, re.DOTALL) is not None


def both(a, b):
    return False if a is False or b is False else None if a is None or b is None else True


def either(truths):
    truths = list(truths)
    return True if True in truths else None if None in truths else False


def span_value(item, node):
    if "interval" in node:
        first, last = node["interval"]
        ends = []
        for end, far in ((first, -FAR), (last, FAR)):
            node_of_end = end if isinstance(end, dict) else {"date": end}
            found = Span(far, far) if end == ".." else span_value(item, node_of_end)
            if found is None:
                return None
            ends.append(found)
        return Span(ends[0].first, ends[1].last) if ends[0].first <= ends[1].last else None
    if "property" not in node:
        return read_span(node.get("date") or node.get("timestamp"))
    if node["property"] == "datetime" and get(item, "datetime") is None:
        first, last = read_span(get(item, "start_datetime")), read_span(get(item, "end_datetime"))
        return Span(first.first, last.last) if first and last else None
    return read_span(get(item, node["property"]))


def element(part, dates):
    """What sets are made of, apart by type; objects and arrays equal nothing."""
    if isinstance(part, (dict, list)):
        return object()
    if isinstance(part, Span):
        return ("date", part.first)
    found = read_span(part) if dates else None
    return ("date", found.first) if found else (type(part).__name__, part)


def sets(name, a, b):
    if not isinstance(a, list) or not isinstance(b, list):
        return None
    a, b = ([float(x) if isinstance(x, int) and not isinstance(x, bool) else x for x in side] for side in (a, b))
    dates = any(isinstance(x, Span) for x in a + b)
    a, b = ({element(x, dates) for x in side} for side in (a, b))
    return {"a_equals": a == b, "a_contains": a >= b, "a_containedBy": a <= b, "a_overlaps": bool(a & b)}[name]


def truth(item, node):
    if not isinstance(node, dict) or "op" not in node:
        found = value(item, node)
        return found if isinstance(found, bool) else None
    name, args = node["op"], node["args"]
    if name == "and":
        found = [truth(item, part) for part in args]
        return False if False in found else None if None in found else True
    if name == "or":
        return either(truth(item, part) for part in args)
    if name == "not":
        found = truth(item, args[0])
        return None if found is None else not found
    if name.startswith("t_"):
        a, b = (span_value(item, part) for part in args)
        return None if a is None or b is None else RELATIONS[name[2:]](a, b)
    if name.startswith("s_"):
        shapes = [value(item, part) for part in args]
        if not all(isinstance(part, dict) and "coordinates" in part for part in shapes):
            return None
        a, b = map(shapely_shape, shapes)
        return bool(getattr(a, SPATIAL[name[2:]])(b))
    values = [value(item, part) for part in args]
    if name.startswith("a_"):
        return sets(name, *values)
    if name == "isNull":
        return values[0] is None
    if name == "like":
        return like(*values)
    if name == "between":
        return both(compare(">=", values[0], values[1]), compare("<=", values[0], values[2]))
    if name == "in":
        return either(compare("=", values[0], one) for one in values[1])
    return compare(name, *values)


# ---- the test --------------------------------------------------------------------------------------------------------

def run(items, filters):
    lines = "\n".join(json.dumps(line) for line in [items, *filters]) + "\n"
    done = subprocess.run([CHECK], input=lines, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def answers(items, one, line):
    """What is expected of each item, which both ways must say."""
    truths, found, how = line.split(" ")
    expected = "".join({True: "t", False: "f", None: "?"}[truth(item, one)] for item in items)
    differing = next((i for i in range(len(items)) if truths[i] != expected[i]), None)
    assert differing is None, (one, items[differing], truths[differing], expected[differing])
    wrong = next((i for i in range(len(items)) if (truths[i] == "t") != (found[i] == "1")), None)
    assert wrong is None, (one, items[wrong], truths[wrong], found[wrong], how)
    return expected, how


def test_all_relations_of_time():
    """Instants and intervals over four instants: every way in which they can meet."""
    instants = [f"2020-01-0{day}T00:00:00Z" for day in range(1, 5)]
    pairs = [(a, b) for i, a in enumerate(instants) for b in instants[i + 1:]]
    times = [{"datetime": one} for one in instants]
    times += [{"datetime": None, "start_datetime": a, "end_datetime": b} for a, b in pairs]
    items = [{"type": "Feature", "id": "a", "collection": "c", "geometry": None, "properties": one} for one in times]
    spans = [{"timestamp": one} for one in instants] + [{"interval": [a, b]} for a, b in pairs]
    spans += [{"interval": ["..", instants[1]]}, {"interval": [instants[1], ".."]}, {"interval": ["..", ".."]}]
    filters = [op("t_" + name, *sides) for name in RELATIONS for span in spans
               for sides in ((prop("datetime"), span), (span, prop("datetime")))]
    for one, line in zip(filters, run(items, filters)):
        assert answers(items, one, line)[1] == "sql"


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_random_filters(seed):
    rng = random.Random(seed)
    items = [make_item(rng, number) for number in range(ITEMS)]
    filters, decided = [], {"sql": 0, "both": 0, "document": 0}
    while len(filters) < FILTERS:
        filters.append(make_filter(rng, rng.randrange(4)))
    true = unknown = 0
    for one, line in zip(filters, run(items, filters)):
        if line.startswith("error"):  # a comparison of two types, which the text of the filter shows already
            assert "compares" in line or "must be" in line, (one, line)
            continue
        truths, how = answers(items, one, line)
        decided[how] += 1
        true += truths.count("t")
        unknown += truths.count("?")
    total = sum(decided.values()) * ITEMS
    assert total > 0.7 * FILTERS * ITEMS and 0.1 < true / total < 0.7 and unknown / total > 0.1
    assert decided["sql"] > 100 and decided["both"] > 20 and decided["document"] > 20, decided
