"""Runs the functions of users' scripts, in a process of its own that hpc/udf/interpreters.c talks to.

Started as python3 -I -c RUNNER FILTER, with a socket as descriptor 3 and memory that both sides have mapped as
descriptor 4. FILTER is the last filter of calls of the system, in hexadecimal digits ("": none): with it no program can
be started any more, which had to be possible until now.

Frames in both directions: kind and size as two 32-bit numbers, and so many bytes.
  SCRIPT  JSON {"source", "context"}: what the next calls are about
  CALL    JSON {"input", "want", "offset"} or {"value"}: the input cube lies at the start of the memory; the result goes
          to `offset`, and must be what `want` describes where that is given
  RESULT  texts, each with a NUL at its end: a description, see describe(); or "value" and JSON
  FAILED  texts: message, traceback
  LOG     level and message
  READY   once, at the start
Elements are dense, the last dimension fastest. Missing values of floats are NaN.
"""
import copy
import ctypes
import inspect
import io
import json
import linecache
import logging
import math
import mmap
import os
import struct
import sys
import traceback

CONTROL, MEMORY = 3, 4
SCRIPT, CALL, RESULT, FAILED, LOG, READY = range(1, 7)
LOG_BYTES, LOG_LINE, TRACE_BYTES = 64 * 1024, 4000, 16 * 1024
NAME = "<udf>"
FLOATS = {"float16": "float32"}
NUMBERS = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "complex64",
           "complex128", "bool"}


class Refused(Exception):
    """The script gives something that cannot be taken: a message for its author."""


# ---- talking ----------------------------------------------------------------------------------------------------


class Talk:
    def __init__(self):
        self.logged = 0

    def read(self, size):
        parts = bytearray()
        while len(parts) < size:
            part = os.read(CONTROL, size - len(parts))
            if not part:
                os._exit(0)
            parts += part
        return bytes(parts)

    def receive(self):
        kind, size = struct.unpack("=II", self.read(8))
        return kind, json.loads(self.read(size))

    def send(self, kind, *texts):
        body = b"".join(str(text).encode("utf-8", "replace").replace(b"\0", b"?") + b"\0" for text in texts)
        rest = memoryview(struct.pack("=II", kind, len(body)) + body)
        while rest:
            rest = rest[os.write(CONTROL, rest):]

    def log(self, level, text):
        """A line for the log, as long as there is room for this call."""
        text = text[:LOG_LINE]
        if not text.strip() or self.logged > LOG_BYTES:
            return
        self.logged += len(text) + 32
        if self.logged > LOG_BYTES:
            level, text = "warning", "the script says more than the log has room for: the rest is left out"
        self.send(LOG, level, text)


class Printed(io.TextIOBase):
    """What the script prints, line by line."""

    def __init__(self, talk, level):
        self.talk, self.level, self.line = talk, level, ""

    def writable(self):
        return True

    def write(self, text):
        first, *rest = text.split("\n") if len(text) < 2 * LOG_BYTES else [text[:LOG_LINE], ""]
        self.line = (self.line + first)[:LOG_LINE]
        for line in rest:
            self.talk.log(self.level, self.line)
            self.line = line[:LOG_LINE]
        return len(text)

    def end(self):
        self.talk.log(self.level, self.line)
        self.line = ""


class Handler(logging.Handler):
    """What goes through the module logging, openeo.udf.inspect among it."""

    def __init__(self, talk):
        super().__init__(logging.INFO)
        self.talk = talk

    def emit(self, record):
        level = "error" if record.levelno >= 40 else "warning" if record.levelno >= 30 else "info"
        data = getattr(record, "data", None)
        self.talk.log(level, record.getMessage() + ("" if data is None else f" {data!r}"))


# ---- scripts ----------------------------------------------------------------------------------------------------


def load(source):
    """The script's names after it was run once; a script keeps its state from call to call."""
    import numpy
    import pandas
    import xarray

    linecache.cache[NAME] = (len(source), None, source.splitlines(True), NAME)
    names = {"__name__": "udf", "__builtins__": __builtins__, "math": math, "numpy": numpy, "np": numpy,
             "pandas": pandas, "pd": pandas, "xarray": xarray, "xr": xarray}
    exec(compile(source, NAME, "exec"), names)
    return names


