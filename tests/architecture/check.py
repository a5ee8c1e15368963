#!/usr/bin/env python3
"""The house as its map says: who may include whom, which library where, what nobody calls, three files a process, one
name for one thing.

    python3 tests/architecture/check.py [ROOT]

Prints each finding as FILE:LINE and a reason; exit status 1 where there is one. Only the standard library is needed.
"""

import json
import pathlib
import re
import sys
from collections import defaultdict

# The arrows: a room and the rooms whose headers it may include, beside its own.
ARROWS = {
    "datacube": set(),
    "hpc": {"datacube"},
    "stac": {"datacube"},
    "physics": {"hpc", "datacube"},
    "processes": {"hpc", "stac", "physics", "datacube"},
    "server": {"processes", "stac", "hpc", "datacube"},
}
OPEN = ("tests", "conformance")  # may use every room; no room uses them

# Third-party headers, and the folders outside of which they must not be named.
LIBRARIES = [
    ("GDAL or PROJ", r"(gdal/)?(gdal|ogr_|cpl_|vrt)[a-z_]*\.h|(gdal/)?ogr[a-z_]*\.h|proj(_[a-z]+)?\.h|geos_c\.h",
     ("datacube",)),
    ("netCDF, HDF5 or eccodes", r"netcdf[a-z_]*\.h|(hdf5/.*|hdf5|H5[A-Za-z]*)\.h|eccodes\.h", ("datacube",)),
    ("a codec", r"(libdeflate|zstd|blosc)\.h", ("datacube",)),
    ("jansson", r"jansson\.h", ("processes/graph", "stac", "server")),
    ("SQLite", r"sqlite3\.h", ("stac", "server/store")),
    ("libpq", r"libpq-fe\.h", ("stac/shared", "server/store")),
    ("libmicrohttpd", r"microhttpd\.h", ("server",)),
    ("libsodium", r"sodium(/.*)?\.h", ("server",)),
    ("libcurl", r"curl/curl\.h", ("server",)),
    ("expat", r"expat\.h", ("server",)),
    ("GnuTLS", r"gnutls/[a-z0-9]+\.h", ("server",)),
    ("OpenSSL", r"openssl/[a-z_0-9]+\.h", ("server",)),
    ("OpenMP", r"omp\.h", ("hpc", "physics")),
    ("MPI", r"mpi\.h", ("hpc", "physics")),
    ("CUDA", r"(cuda|nvrtc|cublas|cufft|curand)[a-z_]*\.h", ("hpc", "physics")),
    ("BLAS or FFT", r"(cblas|lapacke|fftw3)\.h", ("hpc", "physics")),
]

BANNED = ("sprintf", "vsprintf", "strcpy", "strcat", "strtok", "atoi", "atol", "atof", "sscanf", "localtime", "gmtime",
          "system", "gets", "rand", "srand", "alloca")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CALL = re.compile(r"(?<![A-Za-z0-9_.>])(" + "|".join(BANNED) + r")\s*\(")
LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_LINE = 800, 100, 120

EACH_ITS_OWN = {"struct source_reader"}  # declared once as an opaque type that every driver completes
STRUCT = re.compile(r"^\s*(?:typedef\s+)?(struct|union|enum)\s+([a-z_][a-z0-9_]*)\s*\{")


def sources(root):
    for room in (*ARROWS, *OPEN):
        for path in sorted((root / room).rglob("*")):
            if path.suffix in (".c", ".h", ".inc", ".def", ".cu") and path.is_file():
                yield room, path


def without_text(source):
    """The same lines, with comments and the content of strings blanked."""
    return LITERAL.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), source)


def within(relative, folders):
    return any(relative.startswith(folder + "/") for folder in folders)


def check_includes(room, relative, lines):
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quoted, header = found.group(1) == '"', found.group(2)
        target = header.split("/")[0]
        if quoted and target == "..":
            yield number, f'"{header}": includes are written from the root of the repository'
        if room in ARROWS and target != room and target in (*ARROWS, *OPEN) and target not in ARROWS[room]:
            yield number, f"{room} may not include {header}: there is no arrow from {room} to {target}"
        for library, pattern, folders in LIBRARIES:
            if room in ARROWS and re.fullmatch(pattern, header) and not within(relative, folders):
                yield number, f"<{header}>: {library} belongs in {', '.join(folders)}"


def check_openmp(room, relative, lines):
    for number, line in enumerate(lines, 1):
        if room in ARROWS and re.match(r"\s*#\s*pragma\s+omp\b(?!\s+simd)", line) and not within(relative,
                                                                                                 ("hpc", "physics")):
            yield number, "OpenMP belongs in hpc, physics"


def check_calls(text):
    for number, line in enumerate(text.splitlines(), 1):
        for found in CALL.finditer(line):
            yield number, f"{found.group(1)}() is banned"


