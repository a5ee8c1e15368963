"""aggregate_temporal_period: every period in every calendar of CF, against dates counted by cftime; years before the
first and after 9999."""

import json

import cftime
import netCDF4
import numpy
import pytest

from conftest import twincube

CALENDARS = ["proleptic_gregorian", "standard", "noleap", "all_leap", "360_day", "julian"]
PERIODS = ["day", "week", "dekad", "month", "season", "tropical-season", "year", "decade", "decade-ad"]
SEASONS, HALVES = ["djf", "mam", "jja", "son"], {11: "ndjfma", 5: "mjjaso"}


def year_text(year):
    return f"-{-year:04d}" if year < 0 else f"{year:04d}" if year < 10000 else f"+{year}"


def week_of(date, calendar):
    """Year and number of the week, by the Thursday of it; days are counted in the calendar from 1970-01-01, a
    Thursday."""
    unit = "days since 1970-01-01"
    day = int(numpy.floor(cftime.date2num(date, unit, calendar, has_year_zero=True)))
    thursday = cftime.num2date(day - (day + 3) % 7 + 3, unit, calendar, has_year_zero=True)
    return thursday.year, (thursday.dayofyr - 1) // 7 + 1


def label(date, period, calendar):
    """The label of a date's period, from its fields."""
    year, month = date.year, date.month
    if period == "hour":
        return f"{year_text(year)}-{month:02d}-{date.day:02d}-{date.hour:02d}"
    if period == "day":
        return f"{year_text(year)}-{date.dayofyr:03d}"
    if period == "week":
        year, week = week_of(date, calendar)
        return f"{year_text(year)}-{week:02d}"
    if period == "dekad":
        return f"{year_text(year)}-{3 * (month - 1) + min(2, (date.day - 1) // 10) + 1:02d}"
    if period == "month":
        return f"{year_text(year)}-{month:02d}"
    if period == "season":
        return f"{year_text(year - (month < 3))}-{SEASONS[month // 3 % 4]}"
    if period == "tropical-season":
        return f"{year_text(year - (month < 5))}-{HALVES[5 if 5 <= month < 11 else 11]}"
    if period == "year":
        return year_text(year)
    return year_text(year // 10 * 10 if period == "decade" else (year - 1) // 10 * 10 + 1)


def write(path, calendar, days):
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", len(days)), ("y", 2), ("x", 2)):
            file.createDimension(name, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.calendar, time.standard_name = "days since 1970-01-01", calendar, "time"
        time[:] = days
        for name, standard, values in (("y", "latitude", [45, 44]), ("x", "longitude", [9, 10])):
            axis = file.createVariable(name, "f8", (name,))
            axis.standard_name, axis.units = standard, "degrees_north" if name == "y" else "degrees_east"
            axis[:] = values
        file.createVariable("number", "f8", ("time", "y", "x"))[:] = 2.0 ** (numpy.arange(len(days)) % 40)[
            :, None, None] * [[1, 1], [1, 1]]


def aggregate(folder, name, periods):
    """The labels and sums of each period, all in one run."""
    graph = {"load": {"process_id": "load_collection", "arguments": {
        "id": name, "spatial_extent": None, "temporal_extent": None}}}
    for period in periods:
        graph[f"sum_{period}"] = {"process_id": "aggregate_temporal_period", "arguments": {
            "data": {"from_node": "load"}, "period": period, "reducer": {"process_graph": {"s": {
                "process_id": "sum", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}}}}
        graph[period] = {"process_id": "save_result", "arguments": {
            "data": {"from_node": f"sum_{period}"}, "format": "JSON"}, "result": period == periods[0]}
    (folder / "graph.json").write_text(json.dumps(graph))
    twincube("run", folder / "graph.json", "--data", folder, "-o", f"{folder}/out/")
    for period in periods:
        result = json.loads((folder / "out" / f"{period}.json").read_text())
        time = next(i for i, d in enumerate(result["dimensions"]) if d["type"] == "temporal")
        labels = result["dimensions"][time]["labels"]
        values = numpy.moveaxis(numpy.array(result["data"], dtype="float64"), time, 0).reshape(len(labels), -1)[:, 0]
        yield period, dict(zip(labels, values))


def check(folder, calendar, days, periods):
    write(folder / "dates.nc", calendar, days)
    twincube("catalogue", "add", "--data", folder, "--id", "DATES", folder / "dates.nc")
    dates = cftime.num2date(days, "days since 1970-01-01",
                            "proleptic_gregorian" if calendar == "standard" else calendar,
                            has_year_zero=True)
    (folder / "out").mkdir()
    for period, have in aggregate(folder, "DATES", periods):
        want = {}
        for i, date in enumerate(dates):
            text = label(date, period, date.calendar)
            want[text] = want.get(text, 0) + 2.0 ** (i % 40)
        assert {text: value for text, value in have.items() if not numpy.isnan(value)} == want, (calendar, period)
        assert list(have)[0] == label(dates[0], period, dates[0].calendar)
        assert list(have)[-1] == label(dates[-1], period, dates[-1].calendar)


@pytest.mark.parametrize("calendar", CALENDARS)
def test_all_periods(tmp_path, calendar):
    """Turns of years with leap days and without, edges of months and weeks, each an hour before and after."""
    years = [cftime.datetime(year, 1, 1, calendar="proleptic_gregorian" if calendar == "standard" else calendar,
                             has_year_zero=True) for year in (1999, 2000, 2001, 2004, 2011)]
    starts = [round(cftime.date2num(year, "days since 1970-01-01", year.calendar)) for year in years]
    edges = [start + offset for start in starts for offset in (0, 4, 10, 20, 31, 41, 59, 60, 120, 151, 244, 304, 334,
                                                               358)]
    days = numpy.unique([edge + hour / 24 for edge in edges for hour in (-1, 0, 5.5)])
    check(tmp_path, calendar, days, PERIODS)


@pytest.mark.parametrize("calendar", ["standard", "360_day"])
def test_hours(tmp_path, calendar):
    """The end of February 2000."""
    first = cftime.datetime(2000, 2, 27, calendar="proleptic_gregorian" if calendar == "standard" else calendar)
    day = round(cftime.date2num(first, "days since 1970-01-01", first.calendar))
    check(tmp_path, calendar, day + numpy.arange(0, 60, 0.75) / 12, ["hour", "day"])


@pytest.mark.parametrize("calendar", ["proleptic_gregorian", "noleap", "360_day"])
def test_years_far_away(tmp_path, calendar):
    for year in (-12, 0, 9999):
        start = cftime.datetime(year, 11, 20, calendar=calendar, has_year_zero=True)
        first = round(cftime.date2num(start, "days since 1970-01-01", calendar))
        folder = tmp_path / str(year)
        folder.mkdir()
        check(folder, calendar, first + numpy.arange(0, 500, 23.25), ["day", "dekad", "month", "season",
                                                                      "tropical-season", "year", "decade", "decade-ad"])