def annotation(function, name):
    """The text of a parameter's type, "" where it has none."""
    parameter = inspect.signature(function).parameters.get(name)
    kind = parameter.annotation if parameter else inspect.Parameter.empty
    if kind is inspect.Parameter.empty:
        return ""
    return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))


def first_parameter(function):
    return next(iter(inspect.signature(function).parameters), "")


def find(names):
    """What is to be called: the name of its kind, and the function."""
    for name in ("apply_vectorcube", "apply_datacube", "apply_hypercube", "apply_timeseries", "apply_udf_data",
                 "transform"):
        if callable(names.get(name)):
            return name, names[name]
    for function in names.values():
        if inspect.isfunction(function) and function.__code__.co_filename == NAME:
            first = first_parameter(function)
            if first and annotation(function, first).endswith("UdfData"):
                return "apply_udf_data", function
    raise Refused("the script defines none of apply_datacube(cube, context), apply_timeseries(series, context), "
                  "apply_vectorcube(geometries, cube, context) and apply_udf_data(data)")


def call(function, *arguments, context):
    """What the function returns; the context is its own, and no other call sees what becomes of it."""
    context = copy.deepcopy(context)
    parameters = inspect.signature(function).parameters
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    if "context" in parameters or takes_any:
        return function(*arguments, context=context)
    if len(parameters) > len(arguments):
        return function(*arguments, context)
    return function(*arguments)


def apply_timeseries(function, array, context):
    """The function for the series of each position; dates are the index."""
    import numpy
    import pandas

    time = next((d for d in array.dims if numpy.issubdtype(array[d].dtype, numpy.datetime64)), None)
    time = time or next((d for d in array.dims if d in ("t", "time")), None)
    if time is None:
        raise Refused(f"apply_timeseries needs a dimension of time, and there are {', '.join(array.dims) or 'none'}")
    moved = array.transpose(..., time)
    index = pandas.Index(moved[time].values)
    rows = moved.values.reshape(-1, len(index))
    results = []
    for row in rows:
        result = numpy.asarray(call(function, pandas.Series(row, index=index), context=context))
        if result.shape != row.shape:
            raise Refused(f"apply_timeseries returns {result.shape} values for a series of {row.shape[0]}")
        results.append(result)
    values = numpy.asarray(results).reshape(moved.shape) if results else moved.values
    return moved.copy(data=values).transpose(*array.dims)


def openeo_udf():
    """The module of the Python client, which scripts of its older forms need."""
    try:
        import openeo.udf

        return openeo.udf
    except ImportError:
        raise Refused("such a script needs the module openeo, which this interpreter lacks") from None


def apply_udf_data(function, data, context, is_cube):
    openeo = openeo_udf()

    cubes = [openeo.XarrayDataCube(data)] if is_cube else None
    structured = None if is_cube else [openeo.StructuredData(data)]
    udf_data = openeo.UdfData(datacube_list=cubes, structured_data_list=structured, user_context=copy.deepcopy(context))
    returned = function(udf_data)
    udf_data = returned if isinstance(returned, openeo.UdfData) else udf_data
    if udf_data.get_structured_data_list():
        values = [item.data for item in udf_data.get_structured_data_list()]
        return Plain(values[0] if len(values) == 1 else values)
    cubes = udf_data.get_datacube_list() or []
    if len(cubes) != 1:
        raise Refused(f"apply_udf_data leaves {len(cubes)} data cubes, not one")
    return cubes[0]


def apply_vectorcube(function, array, context):
    import geopandas
    import shapely

    name = next((d for d in array.dims if array.attrs.get("geometries") == d), None)
    if name is None:
        raise Refused("apply_vectorcube needs a data cube with a dimension of geometries")
    frame = geopandas.GeoDataFrame(geometry=shapely.from_wkt(array.attrs["wkt"]), crs=array.attrs.get("crs"))
    geometries, cube = call(function, frame.copy(), array, context=context)
    check_geometries(geometries, frame)
    return cube


