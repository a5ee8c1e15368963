"""What a user of the openEO Python client does in the first hour. usage: python_first_hour.py URL USER PASSWORD OUT"""

import contextlib, io, json, logging, os, pathlib, sys, time, traceback, warnings

import numpy as np
import openeo
import xarray
from openeo.processes import array_concat, array_element, array_create, if_, max as max_, quantiles, text_concat

URL, USER, PASSWORD, OUT = sys.argv[1:5]
OUT = pathlib.Path(OUT)
OUT.mkdir(parents=True, exist_ok=True)
warnings.simplefilter("ignore")
count = {"ok": 0, "FAIL": 0}


# What is to be refused, and what the refusal is to say.
REFUSED = {
    "user jobs without login": "AuthenticationRequired",
    "wrong password": "CredentialsInvalid",
    "describe unknown collection": "CollectionNotFound",
    "load_collection with unknown band": "Valid names",
    "validate bad": "Should be one of",
    "rename_labels": "LabelsNotEnumerated",
    "apply_neighborhood": "expected array of number or null",
    "chunk by polygon": "expected array of number or null",
    "max_cloud_cover / properties": "NoDataAvailable",
    "empty extent": "NoDataAvailable",
    "load_stac of a host that is not allowed": "http://127.0.0.1:1/x",
    "run_udf that does not reduce": "returns an array, not a single value",
    "atmospheric/sar processes": "ProcessUnsupported",
    "two collections on two grids": "OverlapResolverMissing",
    "results before start": "JobNotFinished",
    "failing batch job": "Status: error",
    "deleted job": "JobNotFound",
    "collection id with slash": "CollectionNotFound",
}
if "OPENEO_AUTH_CLIENT_ID" not in os.environ:
    REFUSED["authenticate_oidc"] = "authenticate_basic"  # no provider: the ways to log in are named


def step(name, work, show=260):
    start = time.time()
    caught = []
    handler = logging.Handler()
    handler.emit = lambda r: caught.append(r.getMessage())
    logging.getLogger("openeo").addHandler(handler)
    try:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = work()
        text = str(value) if value is not None else printed.getvalue()
        if name in REFUSED:
            raise AssertionError(f"not refused, {REFUSED[name]} was expected; {text}")
        print(f"ok   {name} [{time.time()-start:.2f} s] -> {' '.join(text.split())[:show]}")
        count["ok"] += 1
    except Exception as error:
        state = "ok" if name in REFUSED and REFUSED[name] in str(error) else "FAIL"
        print(f"{state:4} {name} -> {type(error).__name__}: {' '.join(str(error).split())[:420]}")
        count[state] += 1
        value = None
    finally:
        logging.getLogger("openeo").removeHandler(handler)
    for message in caught:
        if "warn" in message.lower() or "fail" in message.lower() or "unsupported" in message.lower():
            print("       log:", message[:200])
    return value


def opened(path):
    data = xarray.open_dataset(path, decode_coords="all")
    return f"{dict(data.sizes)} vars {list(data.data_vars)} dtype {[str(v.dtype) for v in data.data_vars.values()][:3]}"


def raster(path):
    import rioxarray

    data = rioxarray.open_rasterio(path)
    names = data.attrs.get("long_name")
    return f"{dict(data.sizes)} {data.dtype} epsg {data.rio.crs.to_epsg()} names {names} nodata {data.rio.nodata}"


def missing(cube, path):
    cube.download(path)
    return f"{float(np.isnan(xarray.open_dataset(path)['var']).mean()):.3f} missing"


def manager():
    import pandas
    from openeo.extra.job_management import MultiBackendJobManager, create_job_db

    jobs = MultiBackendJobManager(poll_sleep=1, root_dir=OUT / "manager")
    jobs.add_backend("t", connection=c, parallel_jobs=2)
    table = pandas.DataFrame({"band": ["B04", "B08"]})
    start = (
        lambda row, connection, **_: connection.load_collection(
            "SENTINEL2_L2A", spatial_extent=BOX, temporal_extent=["2022-06-01", "2022-07-01"], bands=[row["band"]]
        )
        .max_time()
        .create_job(title=row["band"], out_format="GTiff")
    )
    path = OUT / "manager.csv"
    path.unlink(missing_ok=True)
    jobs.run_jobs(job_db=create_job_db(path, df=table), start_job=start)
    return pandas.read_csv(path).filter(["band", "status", "cpu", "duration", "costs"]).values.tolist()


