"""A host that gives netCDF files by DAP 2 (OPeNDAP), written after its specification (NASA ESE-RFC-004.1.1). That what
it sends is right is told by netCDF-C's own client of DAP, which reads it, too (test_opendap.py).

    with DapHost({"x.nc": path}) as host:
        host.url + "dodsC/x.nc"

host.asked has the constraints of all answers with values; host.spoil, where it is set, makes another answer of one.
"""

import re
import urllib.parse

import netCDF4
import numpy as np

from remote_host import RemoteHost

NAMES = {"u1": "Byte", "i1": "Byte", "i2": "Int16", "u2": "UInt16", "i4": "Int32", "u4": "UInt32", "f4": "Float32",
         "f8": "Float64"}


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Variable:
    def __init__(self, name, dimensions, values, attributes):
        self.name, self.dimensions, self.values, self.attributes = name, dimensions, values, attributes

    def declared(self, shape=None):
        shape = self.values.shape if shape is None else shape
        axes = "".join(f"[{name} = {size}]" for name, size in zip(self.dimensions, shape))
        return f"{self.kind()} {self.name}{axes};"

    def kind(self):
        return "String" if self.values.dtype.kind in "SUO" else NAMES[self.values.dtype.str[1:]]


def texts(values):
    return np.array(["".join(row) for row in values.astype(str).reshape(-1, values.shape[-1])]).reshape(
        values.shape[:-1])


def read(path):
    """Variables by name, values as they are stored; texts of characters are one text."""
    out = {}
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        for name, variable in file.variables.items():
            values = np.asarray(variable[...])
            is_text = values.dtype.kind == "S" and values.ndim > 0
            dimensions = variable.dimensions[:-1] if is_text else variable.dimensions
            out[name] = Variable(name, dimensions, texts(values) if is_text else values,
                                 {key: variable.getncattr(key) for key in variable.ncattrs()})
            if values.dtype == np.int8:
                out[name].attributes.setdefault("_Unsigned", "false")
        return out, {key: file.getncattr(key) for key in file.ncattrs()}


def attribute(key, value):
    if isinstance(value, str):
        return f"        String {key} {quoted(value)};"
    values = np.atleast_1d(value)
    numbers = ", ".join(repr(v.item()) if v.dtype != np.float32 else np.format_float_positional(v, trim="0")
                        for v in values.view(np.uint8 if values.dtype == np.int8 else values.dtype))
    return f"        {NAMES[values.dtype.str[1:]]} {key} {numbers};"


def xdr(values):
    if values.dtype.kind in "SUO":
        parts = [str(text).encode() for text in values.ravel()]
        body = b"".join(len(p).to_bytes(4, "big") + p + bytes(-len(p) % 4) for p in parts)
        return (len(parts).to_bytes(4, "big") if values.ndim else b"") + body
    count = values.size.to_bytes(4, "big") * 2 if values.ndim else b""
    if values.dtype.itemsize == 1:
        return count + (values.tobytes() + bytes(-values.size % 4) if values.ndim else bytes(3) + values.tobytes())
    sent = {"i2": ">i4", "u2": ">u4"}.get(values.dtype.str[1:], ">" + values.dtype.str[1:])
    return count + values.astype(sent).tobytes()


class DapHost(RemoteHost):
    def __init__(self, paths, grids=False, validator="date", **options):
        super().__init__(validator=validator, **options)
        self.asked, self.grids, self.spoil = [], grids, None
        for name, path in paths.items():
            self.publish(name, path)

    def publish(self, name, path):
        variables, about = read(path)
        place = "dodsC/" + name
        self.pages[place + ".dds"] = lambda query: (None, self.described(variables, query).encode())
        self.pages[place + ".das"] = lambda _: (None, self.attributes(variables, about).encode())
        self.pages[place + ".dods"] = lambda query: self.values(variables, query)

    def is_grid(self, variable, variables):
        return self.grids and len(variable.dimensions) > 1 and all(d in variables for d in variable.dimensions)

    def described(self, variables, query=""):
        lines = []
        if query:
            return self.selected(variables, query)[0]
        for v in variables.values():
            if self.is_grid(v, variables):
                maps = "\n".join("      " + variables[d].declared() for d in v.dimensions)
                lines.append(f"  Grid {{\n    ARRAY:\n      {v.declared()}\n    MAPS:\n{maps}\n  }} {v.name};")
            else:
                lines.append("    " + v.declared())
        return "Dataset {\n" + "\n".join(lines) + "\n} d%2fx;\n"

    def attributes(self, variables, about):
        parts = [(v.name, v.attributes) for v in variables.values()] + [("NC_GLOBAL", about)]
        return "Attributes {\n" + "".join(
            f"    {name} {{\n" + "".join(attribute(k, v) + "\n" for k, v in own.items()) + "    }\n"
            for name, own in parts) + "}\n"

    def selected(self, variables, query):
        """Declarations and values of a constraint: names with ranges, [first:step:last] with the last included."""
        lines, values = [], []
        for one in urllib.parse.unquote(query).split(","):
            path, ranges = re.fullmatch(r"([^\[]+)((?:\[[0-9:]+\])*)", one).groups()
            name = path.rpartition(".")[2]
            v = variables[name]
            numbers = [[int(n) for n in part.split(":")] for part in re.findall(r"\[([0-9:]+)\]", ranges)]
            spans = tuple(slice(n[0], n[-1] + 1, n[1] if len(n) == 3 else 1) for n in numbers)
            if any(s.stop > size for s, size in zip(spans, v.values.shape)):
                raise IndexError(one)
            part = v.values[spans] if spans else v.values
            line = v.declared(part.shape)
            lines.append(f"Structure {{\n{line}\n}} {name};" if "." in path else line)
            values.append(xdr(part))
        return "Dataset {\n" + "\n".join(lines) + "\n} d%2fx;\n", b"".join(values)

    def values(self, variables, query):
        try:
            head, body = self.selected(variables, query)
        except IndexError as error:
            return 200, f'Error {{\n code = 500;\n message = "no such range: {error}";\n}};\n'.encode()
        with self.lock:
            self.asked.append(urllib.parse.unquote(query))
        answer = head.encode() + b"\nData:\n" + body
        return None, self.spoil(answer) if self.spoil else answer