def check_geometries(given, frame):
    """The cube keeps its geometries: what a script makes of them would be lost."""
    more = [str(name) for name in getattr(given, "columns", []) if name not in frame.columns]
    if more:
        raise Refused(f"apply_vectorcube returns geometries with {', '.join(more)}: values belong in the cube")
    given = getattr(given, "geometry", given)
    if len(given) != len(frame):
        raise Refused(f"apply_vectorcube returns {len(given)} geometries for {len(frame)}")
    crs = getattr(given, "crs", None)
    if crs is not None and crs != frame.crs:
        raise Refused(f"apply_vectorcube returns geometries in {crs}, not in {frame.crs}")
    changed = [i for i, (old, new) in enumerate(zip(frame.geometry, given)) if old != new]
    if changed:
        raise Refused(f"apply_vectorcube must return the geometries as they are, and changes {len(changed)} of "
                      f"{len(frame)}, the first at index {changed[0]}")


class Plain:
    """A result that is no cube."""

    def __init__(self, value):
        self.value = value


def run(names, data, context, is_cube=True):
    """A DataArray, or Plain."""
    import xarray

    kind, function = find(names)
    if kind in ("apply_udf_data", "transform"):
        result = apply_udf_data(function, data, context, is_cube)
    else:
        array = data if is_cube else plain_array(data)
        if kind == "apply_timeseries":
            result = apply_timeseries(function, array, context)
        elif kind == "apply_vectorcube":
            result = apply_vectorcube(function, array, context)
        elif annotation(function, first_parameter(function)).endswith(("XarrayDataCube", "datacube.DataCube")):
            result = call(function, openeo_udf().XarrayDataCube(array), context=context)
        else:
            result = call(function, array, context=context)
    if hasattr(result, "get_array"):
        result = result.get_array()
    if isinstance(result, (xarray.DataArray, Plain)):
        return result
    return as_array(result, data if is_cube else None)


def plain_array(value):
    import numpy
    import xarray

    values = numpy.asarray(value)
    if values.dtype.kind not in "biuf":
        raise Refused("a value that holds anything but numbers goes to apply_udf_data(data) only")
    return xarray.DataArray(values)


def as_array(result, data):
    import numpy
    import xarray

    if result is None:
        raise Refused("the script's function returns nothing")
    if isinstance(result, xarray.Dataset):
        raise Refused("the script's function returns an xarray.Dataset, not a DataArray: to_array() makes one of it")
    if data is None or isinstance(result, (bool, int, float, str, list, dict, numpy.generic)):
        return Plain(result)
    values = numpy.asarray(result)
    if values.shape != data.shape:
        raise Refused(f"the script's function returns {type(result).__name__} of shape {values.shape} without names of "
                      f"dimensions, where the data have the shape {data.shape}: return an xarray.DataArray")
    return data.copy(data=values)


# ---- cubes ------------------------------------------------------------------------------------------------------


def times(labels):
    """Dates as xarray takes them; as texts where they lie outside its years, or are no dates."""
    import numpy

    try:
        values = numpy.array([label.removesuffix("Z") for label in labels], dtype="datetime64[s]")
        years = values.astype("datetime64[Y]").astype(int) + 1970
        if len(years) and (years.min() < 1678 or years.max() > 2261):
            raise ValueError
        return numpy.array([label.removesuffix("Z") for label in labels], dtype="datetime64[ns]")
    except ValueError:
        return numpy.array(labels, dtype=object)


def coordinates(dim):
    import numpy

    if dim["kind"] == "step":
        return dim["start"] + dim["step"] * numpy.arange(dim["size"])
    return times(dim["labels"]) if dim["kind"] == "time" else numpy.array(dim["labels"])


def make_cube(view, memory):
    """The cube that was written into the memory, as a copy that is the script's own."""
    import numpy
    import xarray

    shape = [dim["size"] for dim in view["dims"]]
    count = int(numpy.prod(shape, dtype=numpy.int64))
    values = numpy.frombuffer(memory, dtype=view["type"], count=count, offset=0).reshape(shape).copy()
    coords = {dim["name"]: coordinates(dim) for dim in view["dims"]}
    array = xarray.DataArray(values, dims=[dim["name"] for dim in view["dims"]], coords=coords)
    for dim in view["dims"]:
        if "wkt" in dim:
            array.attrs.update(geometries=dim["name"], wkt=dim["wkt"])
    if view.get("crs"):
        array.attrs["crs"] = view["crs"]
    return array