print("openeo", openeo.client_version(), "python", sys.version.split()[0])
c = step("connect by host", lambda: openeo.connect(URL))
step("connect by API root", lambda: openeo.connect(URL + "/openeo/1.2"))
step(
    "capabilities",
    lambda: c.capabilities().api_version() + " " + str([e["path"] for e in c.capabilities().capabilities["endpoints"]]),
)
step(
    "capabilities.supports_endpoint",
    lambda: [
        p
        for p in [
            "/process_graphs",
            "/files",
            "/services",
            "/credentials/oidc",
            "/jobs/{job_id}/estimate",
            "/validation",
        ]
        if not c.capabilities().supports_endpoint(p)
    ],
)
step("capabilities html", lambda: len(c.capabilities()._repr_html_()))
step("capabilities list_plans/currency", lambda: (c.capabilities().list_plans(), c.capabilities().currency()))
step("version_info", c.version_info)
step("describe before login", lambda: c.list_collection_ids())
step("user jobs without login", lambda: c.list_jobs())
step("wrong password", lambda: c.authenticate_basic(USER, "no"))
step("authenticate_oidc", lambda: openeo.connect(URL).authenticate_oidc().describe_account()["user_id"])
step("authenticate()", lambda: c.authenticate_basic(USER, PASSWORD))
step("describe_account", c.describe_account)
step("list_collections", lambda: [x["id"] for x in c.list_collections()])
step("list_collections html", lambda: len(c.list_collections()._repr_html_()))
step("describe_collection", lambda: list(c.describe_collection("SENTINEL2_L2A")))
step("describe_collection html", lambda: len(c.describe_collection("SENTINEL2_L2A")._repr_html_()))
step("describe unknown collection", lambda: c.describe_collection("NOPE"))
step(
    "collection_metadata",
    lambda: (
        c.collection_metadata("SENTINEL2_L2A").band_names,
        c.collection_metadata("SENTINEL2_L2A").band_common_names,
        [d.name for d in c.collection_metadata("SENTINEL2_L2A")._dimensions],
    ),
)
step("collection_items", lambda: c.collection_items("SENTINEL2_L2A"))
step("list_processes", lambda: len(c.list_processes()))
step("list_processes html", lambda: len(c.list_processes()._repr_html_()))
step("describe_process", lambda: c.describe_process("ndvi")["summary"])
step("list_file_formats", lambda: (list(c.list_file_formats()["output"]), len(c.list_file_formats()._repr_html_())))
step("list_output_formats", lambda: list(c.list_output_formats()))
step("list_service_types", c.list_service_types)
step("list_udf_runtimes", c.list_udf_runtimes)
step("list_user_defined_processes", c.list_user_defined_processes)
step("list_files", c.list_files)
step("list_services", c.list_services)
step("list_jobs", lambda: len(c.list_jobs()))
step("list_jobs html", lambda: len(c.list_jobs()._repr_html_()))

