"""Texts, dates and quantiles against Python: Unicode, zones, leap years, and every way to name quantiles."""

import datetime
import random
import statistics

import numpy
import pytest

import many
import subject as subjects

TEXTS = "aAbBzZäÄöÖßẞéÉΣσςЖжԱա ǅǆȺⱥ😀𐐀𐐨Ⅷⅷﬀİ中"


def simple_fold(text):
    """Simple case folding, one character for one."""
    def fold(character):
        for form in (character.casefold(), character.lower()):
            if len(form) == 1:
                return form
        return character
    return "".join(map(fold, text))


@pytest.mark.parametrize("sensitive", [True, False])
def test_patterns_in_texts(subject, sensitive):
    source = random.Random(3)
    calls, want = [], []
    for _ in range(150):
        data = "".join(source.choices(TEXTS, k=source.randint(0, 12)))
        start = source.randint(0, len(data))
        pattern = source.choice([data[start : start + 2], data[start : start + 2].swapcase(), data[:2].upper(),
                                 "".join(source.choices(TEXTS, k=source.randint(0, 2)))])
        a, b = (data, pattern) if sensitive else (simple_fold(data), simple_fold(pattern))
        answers = {"text_begins": a.startswith(b), "text_ends": a.endswith(b), "text_contains": b in a,
                   "text_find": a.find(b) if b in a else None, "eq": a == b}
        for process, answer in answers.items():
            names = ("x", "y") if process == "eq" else ("data", "pattern")
            calls.append((process, {**dict(zip(names, (data, pattern))), "case_sensitive": sensitive}))
            want.append(answer)
    have = many.results(subject, calls)
    assert [(call, h, w) for call, h, w in zip(calls, have, want) if h != w] == []


# ---- dates ----

UNITS = {"millisecond": 1, "second": 1000, "minute": 60000, "hour": 3600000, "day": 86400000, "week": 604800000}
ZONES = ["Z", "+00:00", "-00:30", "+02:00", "+05:45", "-11:00", "+14:00", ""]


def moment(source):
    """A date-time as text, and what Python makes of it."""
    day = datetime.datetime(source.choice([2, 1600, 1899, 1970, 2000, 2019, 2020, 2100, 9990]), 1, 1)
    local = day + datetime.timedelta(days=source.randint(1, 730), seconds=source.randint(0, 86399))
    if source.random() < 0.3:
        local = local.replace(day=1) - datetime.timedelta(days=1)  # the last of a month
    zone = source.choice(ZONES)
    if source.random() < 0.3:
        local += datetime.timedelta(milliseconds=source.randint(1, 999))
    fraction = f".{local.microsecond // 1000:03d}" if local.microsecond else ""
    return f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{zone}", local, zone


def four_digits(text):
    """strftime leaves out the zeros before a year."""
    year, rest = text.split("-", 1)
    return f"{int(year):04d}-{rest}"


def parsed(local, zone):
    offset = datetime.timedelta(0) if zone in ("", "Z") else datetime.timedelta(
        hours=int(zone[1:3]), minutes=int(zone[4:])) * (-1 if zone[0] == "-" else 1)
    return local - offset