def same_labels(array, dim):
    """Whether a dimension of the array has the labels of a description, or none of its own."""
    import numpy

    if array.sizes[dim["name"]] != dim["size"]:
        return False
    if dim["name"] not in array.coords or dim["kind"] == "any":
        return True
    wanted, given = coordinates(dim), array[dim["name"]].values
    if given.dtype.kind in "iuf" and wanted.dtype.kind in "iuf":
        return bool(numpy.allclose(given, wanted, rtol=1e-9, atol=1e-9 * abs(dim.get("step", 0))))
    return bool(numpy.array_equal(given.astype(wanted.dtype) if given.dtype.kind == "M" else given, wanted))


def tell(dims):
    return ", ".join(f"{name} ({size})" for name, size in dims) or "no dimensions"


def numbers(array):
    """Its values in a type that can be taken."""
    import numpy

    values = array.values
    if values.dtype == object:
        try:
            values = values.astype("float64")
        except (TypeError, ValueError):
            pass
    kind = FLOATS.get(values.dtype.name, values.dtype.name)
    if kind not in NUMBERS:
        raise Refused(f"the result has elements of type {values.dtype}, which are no numbers")
    return numpy.asarray(values, dtype=kind)


def put(values, view, memory):
    import numpy

    if view["offset"] + values.nbytes > len(memory):
        raise Refused(f"the result has {values.nbytes} bytes, more than there is room for")
    target = numpy.frombuffer(memory, dtype=values.dtype, count=values.size, offset=view["offset"])
    target[:] = values.reshape(-1)


def deliver(array, view, memory):
    """Writes a result that must be what was declared."""
    import numpy

    want, dims = view["want"], view["want"]["dims"]
    names = [dim["name"] for dim in dims]
    if set(array.dims) != set(names) or any(array.sizes[d["name"]] != d["size"] for d in dims):
        raise Refused(f"the result must have the dimensions {tell([(d['name'], d['size']) for d in dims])}, and has "
                      f"{tell(zip(array.dims, array.shape))}")
    for dim in dims:
        if not same_labels(array, dim):
            raise Refused(f"the result must have other labels along '{dim['name']}' than it has")
    values = numbers(array.transpose(*names))
    wanted = numpy.dtype(want["type"])
    if not numpy.can_cast(values.dtype, wanted, "safe"):
        raise Refused(f"the result must have elements of type {wanted}, and has {values.dtype}")
    put(values.astype(wanted, copy=False), view, memory)


def describe(array, dims):
    """type, number of dimensions, and of each: name, kind of labels, size, labels. "same": those of the input."""
    import numpy

    texts = [numbers(array).dtype.name, len(array.dims)]
    known = {dim["name"]: dim for dim in dims}
    for name, size in zip(array.dims, array.shape):
        labels = array[name].values if name in array.coords else None
        if name in known and same_labels(array, known[name]):
            texts += [name, "same", size]
        elif labels is None:
            texts += [name, "none", size]
        elif labels.dtype.kind == "M":
            texts += [name, "time", size, *(str(label) for label in labels.astype("datetime64[ms]"))]
        elif labels.dtype.kind in "iuf":
            texts += [name, "number", size, *(repr(float(label)) for label in labels)]
        else:
            texts += [name, "text", size, *labels]
    return texts


def plain(value):
    """The value as JSON has it: numpy's numbers are numbers, NaN is null."""
    import numpy
    import xarray

    if isinstance(value, xarray.DataArray):
        value = value.values
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and math.isinf(value):
        raise Refused(f"the result holds {value}, which JSON has no word for")
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise Refused(f"the result holds {type(value).__name__}, which JSON has no word for")


# ---- apply_metadata ---------------------------------------------------------------------------------------------