BOX = {"west": 11.337, "south": 46.484, "east": 11.348, "north": 46.492}
cube = step(
    "load_collection",
    lambda: c.load_collection(
        "SENTINEL2_L2A", spatial_extent=BOX, temporal_extent=["2022-06-01", "2022-07-01"], bands=["B04", "B08", "SCL"]
    ),
)
step("load_collection with unknown band", lambda: c.load_collection("SENTINEL2_L2A", bands=["B77"]).flat_graph())
step(
    "load_collection by common name",
    lambda: opened(
        (
            c.load_collection(
                "SENTINEL2_L2A", spatial_extent=BOX, temporal_extent=["2022-06-01", "2022-06-05"], bands=["red", "nir"]
            ).download(OUT / "common.nc"),
            OUT / "common.nc",
        )[1]
    ),
)
step("cube html", lambda: len(cube._repr_html_()))
step("print_json", lambda: cube.print_json(indent=None))
step("to_json", lambda: len(cube.to_json()))
step("dimension_labels via client", lambda: cube.metadata.band_names)
step("validate good", cube.validate)
step(
    "validate bad",
    lambda: [
        x["code"] + ": " + x["message"]
        for x in c.load_collection("SENTINEL2_L2A", temporal_extent=["2022-07-01", "2022-06-01"])
        .reduce_dimension(dimension="q", reducer="mean")
        .validate()
    ],
)
red, nir, scl = cube.band("B04"), cube.band("B08"), cube.band("SCL")
ndvi = step("operators", lambda: (nir - red) / (nir + red))
step("download netCDF", lambda: opened((ndvi.download(OUT / "ndvi.nc"), OUT / "ndvi.nc")[1]))
step("download GTiff of a time series", lambda: raster((ndvi.download(OUT / "ndvi.tif"), OUT / "ndvi.tif")[1]))
step("download format by suffix .tiff", lambda: raster((ndvi.max_time().download(OUT / "m.tiff"), OUT / "m.tiff")[1]))
step("download .png", lambda: (ndvi.max_time().download(OUT / "m.png"), (OUT / "m.png").read_bytes()[:4])[1])
step("download .json", lambda: (ndvi.max_time().download(OUT / "m.json"), list(json.load(open(OUT / "m.json"))))[1])
step("download .jpg", lambda: ndvi.max_time().download(OUT / "m.jpg"))
step("download .zarr/.csv", lambda: ndvi.max_time().download(OUT / "m.csv"))
step("format GeoTIFF", lambda: ndvi.max_time().download(OUT / "a.tif", format="GeoTIFF"))
step("format COG", lambda: ndvi.max_time().download(OUT / "b.tif", format="COG"))
step(
    "save_result option cog",
    lambda: raster(
        (ndvi.max_time().save_result("GTiff", options={"cog": True}).download(OUT / "cog.tif"), OUT / "cog.tif")[1]
    ),
)
step(
    "unknown option",
    lambda: ndvi.max_time().save_result("GTiff", options={"filename_prefix": "x"}).download(OUT / "o.tif"),
)
step("no file: bytes", lambda: len(ndvi.max_time().download(format="netCDF")))
step(
    "callback with operators",
    lambda: opened(
        (
            cube.reduce_dimension(
                dimension="bands", reducer=lambda d: (d["B08"] - d["B04"]) / (d["B08"] + d["B04"])
            ).download(OUT / "cb.nc"),
            OUT / "cb.nc",
        )[1]
    ),
)
step(
    "callback by index",
    lambda: opened(
        (
            cube.reduce_dimension(dimension="bands", reducer=lambda d: (d[1] - d[0]) / (d[1] + d[0])).download(
                OUT / "cb2.nc"
            ),
            OUT / "cb2.nc",
        )[1]
    ),
)
step(
    "the same numbers three ways",
    lambda: [
        float(
            np.nanmax(
                np.abs(xarray.open_dataset(OUT / f)["var"].values - xarray.open_dataset(OUT / "ndvi.nc")["var"].values)
            )
        )
        for f in ("cb.nc", "cb2.nc")
    ],
)
step(
    "against NumPy",
    lambda: (
        lambda d, n: float(
            np.nanmax(
                np.abs(
                    (d["B08"].astype(float) - d["B04"]) / (d["B08"].astype(float) + d["B04"]) - n["var"].astype(float)
                )
            )
        )
    )(xarray.open_dataset((cube.download(OUT / "cube.nc"), OUT / "cube.nc")[1]), xarray.open_dataset(OUT / "ndvi.nc")),
)
step("cube.ndvi()", lambda: opened((cube.ndvi(nir="B08", red="B04").download(OUT / "n1.nc"), OUT / "n1.nc")[1]))
step(
    "cube.ndvi(target_band)",
    lambda: opened((cube.ndvi(nir="B08", red="B04", target_band="ndvi").download(OUT / "n2.nc"), OUT / "n2.nc")[1]),
)
masked = step("mask by SCL", lambda: ndvi.mask(scl == 9))
step(
    "mask download",
    lambda: missing(masked, OUT / "masked.nc"),
)
step(
    "aggregate_temporal_period",
    lambda: opened(
        (masked.aggregate_temporal_period("month", "median").download(OUT / "month.nc"), OUT / "month.nc")[1]
    ),
)
step(
    "aggregate_temporal_period dekad",
    lambda: opened((cube.aggregate_temporal_period("dekad", "mean").download(OUT / "dekad.nc"), OUT / "dekad.nc")[1]),
)
step(
    "aggregate_temporal",
    lambda: cube.aggregate_temporal([["2022-06-01", "2022-06-15"]], "mean").download(OUT / "at.nc"),
)
step("reduce mean_time", lambda: opened((cube.mean_time().download(OUT / "mean.nc"), OUT / "mean.nc")[1]))
step("reduce_temporal", lambda: opened((cube.reduce_temporal("max").download(OUT / "rt.nc"), OUT / "rt.nc")[1]))
step("reduce_spatial", lambda: cube.reduce_spatial("mean").download(OUT / "rs.nc"))
step(
    "filter_bands/temporal/bbox",
    lambda: opened(
        (
            cube.filter_bands(["B08"])
            .filter_temporal("2022-06-10", "2022-06-20")
            .filter_bbox(west=11.34, south=46.485, east=11.345, north=46.49)
            .download(OUT / "f.nc"),
            OUT / "f.nc",
        )[1]
    ),
)
step(
    "apply with callback",
    lambda: opened(
        (cube.apply(lambda x: x.linear_scale_range(0, 5000, 0, 255)).download(OUT / "ap.nc"), OUT / "ap.nc")[1]
    ),
)
step(
    "cube.linear_scale_range",
    lambda: opened((cube.linear_scale_range(0, 5000, 0, 1).download(OUT / "ls.nc"), OUT / "ls.nc")[1]),
)
step(
    "apply_dimension quantiles",
    lambda: opened(
        (
            cube.apply_dimension(lambda d: quantiles(d, [0.1, 0.5, 0.9]), dimension="t").download(OUT / "q.nc"),
            OUT / "q.nc",
        )[1]
    ),
)
step(
    "apply_dimension to existing one-label dimension",
    lambda: opened(
        (
            cube.filter_bands(["B08"])
            .apply_dimension(lambda d: quantiles(d, [0.25, 0.75]), dimension="t", target_dimension="bands")
            .download(OUT / "q2.nc"),
            OUT / "q2.nc",
        )[1]
    ),
)
step(
    "array_concat + ndvi as a number",
    lambda: cube.filter_bands(["B04", "B08"])
    .apply_dimension(dimension="bands", process=lambda d: array_concat(d, (d[1] - d[0]) / (d[1] + d[0])))
    .download(OUT / "ac.nc"),
)
step(
    "array_create in apply_dimension",
    lambda: opened(
        (
            cube.filter_bands(["B04", "B08"])
            .apply_dimension(
                dimension="bands", process=lambda d: array_create([d[0], d[1], (d[1] - d[0]) / (d[1] + d[0])])
            )
            .download(OUT / "acr.nc"),
            OUT / "acr.nc",
        )[1]
    ),
)
step(
    "merge_cubes",
    lambda: opened(
        (cube.filter_bands(["B04"]).merge_cubes(cube.filter_bands(["B08"])).download(OUT / "mc.nc"), OUT / "mc.nc")[1]
    ),
)
step(
    "merge_cubes with resolver",
    lambda: opened(
        (
            cube.mean_time().merge_cubes(cube.median_time(), overlap_resolver="subtract").download(OUT / "mr.nc"),
            OUT / "mr.nc",
        )[1]
    ),
)
step(
    "resample_spatial",
    lambda: raster(
        (
            cube.max_time().resample_spatial(resolution=20, projection=32632, method="average").download(OUT / "r.tif"),
            OUT / "r.tif",
        )[1]
    ),
)
step(
    "resample_spatial to 4326",
    lambda: raster(
        (cube.max_time().resample_spatial(resolution=0.0002, projection=4326).download(OUT / "r4.tif"), OUT / "r4.tif")[
            1
        ]
    ),
)
step("resample_cube_spatial", lambda: cube.max_time().resample_cube_spatial(ndvi.max_time()).download(OUT / "rc.tif"))
step(
    "rename_labels",
    lambda: opened((cube.rename_labels("bands", ["red", "nir", "class"]).download(OUT / "rl.nc"), OUT / "rl.nc")[1]),
)
step(
    "add_dimension/drop",
    lambda: opened(
        (ndvi.add_dimension(name="bands", label="NDVI", type="bands").download(OUT / "ad.nc"), OUT / "ad.nc")[1]
    ),
)
step("dimension_labels", lambda: c.execute(cube.dimension_labels("t")))
step("apply_kernel", lambda: cube.apply_kernel(np.ones((3, 3)), factor=1 / 9).download(OUT / "k.nc"))
step(
    "apply_neighborhood",
    lambda: cube.apply_neighborhood(
        lambda d: d.mean(),
        size=[{"dimension": "x", "value": 16, "unit": "px"}, {"dimension": "y", "value": 16, "unit": "px"}],
    ).download(OUT / "an.nc"),
)
POLYGON = {"type": "Polygon", "coordinates": [[[11.338, 46.485], [11.346, 46.485], [11.346, 46.491], [11.338, 46.485]]]}
step("aggregate_spatial", lambda: ndvi.aggregate_spatial(POLYGON, "mean").download(OUT / "as.json"))
step("mask_polygon", lambda: cube.mask_polygon(POLYGON).download(OUT / "mp.nc"))
step("filter_spatial", lambda: cube.filter_spatial(POLYGON).download(OUT / "fs.nc"))
step(
    "spatial_extent as GeoJSON",
    lambda: c.load_collection(
        "SENTINEL2_L2A", spatial_extent=POLYGON, temporal_extent=["2022-06-01", "2022-06-05"], bands=["B04"]
    ).download(OUT / "gj.nc"),
)
step(
    "spatial_extent in EPSG:32632",
    lambda: opened(
        (
            c.load_collection(
                "SENTINEL2_L2A",
                spatial_extent={"west": 680000, "south": 5151500, "east": 680100, "north": 5151600, "crs": 32632},
                temporal_extent=["2022-06-01", "2022-06-05"],
                bands=["B04"],
            ).download(OUT / "e.nc"),
            OUT / "e.nc",
        )[1]
    ),
)
step(
    "temporal_extent one-sided and by month",
    lambda: opened(
        (
            c.load_collection("SENTINEL2_L2A", spatial_extent=BOX, temporal_extent="2022-06", bands=["B04"]).download(
                OUT / "tm.nc"
            ),
            OUT / "tm.nc",
        )[1]
    ),
)
step(
    "max_cloud_cover / properties",
    lambda: c.load_collection(
        "SENTINEL2_L2A",
        spatial_extent=BOX,
        temporal_extent=["2022-06-01", "2022-07-01"],
        bands=["B04"],
        max_cloud_cover=50,
    ).download(OUT / "cc.nc"),
)
step(
    "empty extent",
    lambda: c.load_collection(
        "SENTINEL2_L2A",
        spatial_extent={"west": 0, "south": 0, "east": 1, "north": 1},
        temporal_extent=["2022-06-01", "2022-07-01"],
        bands=["B04"],
    ).download(OUT / "empty.nc"),
)
step("load_stac of a host that is not allowed", lambda: c.load_stac("http://127.0.0.1:1/x").download(OUT / "st.nc"))