def written(local, zone):
    fraction = f".{local.microsecond // 1000:03d}" if local.microsecond else ""
    return four_digits(f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{zone}")


def add_months(local, months):
    index = local.year * 12 + local.month - 1 + months
    year, month = divmod(index, 12)
    for day in range(local.day, 0, -1):
        try:
            return local.replace(year=year, month=month + 1, day=day)
        except ValueError as wrong:
            if "day" not in str(wrong):
                raise
    raise AssertionError


def shifted(local, value, unit):
    if unit in UNITS:
        return local + datetime.timedelta(milliseconds=value * UNITS[unit])
    return add_months(local, value * (12 if unit == "year" else 1))


def test_shifts(subject):
    source = random.Random(4)
    calls, want = [], []
    while len(calls) < 300:
        text, local, zone = moment(source)
        unit, value = source.choice([*UNITS, "month", "year"]), source.randint(-40, 40)
        try:
            answer = written(shifted(local, value, unit), zone)
        except (OverflowError, ValueError):
            continue
        text = four_digits(text)
        if source.random() < 0.2:
            day = shifted(datetime.datetime(local.year, local.month, local.day), value, unit)
            text, answer = text[:10], four_digits(f"{day:%Y-%m-%d}")
        calls.append(("date_shift", {"date": text, "value": value, "unit": unit}))
        want.append(answer)
    have = many.results(subject, calls)
    assert [(call, h, w) for call, h, w in zip(calls, have, want) if h != w] == []


def test_differences(subject):
    """Fixed units against Python; months and years undo a shift and change their sign with the order."""
    source = random.Random(5)
    calls, want = [], []
    for _ in range(100):
        (a, local_a, zone_a), (b, local_b, zone_b) = moment(source), moment(source)
        a, b, unit = four_digits(a), four_digits(b), source.choice(list(UNITS))
        calls.append(("date_difference", {"date1": a, "date2": b, "unit": unit}))
        want.append((parsed(local_b, zone_b) - parsed(local_a, zone_a)) / datetime.timedelta(milliseconds=UNITS[unit]))
    for _ in range(100):
        a, local, zone = moment(source)
        unit, value = source.choice(["month", "year"]), source.randint(-9, 9)
        try:
            b = written(shifted(local, value, unit), zone)
        except (OverflowError, ValueError):
            continue
        calls += [("date_difference", {"date1": four_digits(a), "date2": b, "unit": unit}),
                  ("date_difference", {"date1": b, "date2": four_digits(a), "unit": unit})]
        want += [value, -value]
    have = many.results(subject, calls)
    assert [(call, h, w) for call, h, w in zip(calls, have, want) if not many.same(h, w)] == []


def test_parts_of_months_ascend(subject):
    """Day by day from one date on, the difference in months grows, and a whole month is 1 later than before."""
    start = datetime.date(2019, 12, 31)
    days = [start + datetime.timedelta(days=i) for i in range(500)]
    have = many.results(subject, [("date_difference", {"date1": str(start), "date2": str(day), "unit": "month"})
                                  for day in days])
    assert have == sorted(have) and have[0] == 0
    for day, months in zip(days, have):
        if day.day in (30, 31) and (day + datetime.timedelta(days=1)).day == 1:
            assert months == (day.year - 2019) * 12 + day.month - 12


def test_betweens(subject):
    source = random.Random(6)
    calls, want = [], []
    for _ in range(200):
        around = [moment(source) for _ in range(3)]
        if source.random() < 0.5:
            around[1] = around[0]
        if source.random() < 0.3:
            around[2] = around[0]
        x, low, high = (parsed(local, zone) for _, local, zone in around)
        exclude = source.choice([True, False])
        calls.append(("date_between", {**dict(zip(("x", "min", "max"), (four_digits(a[0]) for a in around))),
                                       "exclude_max": exclude}))
        want.append(low <= x and low <= high and (x < high if exclude else x <= high))
    have = many.results(subject, calls)
    assert [(call, h, w) for call, h, w in zip(calls, have, want) if h != w] == []


@pytest.mark.parametrize("text", ["2021-02-29", "2100-02-29", "2020-13-01", "2020-00-10", "2020-01-00", "2020-04-31",
                                  "2020-1-1", "20200101", "2020-01-01T24:30:00Z", "2020-01-01T10:60:00Z",
                                  "2020-01-01T10:00:00+25:00", "2020-01-01T10:00:00 Z", "2020-01-01Z10", "", "today",
                                  "2020-01-01T10:00Z", "2020-01-01T10:00:60Z", "٢٠٢٠-01-01",
                                  "2020-01-01T10:00:00.Z"])
def test_no_dates(subject, text):
    for process, arguments in (("date_shift", {"date": text, "value": 1, "unit": "day"}),
                               ("date_difference", {"date1": "2020-01-01", "date2": text}),
                               ("date_between", {"x": text, "min": "2020-01-01", "max": "2020-01-02"})):
        with pytest.raises(subjects.Failure) as failure:
            subject.run({"a": {"process_id": process, "arguments": arguments, "result": True}})
        assert failure.value.code == "ProcessParameterInvalid"


# ---- quantiles ----


@pytest.mark.parametrize("ignore", [True, False])
def test_quantiles(subject, ignore):
    """By probabilities and by their number, against NumPy and the statistics module."""
    source = random.Random(7)
    calls, want = [], []
    for _ in range(120):
        data = [source.choice([round(source.gauss(0, 3), 2), source.randint(-2, 2),
                               None]) for _ in range(source.randint(0, 9))]
        known = [value for value in data if value is not None]
        dead = not known or (not ignore and None in data)
        if source.random() < 0.5:
            probabilities = sorted(source.sample([0, 0.005, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 1], source.randint(1, 4)))
            arguments = {"probabilities": probabilities}
            answer = [None] * len(probabilities) if dead else numpy.quantile(known, probabilities).tolist()
        else:
            q = source.randint(2, 9)
            arguments = {"q": q}
            two = known * 2 if len(known) == 1 else known
            answer = [None] * (q - 1) if dead else statistics.quantiles(two, n=q, method="inclusive")
        calls.append(("quantiles", {"data": data, "ignore_nodata": ignore, **arguments}))
        want.append(answer)
        calls.append(("median", {"data": data, "ignore_nodata": ignore}))
        want.append(None if dead else float(statistics.median(known)))
    have = many.results(subject, calls)
    assert [(call, h, w) for call, h, w in zip(calls, have, want) if not many.same(h, w)] == []