def declared(names, view, context):
    """What the script's apply_metadata declares for the input's dimensions, as a description; None without one."""
    function = names.get("apply_metadata")
    if not callable(function):
        return None
    openeo_udf()
    from openeo.metadata import Band, BandDimension, CubeMetadata, Dimension, SpatialDimension, TemporalDimension

    dims = []
    for dim in view["dims"]:
        if dim["is"] == "bands":
            dims.append(BandDimension(dim["name"], [Band(str(label)) for label in dim["labels"]]))
        elif dim["is"] == "temporal":
            ends = [dim["labels"][0], dim["labels"][-1]] if dim["size"] else [None, None]
            dims.append(TemporalDimension(dim["name"], ends))
        elif dim["is"] == "spatial":
            dims.append(SpatialDimension(dim["name"], [], step=dim.get("step")))
        else:
            dims.append(Dimension(dim["name"], dim["is"]))
    result = call(function, CubeMetadata(dims), context=context)
    texts, known = [], {dim["name"]: dim for dim in view["dims"]}
    out = list(result._dimensions or [])
    for dim in out:
        bands = [str(band.name) for band in dim.bands] if isinstance(dim, BandDimension) else None
        old = known.get(dim.name)
        if bands is not None and not (old and old["labels"] == bands):
            texts += [dim.name, "text", len(bands), *bands]
        elif old:
            texts += [dim.name, "same", old["size"]]
        else:
            raise Refused(f"apply_metadata declares a dimension '{dim.name}' without saying its labels")
    return ["", len(out), *texts]


# ---- the loop ---------------------------------------------------------------------------------------------------


def failure(error):
    """The message, with the script's own line, and the traceback as far as it is the script's."""
    if isinstance(error, Refused):
        return str(error), ""
    if isinstance(error, SyntaxError) and error.filename == NAME:
        return f"line {error.lineno} of the script: SyntaxError: {error.msg}", f"{error.text or ''}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == NAME]
    place = f"line {frames[-1].lineno} of the script: " if frames else ""
    text = "".join(traceback.format_list(frames)) + "".join(traceback.format_exception_only(type(error), error))
    return f"{place}{type(error).__name__}: {error}"[:500], text[-TRACE_BYTES:]


class Runner:
    def __init__(self, talk, memory):
        self.talk, self.memory = talk, memory
        self.scripts, self.source, self.context = {}, "", {}

    def names(self):
        if self.source not in self.scripts:
            self.scripts[self.source] = load(self.source)
        return self.scripts[self.source]

    def answer(self, view):
        names = self.names()
        if "value" in view:
            result = run(names, view["value"], self.context, is_cube=False)
            return ["value", json.dumps(plain(result.value if isinstance(result, Plain) else result))]
        if view.get("declares"):
            return declared(names, view["input"], self.context) or ["nothing", 0]
        result = run(names, make_cube(view["input"], self.memory), self.context)
        if isinstance(result, Plain):
            if view["want"]:
                raise Refused("the script gives a value, and not a data cube")
            return ["value", json.dumps(plain(result.value))]
        if view["want"]:
            deliver(result, view, self.memory)
            return ["done", 0]
        return describe(result, view["input"]["dims"])

    def call(self, view):
        self.talk.logged = 0
        try:
            texts = self.answer(view)
        except BaseException as error:  # whatever the script does: SystemExit and KeyboardInterrupt as well
            self.end_lines()
            self.talk.send(FAILED, *failure(error))
            return
        self.end_lines()
        self.talk.send(RESULT, *texts)

    def end_lines(self):
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, Printed):
                stream.end()

    def serve(self):
        while True:
            kind, body = self.talk.receive()
            if kind == SCRIPT:
                self.source, self.context = body["source"], body["context"]
            elif kind == CALL:
                self.call(body)


def close_doors(text):
    """The last filter of calls of the system."""
    if not text:
        return
    code = bytes.fromhex(text)
    program = ctypes.create_string_buffer(code, len(code))

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]

    filters = Filter(len(code) // 8, ctypes.addressof(program))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(22, ctypes.c_ulong(2), ctypes.byref(filters), 0, 0) != 0:  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        os._exit(3)


def main():
    close_doors(sys.argv[1])
    import pandas  # noqa: F401  (what nearly every script needs, before anybody waits)
    import xarray  # noqa: F401

    talk = Talk()
    with mmap.mmap(MEMORY, 0) as memory:
        sys.stdout, sys.stderr = Printed(talk, "info"), Printed(talk, "info")
        logging.getLogger().addHandler(Handler(talk))
        logging.getLogger().setLevel(logging.INFO)
        talk.send(READY)
        Runner(talk, memory).serve()


main()