def udf(line):
    return openeo.UDF(f"def apply_datacube(cube, context):\n    return {line}", runtime="Python")


step(
    "run_udf that does not reduce",
    lambda: cube.reduce_dimension(dimension="t", reducer=udf("cube")).download(OUT / "u.nc"),
)
step(
    "run_udf",
    lambda: opened(
        (cube.reduce_dimension(dimension="t", reducer=udf("cube.mean('t')")).download(OUT / "u.nc"), OUT / "u.nc")[1]
    ),
)
step("atmospheric/sar processes", lambda: cube.sar_backscatter().download(OUT / "sb.nc"))
step(
    "if_ in a callback",
    lambda: opened((ndvi.apply(lambda x: if_(x > 0.5, 1, 0)).download(OUT / "if.nc"), OUT / "if.nc")[1]),
)
step("comparison cube", lambda: opened((((ndvi > 0.5) & (ndvi < 0.8)).download(OUT / "cmp.nc"), OUT / "cmp.nc")[1]))
step("~mask and |", lambda: opened((ndvi.mask(~((scl == 4) | (scl == 5))).download(OUT / "nm.nc"), OUT / "nm.nc")[1]))
step("cube ** and scalar", lambda: opened(((1 - ndvi**2 + 2 * ndvi).download(OUT / "pw.nc"), OUT / "pw.nc")[1]))
step("c.execute(3+5)", lambda: c.execute({"add": {"process_id": "add", "arguments": {"x": 3, "y": 5}, "result": True}}))
step("c.execute 1/0", lambda: c.execute({"d": {"process_id": "divide", "arguments": {"x": 1, "y": 0}, "result": True}}))
step("c.execute sqrt(-1)", lambda: c.execute({"d": {"process_id": "sqrt", "arguments": {"x": -1}, "result": True}}))
step("xarray: cube.execute()", lambda: type(c.execute(ndvi.max_time().flat_graph())))