def check_sizes(lines):
    if len(lines) > LONGEST_FILE:
        yield 1, f"{len(lines)} lines; {LONGEST_FILE} is the most"
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            if number - start > LONGEST_FUNCTION:
                yield start, f"a function of {number - start} lines; {LONGEST_FUNCTION} is the most"
            start = None


def check_lines(lines):
    for number, line in enumerate(lines, 1):
        if len(line.encode()) > LONGEST_LINE:
            yield number, f"{len(line.encode())} bytes; {LONGEST_LINE} is the most (.clang-format)"


def check_scripts(root):
    """Lines of what is no C: the build, scripts and tests."""
    scripts = [path for room in (*ARROWS, *OPEN) for path in (root / room).rglob("*")
               if path.is_file() and (path.suffix in (".py", ".sh", ".cmake") or path.name == "run")]
    for path in (root / "CMakeLists.txt", *sorted(scripts)):
        for number, reason in check_lines(path.read_text("utf-8").splitlines()):
            yield path, f"line {number}: {reason}"


def check_names(root):
    """One name, one thing: no two files of one name, no two structs of one name, in any of the rooms."""
    files, structs = defaultdict(list), defaultdict(list)
    for room, path in sources(root):
        if room in OPEN:
            continue
        relative = path.relative_to(root).as_posix()
        if path.suffix in (".c", ".h"):
            files[path.name].append(relative)
        for number, line in enumerate(without_text(path.read_text("utf-8")).splitlines(), 1):
            found = STRUCT.match(line)
            if found:
                structs[" ".join(found.groups())].append(f"{relative}:{number}")
    for name, places in files.items():
        if len(places) > 1:
            yield places[0], f"files of one name: {', '.join(places)}"
    for name, places in structs.items():
        if len(places) > 1 and name not in EACH_ITS_OWN:
            yield places[0], f"{name} is defined in {', '.join(places)}"


def check_marks(lines):
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, "an unfinished place is named in an issue, not in the code"


def check_processes(root):
    for spec in sorted((root / "processes").rglob("*.json")):
        if spec.name.endswith(".test.json"):
            if not spec.with_name(spec.name.replace(".test.json", ".json")).exists():
                yield spec, "a test without a specification beside it"
            continue
        document = json.loads(spec.read_text("utf-8"))
        if document.get("id") != spec.stem:
            yield spec, f"specifies {document.get('id')!r}"
        if not spec.with_name(spec.stem + ".test.json").exists():
            yield spec, f"no {spec.stem}.test.json beside it"
        elif not json.loads(spec.with_name(spec.stem + ".test.json").read_text("utf-8")).get("tests"):
            yield spec, f"{spec.stem}.test.json has no test"
        if not spec.with_suffix(".c").exists() and "process_graph" not in document:
            yield spec, f"neither {spec.stem}.c beside it nor a process_graph in it"


def check_links(root):
    """The link lines of CMakeLists.txt are the same diagram."""
    text = (root / "CMakeLists.txt").read_text("utf-8")
    for found in re.finditer(r"target_link_libraries\((\w+)([^)]*)\)", text):
        room = found.group(1)
        if room in ARROWS:
            for target in set(re.findall(r"\b\w+\b", found.group(2))) & set(ARROWS) - ARROWS[room] - {room}:
                yield root / "CMakeLists.txt", f"{room} may not link {target}"


TOP_LEVEL = {"CMakeLists.txt", "README.md", "LICENSE", "conformance", "tests", *ARROWS}


def check_top_level(root):
    """What is kept there is in the map; what begins with a dot, and what building leaves, does not count."""
    for path in sorted(root.iterdir()):
        if path.name not in TOP_LEVEL and path.name[0] != "." and not path.name.startswith("build"):
            yield path, "nothing else lies at the top level"


def findings(root):
    for room, path in sources(root):
        relative = path.relative_to(root).as_posix()
        source = path.read_text("utf-8")
        lines = source.splitlines()
        for check in (check_includes(room, relative, lines), check_openmp(room, relative, lines),
                      check_calls(without_text(source)), check_sizes(lines), check_lines(lines), check_marks(lines)):
            for number, reason in check:
                yield f"{relative}:{number}: {reason}"
    for path, reason in (*check_top_level(root), *check_scripts(root), *check_processes(root), *check_links(root)):
        yield f"{path.relative_to(root).as_posix()}: {reason}"
    for place, reason in check_names(root):
        yield f"{place}: {reason}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
    found = list(findings(root))
    print(*found, sep="\n", end="\n" if found else "")
    count = sum(1 for _ in sources(root))
    if count == 0:
        print(f"no sources below {root}")
        return 1
    print(f"{count} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
