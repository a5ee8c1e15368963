#!/usr/bin/env python3
"""Writes the Parquet files of this folder and those of tests/fuzz/corpus/parquet, by other programs than ours:

    pip install rustac==0.9.18 stac-geoparquet==0.8.3 pyarrow==26.0.1 geopandas==1.2.0
    python3 tests/clients/parquet/make.py

items.json holds the items that they were made of.
"""

import asyncio
import datetime
import json
import pathlib

import geopandas
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import rustac
import shapely
import stac_geoparquet.arrow

HERE = pathlib.Path(__file__).parent
SEEDS = HERE.parents[1] / "fuzz/corpus/parquet"
COUNT = 33
SHAPES = [shapely.Point(1, 2.5), shapely.LineString([(0, 0), (1, 1.5)]),
          shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2), shapely.MultiPoint([(0, 0), (1, 1)]),
          shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]),
          shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(3, 3, 4, 4)]),
          shapely.GeometryCollection([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)]),
          shapely.Polygon([(0, 0, 1), (1, 0, 2), (1, 1, 3)])]


def plain(value):
    return json.loads(json.dumps(value))


def make_item(i):
    shape = SHAPES[i % len(SHAPES)]
    times = {"datetime": f"2020-01-{1 + i % 28:02}T00:00:{i:02}.{i % 4 * 250:03}Z"}
    if i % 6 == 3:
        times = {"datetime": None, "start_datetime": "2020-01-01T00:00:00Z", "end_datetime": "2020-02-01T00:00:00Z"}
    assets = {"data": {"href": f"s3://bucket/a{i}.tif", "roles": ["data"], "eo:bands": [{"name": "B1", "width": .5}]}}
    if i % 5 == 2:
        assets["extra"] = {"href": "b.tif", "title": f"T{i}"}
    return plain({
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": ["https://example.com/y.json"] * (1 + i % 2),
        "id": f"é item-{i}", "geometry": shapely.geometry.mapping(shape), "bbox": list(shape.bounds),
        "properties": {**times, "created": "1960-01-01T00:00:00.5Z", "eo:cloud_cover": None if i % 5 == 0 else i / 3,
                       "rank": i - 9, "large": 2**62 + i, "flag": i % 2 == 1, "proj:shape": [10, i] if i % 4 else [],
                       "nested": {"a": "x" * (i % 7),
                                  "b": [{"c": 1}, {"d": "x"}, {"c": i, "e": [[1, 2], [], [i]]}][:i % 4]},
                       "text": f't"\\\n{i}é' if i % 3 else None, "same": "alike"},
        "assets": assets, "links": [{"rel": "derived_from", "href": f"https://example.com/{i}"}] * (1 + i % 2),
        "collection": "parquet"})


def encoded(table, path, encodings, **options):
    pq.write_table(table, path, **options)
    schema = pq.ParquetFile(path).schema
    columns = [schema.column(i) for i in range(len(schema))]
    wanted = {c.path: encodings[c.physical_type] for c in columns if c.physical_type in encodings}
    pq.write_table(table, path, use_dictionary=False, column_encoding=wanted, **options)


async def by_rustac(items):
    await rustac.write(str(HERE / "rustac.parquet"), items)


def by_pyarrow(items):
    batches = stac_geoparquet.arrow.parse_stac_items_to_arrow(items)
    stac_geoparquet.arrow.to_parquet(batches, HERE / "stac_geoparquet.parquet")
    table = pa.table(pq.read_table(HERE / "stac_geoparquet.parquet")).replace_schema_metadata(None)
    encoded(table, HERE / "deltas.parquet",
            {"INT64": "DELTA_BINARY_PACKED", "BYTE_ARRAY": "DELTA_BYTE_ARRAY", "DOUBLE": "BYTE_STREAM_SPLIT",
             "BOOLEAN": "RLE"}, compression="zstd", data_page_version="2.0", store_schema=False)
    encoded(table, HERE / "lengths.parquet",
            {"INT64": "BYTE_STREAM_SPLIT", "BYTE_ARRAY": "DELTA_LENGTH_BYTE_ARRAY"}, compression="gzip",
            store_schema=False, use_deprecated_int96_timestamps=True)
    pq.write_table(table, HERE / "groups.parquet", compression="lz4", row_group_size=20, data_page_size=64,
                   write_batch_size=4, store_schema=False, write_statistics=False)