step(
    "load everything, then filter",
    lambda: opened(
        (
            c.load_collection("SENTINEL2_L2A")
            .filter_bbox(**BOX)
            .filter_temporal("2022-06-01", "2022-06-10")
            .filter_bands(["B04"])
            .download(OUT / "lf.nc"),
            OUT / "lf.nc",
        )[1]
    ),
)
step(
    "interpolate gaps",
    lambda: opened(
        (
            masked.apply_dimension(dimension="t", process="array_interpolate_linear").download(OUT / "ai.nc"),
            OUT / "ai.nc",
        )[1]
    ),
)
step(
    "smoothing over time: array_apply with neighbours",
    lambda: cube.apply_dimension(dimension="t", process=lambda d: d.array_apply(lambda x: x * 2)).download(
        OUT / "aa.nc"
    ),
)
step("apply(process name)", lambda: opened((ndvi.apply("absolute").download(OUT / "abs.nc"), OUT / "abs.nc")[1]))
step("count_time", lambda: opened((masked.count_time().download(OUT / "ct.nc"), OUT / "ct.nc")[1]))
step(
    "mask with replacement",
    lambda: opened((ndvi.mask(scl == 9, replacement=-1).download(OUT / "mrp.nc"), OUT / "mrp.nc")[1]),
)
step(
    "first valid of month composite",
    lambda: opened((cube.aggregate_temporal_period("month", "first").download(OUT / "fm.nc"), OUT / "fm.nc")[1]),
)
step(
    "evi by formula",
    lambda: opened(
        ((2.5 * (nir - red) / (nir + 6 * red - 7.5 * red + 1)).max_time().download(OUT / "evi.nc"), OUT / "evi.nc")[1]
    ),
)
step(
    "spectral indices module",
    lambda: __import__("openeo.extra.spectral_indices", fromlist=["x"])
    .compute_indices(cube.filter_bands(["B04", "B08"]), ["NDVI"], platform="SENTINEL2")
    .download(OUT / "si.nc"),
)
step(
    "two collections on two grids",
    lambda: cube.band("B04")
    .max_time()
    .merge_cubes(
        c.load_collection("CGLS_SSM_1KM", temporal_extent=["2020-01-01", "2020-02-01"], bands=["B01"]).max_time()
    )
    .download(OUT / "tc.nc"),
)
step(
    "filter_labels",
    lambda: cube.filter_labels(lambda x: x.text_begins("B0"), dimension="bands").download(OUT / "fl.nc"),
)
step(
    "array_append",
    lambda: cube.filter_bands(["B04", "B08"])
    .apply_dimension(dimension="bands", process=lambda d: d.array_append(d[0] + d[1]))
    .download(OUT / "aap.nc"),
)
step("load_geojson", lambda: c.load_geojson(POLYGON).download(OUT / "lg.json"))
step("chunk by polygon", lambda: cube.apply_polygon(POLYGON, process=lambda d: d.mean()).download(OUT / "cp.nc"))
step(
    "filter by property",
    lambda: c.load_collection(
        "SENTINEL2_L2A",
        spatial_extent=BOX,
        temporal_extent=["2022-06-01", "2022-07-01"],
        bands=["B04"],
        properties={"datetime": lambda v: v.text_begins("2022-06-02")},
    ).download(OUT / "fp.nc"),
)
step("inspect", lambda: cube.process("inspect", data=cube, message="hello").download(OUT / "ins.nc"))
step("parameterised UDP graph", lambda: len(openeo.api.process.Parameter.raster_cube().to_dict()))

