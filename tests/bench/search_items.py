"""Items as a scene of Sentinel-2 may have, for a catalogue of any size: the same for the same number."""
import datetime
import json
import random
import re

COLLECTIONS = [f"c{i}" for i in range(10)]
START = datetime.datetime(2017, 1, 1)
BANDS = "B02", "B03", "B04", "B08", "SCL"


def make_item(i, chance):
    """Some 2.5 kB, as a scene of Sentinel-2 may have."""
    west, south = chance.uniform(-180, 178), chance.uniform(-80, 79)
    east, north = west + 1.1, south + 1
    time_of = (START + datetime.timedelta(seconds=chance.randrange(8 * 365 * 86400))).strftime("%Y-%m-%dT%H:%M:%SZ")
    collection, name = COLLECTIONS[i % 10], f"S2_{i:07d}_{time_of[:10]}"
    assets = {band: {"href": f"https://example.com/data/{collection}/{name}/{band}.tif", "roles": ["data"],
                     "type": "image/tiff; application=geotiff; profile=cloud-optimized", "title": f"Band {band}",
                     "eo:bands": [{"name": band}], "raster:bands": [{
                         "nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}]} for band in BANDS}
    extensions = [f"https://stac-extensions.github.io/{word}/v1.1.0/schema.json" for word in ("eo", "projection")]
    return {"type": "Feature", "stac_version": "1.0.0", "stac_extensions": extensions, "id": name,
            "collection": collection, "bbox": [west, south, east, north], "geometry": {
                "type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north],
                                                    [west, south]]]},
            "properties": {"datetime": time_of, "eo:cloud_cover": chance.uniform(0, 100), "gsd": 10,
                           "platform": f"sentinel-2{chance.choice('ab')}", "proj:epsg": chance.randrange(32601, 32661)},
            "links": [{"rel": "collection", "href": f"https://example.com/{collection}.json"}], "assets": assets}


def make_items(args, count):
    path, chance = args.cache / f"search_{count}.ndjson", random.Random(1)
    if not path.exists():
        with open(path.with_suffix(".part"), "w", encoding="utf-8") as file:
            for i in range(count):
                file.write(json.dumps(make_item(i, chance)) + "\n")
        path.with_suffix(".part").rename(path)
    return path


def some_ids(path):
    """Of each hundredth item."""
    with open(path, encoding="utf-8") as file:
        return [re.search(r'"id": "([^"]*)"', line).group(1) for i, line in enumerate(file) if i % 100 == 0]