def by_geopandas(items):
    frame = geopandas.GeoDataFrame(
        {"id": [i["id"] for i in items], "collection": "parquet", "rank": [i["properties"]["rank"] for i in items],
         "eo:cloud_cover": [i["properties"]["eo:cloud_cover"] for i in items],
         "datetime": pandas.to_datetime([i["properties"]["datetime"] or "2020-05-05T00:00:00Z" for i in items],
                                        format="ISO8601")},
        geometry=[None if n % 11 == 10 else shapely.geometry.shape(i["geometry"]) for n, i in enumerate(items)],
        crs=4326)
    frame.to_parquet(HERE / "geopandas.parquet", write_covering_bbox=True)


def odd_table(count):
    """Types that these writers do not make of items by themselves."""
    rows = range(count)
    box = pa.struct([(name, pa.float32()) for name in ("xmin", "ymin", "zmin", "xmax", "ymax", "zmax")])
    corners = {"xmin": .1, "ymin": .2, "zmin": 7, "xmax": 1.1, "ymax": 1.2, "zmax": 8}
    return pa.table({
        "id": pa.array([f"odd-{i}" for i in rows]), "collection": pa.array(["odd"] * count).dictionary_encode(),
        "geometry": pa.array([shapely.to_wkb(shapely.Point(1, 2, i), byte_order=0, flavor="iso") for i in rows]),
        "bbox": pa.array([dict(corners, **({} if i % 2 else {"zmin": None, "zmax": None})) for i in rows], box),
        "datetime": pa.array([1577836800123456789 + i for i in rows], pa.timestamp("ns", "Europe/Berlin")),
        "day": pa.array([datetime.date(1969, 12, 30 + i % 2) for i in rows]),
        "unsigned": pa.array([2**32 - 1 - i for i in rows], pa.uint32()),
        "small": pa.array([-i for i in rows], pa.int8()), "single": pa.array([i / 10 for i in rows], pa.float32()),
        "json": pa.array(['{"a": [1, null]}' if i % 2 else "[]" for i in rows], pa.json_()),
        "map": pa.array([[(f"k{k}", k if k else None) for k in range(i % 3)] for i in rows],
                        pa.map_(pa.string(), pa.int64())),
        "list": pa.array([[None, 1, None][:i % 4] if i % 5 else None for i in rows], pa.list_(pa.int64())),
        "deep": pa.array([[[{"a": [i]}], [], None][:i % 4] for i in rows],
                         pa.list_(pa.list_(pa.struct([("a", pa.list_(pa.int64()))])))),
        "nothing": pa.nulls(count)})


def odd_files():
    note = {"version": "1.1.0", "collections": {"odd": {
        "type": "Collection", "stac_version": "1.0.0", "id": "odd", "title": "Odd types", "description": "Of a note.",
        "license": "CC0-1.0", "links": [],
        "extent": {"spatial": {"bbox": [[0, 0, 2, 2]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}}}}}
    table = odd_table(12).replace_schema_metadata({"stac-geoparquet": json.dumps(note)})
    pq.write_table(table, HERE / "odd.parquet")
    pq.write_table(pq.read_table(HERE / "stac_geoparquet.parquet"), HERE / "brotli.parquet", compression="brotli")


def seeds():
    SEEDS.mkdir(exist_ok=True)
    table = odd_table(6)
    options = {"compression": "none", "store_schema": False, "write_statistics": False}
    pq.write_table(table.select(["id", "geometry", "bbox", "datetime", "list"]), SEEDS / "dictionary", **options)
    pq.write_table(table.select(["id", "map", "deep", "json"]), SEEDS / "nested", use_dictionary=False,
                   data_page_version="2.0", **options)
    pq.write_table(table.select(["id", "single", "day", "unsigned", "deep"]), SEEDS / "snappy", **{**options,
                   "compression": "snappy"})
    pq.write_table(table.select(["id", "map"]), SEEDS / "lz4", **{**options, "compression": "lz4"})
    encoded(table.select(["id", "small", "single", "datetime"]), SEEDS / "deltas",
            {"INT64": "DELTA_BINARY_PACKED", "INT32": "DELTA_BINARY_PACKED", "BYTE_ARRAY": "DELTA_BYTE_ARRAY",
             "FLOAT": "BYTE_STREAM_SPLIT"}, **options)
    encoded(table.select(["id", "unsigned", "geometry"]), SEEDS / "lengths",
            {"INT64": "BYTE_STREAM_SPLIT", "BYTE_ARRAY": "DELTA_LENGTH_BYTE_ARRAY"}, data_page_version="2.0", **options)


if __name__ == "__main__":
    ITEMS = [make_item(i) for i in range(COUNT)]
    (HERE / "items.json").write_text(json.dumps(ITEMS, ensure_ascii=False) + "\n", encoding="utf-8")
    asyncio.run(by_rustac(ITEMS))
    by_pyarrow(ITEMS)
    by_geopandas(ITEMS)
    odd_files()
    seeds()