job = step(
    "create_job", lambda: ndvi.max_time().create_job(title="NDVI", description="the first hour", out_format="GTiff")
)
step("job html", lambda: len(job._repr_html_()))
step("job.describe", lambda: {k: v for k, v in job.describe().items() if k != "process"})
step("job.status", job.status)
step("job.estimate", job.estimate)
step("job.logs before start", job.logs)
step("results before start", lambda: job.get_results().get_metadata())
step("start_and_wait", lambda: job.start_and_wait(max_poll_interval=1, connection_retry_interval=1).status())
step("job.logs", lambda: [(e["level"], e["message"]) for e in job.logs()])
step("job.logs html", lambda: len(job.logs()._repr_html_()))
step("job.logs level", lambda: len(job.logs(level="ERROR")))
results = step("get_results", job.get_results)
step("results html", lambda: len(results._repr_html_()))
step("assets", lambda: [(a.name, a.metadata["type"], a.metadata.get("roles")) for a in results.get_assets()])
step("download_files", lambda: results.download_files(OUT / "job"))
step("download_file", lambda: results.download_file(OUT / "one.tif"))
step("metadata", lambda: list(results.get_metadata()))
step("asset load_bytes", lambda: len(results.get_assets()[0].load_bytes()))
step("pystac collection", lambda: __import__("pystac").Collection.from_dict(results.get_metadata()).to_dict()["extent"])
step(
    "pystac assets/ext",
    lambda: [
        (k, a.media_type, a.ext.proj.epsg if a.ext.has("proj") else None)
        for k, a in __import__("pystac").Collection.from_dict(results.get_metadata()).assets.items()
    ],
)
step(
    "load_stac of own result",
    lambda: c.load_stac([l["href"] for l in results.get_metadata()["links"] if l["rel"] == "canonical"][0]).download(
        OUT / "st.tif"
    ),
)
step("result_url", lambda: job.get_results_metadata_url(full=True))
step(
    "export_path: signed canonical link",
    lambda: __import__("requests")
    .get([l["href"] for l in results.get_metadata()["links"] if l["rel"] == "canonical"][0])
    .status_code,
)
step(
    "execute_batch with file", lambda: cube.execute_batch(OUT / "batch.nc", title="batch", out_format="netCDF").status()
)
step("batch file", lambda: opened(OUT / "batch.nc"))
step(
    "execute_batch prints",
    lambda: cube.max_time().execute_batch(OUT / "batch.tif", out_format="GTiff", print=print) and None,
)
step(
    "failing batch job",
    lambda: c.load_collection(
        "SENTINEL2_L2A",
        spatial_extent={"west": 0, "south": 0, "east": 1, "north": 1},
        temporal_extent=["2022-06-01", "2022-07-01"],
        bands=["B04"],
    ).execute_batch(OUT / "x.nc"),
)
step(
    "job_options",
    lambda: ndvi.max_time().create_job(title="o", job_options={"driver-memory": "1g"}).describe().get("job_options"),
)
step("job by id", lambda: c.job(job.job_id).status())
step("stop finished job", lambda: job.stop())
step("restart finished job", lambda: job.start())
step("delete job", lambda: job.delete())
step("deleted job", lambda: c.job(job.job_id).status())
step("user_jobs", lambda: [(j["id"], j["status"], j.get("title")) for j in c.list_jobs()][:2])
step("list_jobs limit", lambda: (len(c.list_jobs(limit=2)), [l.rel for l in c.list_jobs(limit=2).links]))
step("MultiBackendJobManager", lambda: manager())
step("save UDP", lambda: c.save_user_defined_process("my_ndvi", ndvi))
step("datacube_from_process UDP", lambda: c.datacube_from_process("my_ndvi").download(OUT / "udp.nc"))
step("load_disk/upload_file", lambda: c.upload_file(OUT / "m.json"))
step("create_service", lambda: ndvi.tiled_viewing_service(type="XYZ"))
step("load_result", lambda: c.load_result("x"))
step("collection id with slash", lambda: c.describe_collection("A/B"))
step("logs of a sync request", lambda: c.last_response if hasattr(c, "last_response") else "no API")
print(count)
