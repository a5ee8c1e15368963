"""The check of the house finds nothing in it, and finds what is planted in a house that breaks each rule once."""

import json
import pathlib

import check

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_house_is_as_its_map_says():
    assert list(check.findings(ROOT)) == []
    assert sum(1 for _ in check.sources(ROOT)) > 100


def house(folder, files):
    for name, text in {"CMakeLists.txt": "", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(check.findings(folder))


def test_a_sound_house_has_no_findings(tmp_path):
    assert house(tmp_path, {
        "datacube/a.c": '#include "datacube/a.h"\n#include <gdal.h>\n'
                        '/* sprintf( is not called */\nchar *s = "rand(";\n',
        "datacube/a.h": "", "hpc/b.c": '#include "datacube/a.h"\n#include <omp.h>\n',
        "tests/t.c": '#include "server/s.h"\n',
        "server/s.c": '#include "processes/p.h"\n#include "stac/c.h"\n'
                        '#include <microhttpd.h>\nint x = snprintf(0, 0, "");\n',
        "processes/math/one.json": json.dumps({"id": "one"}), "processes/math/one.c": "",
        "processes/math/one.test.json": json.dumps({"tests": [{}]}),
        "processes/math/two.json": json.dumps({"id": "two", "process_graph": {}}),
        "processes/math/two.test.json": json.dumps({"tests": [{}]}),
    }) == []


def test_each_breach_is_found(tmp_path):
    breaches = {
        "datacube/to_hpc.c": '#include "hpc/plan.h"\n',
        "datacube/test.c": '#include "tests/help.h"\n',
        "hpc/up.h": '# include "processes/process.h"\n',
        "stac/to_processes.c": '#include "processes/process.h"\n',
        "physics/to_stac.c": '#include "stac/catalogue.h"\n',
        "processes/to_server.c": '#include "server/store.h"\n',
        "server/down.c": '#include "physics/lattice.h"\n',
        "server/relative.c": '#include "../datacube/cube.h"\n',
        "stac/gdal.c": "#include <gdal.h>\n",
        "stac/ogr.c": "#include <ogr_srs_api.h>\n",
        "hpc/netcdf.c": "#include <netcdf.h>\n",
        "processes/math/json.c": "#include <jansson.h>\n",
        "processes/sqlite.c": "#include <sqlite3.h>\n",
        "datacube/omp.c": "#include <omp.h>\n",
        "datacube/pragma.c": "#pragma omp parallel for\n",
        "hpc/call.c": "int f(void)\n{\n  return rand();\n}\n",
        "README.md.orig": "",
        "hpc/mark.c": "/* " + "TO" + "DO later */\n",
        "hpc/long.c": "\n" * 801,
        "tests/wide.py": "a" * 121 + "\n",
        "hpc/wide.def": "KOP(" + "a" * 117 + ")\n",
        "hpc/double/one.h": "struct twin {\n  int a;\n};\n",
        "hpc/double/name.c": "",
        "hpc/function.c": "int f(void)\n{\n" + "  g();\n" * 100 + "}\n",
        "processes/math/untested.json": json.dumps({"id": "untested", "process_graph": {}}),
        "processes/math/bodiless.json": json.dumps({"id": "bodiless"}),
        "processes/math/empty.json": json.dumps({"id": "empty", "process_graph": {}}),
        "processes/math/misnamed.json": json.dumps({"id": "other", "process_graph": {}}),
        "processes/math/orphan.test.json": json.dumps({"tests": [{}]}),
    }
    beside = {
        "stac/other.c": "struct twin {\n  int b;\n};\n",
        "stac/name.c": "/* struct twin {\n*/\n",
        "processes/math/bodiless.test.json": json.dumps({"tests": [{}]}),
        "processes/math/empty.test.json": json.dumps({"tests": []}),
        "processes/math/misnamed.test.json": json.dumps({"tests": [{}]}),
    }
    found = house(tmp_path, {**breaches, **beside})
    assert sorted(line.split(":")[0] for line in found) == sorted(breaches)


def test_a_link_against_the_arrows_is_found(tmp_path):
    found = house(tmp_path, {"CMakeLists.txt": "target_link_libraries(datacube PRIVATE Threads::Threads\n  hpc m)\n"
                                               "target_link_libraries(hpc PUBLIC datacube)\n"})
    assert found == ["CMakeLists.txt: datacube may not link hpc"]
