"""Files of lattice gauge fields: what they say of themselves holds, formats agree, what is saved comes back bit by bit,
and damaged files are refused. Files are decoded here independently, with NumPy."""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest

from conftest import BINARY

SHARED = pathlib.Path(os.environ.get("TWINCUBE_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
FILES = SHARED / "data" / "lattice"
MILC = "milc_l4444_l4448_l8888/lat.sample."
NERSC = "nersc_l8t4/nersc.l8t4b3360"

needs_files = pytest.mark.skipif(not FILES.is_dir(), reason="the lattices are not there: $TWINCUBE_SHARED/data/lattice")


class Refused(Exception):
    pass


def run(folder, graph, out):
    (folder / "graph.json").write_text(json.dumps(graph))
    done = subprocess.run([BINARY, "run", folder / "graph.json", "--data", folder / "none", "--files", folder, "-o",
                           folder / out], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return folder / out


def node(process, /, **arguments):
    return {"process_id": process, "arguments": arguments}


def convert(folder, paths, source, target, out, *steps):
    """Loads files of the format `source`, takes steps (process, arguments), saves as `target`."""
    graph = {"n0": node("load_uploaded_files", paths=paths, format=source)}
    for i, (process, arguments) in enumerate((*steps, ("save_result", {"format": target}))):
        graph[f"n{i + 1}"] = node(process, data={"from_node": f"n{i}"}, **arguments)
    graph[f"n{len(steps) + 1}"]["result"] = True
    return run(folder, graph, out)


def measured(folder, paths, source, process, **arguments):
    result = convert(folder, paths, source, "JSON", "out.json", (process, arguments))
    return np.array(json.loads(result.read_text())["data"])


@pytest.fixture
def folder(tmp_path):
    for path in FILES.rglob("*"):
        if path.is_file():
            shutil.copy(path, tmp_path / ("-".join(path.relative_to(FILES).parts)))
    return tmp_path


def local(name):
    return name.replace("/", "-")


@needs_files
@pytest.mark.parametrize("name, form, expected", [
    ("chroma_nersc4/t_nersc.cfg", "NERSC", 0.0382422893),
    (NERSC, "NERSC", 0.5038664469),
    (MILC + "l8888", "MILC", (1.779002 + 1.782359) / 6),
    ("latticeqcdjl/confs_HMC_L04040404_beta5.7_quenched_su3/conf_00000100.ildg", "ILDG", 0.5682157501),
])
def test_plaquettes_are_those_stated(folder, name, form, expected):
    assert abs(measured(folder, [local(name)], form, "lft_plaquette")[0, 0] - expected) < 2e-7


@needs_files
def test_one_field_in_three_formats(folder):
    saved = [convert(folder, [local(MILC + name)], form, "openQCD", f"{i}.cnfg").read_bytes()
             for i, (name, form) in enumerate((("l4444", "MILC"), ("l4444.ildg", "ILDG"), ("l4444.scidac", "ILDG")))]
    assert saved[0] == saved[1] == saved[2]


@needs_files
def test_files_are_configurations(folder):
    names = [local(MILC + name) for name in ("l4444", "l4444")]
    values = measured(folder, names, "MILC", "lft_plaquette")
    assert values.shape == (2, 3) and (values[0] == values[1]).all()
    with pytest.raises(Refused, match="different shapes"):
        measured(folder, [names[0], local(MILC + "l8888")], "MILC", "lft_plaquette")


# ---- independent decoding: [t][z][y][x][mu = x, y, z, t][row][column]


def nersc_links(path):
    text, data = path.read_bytes().split(b"END_HEADER\n", 1)
    header = dict(line.split(" = ", 1) for line in text.decode().splitlines() if " = " in line)
    extent = [int(header[f"DIMENSION_{i}"]) for i in (4, 3, 2, 1)]
    kind = ">f4" if "32" in header["FLOATING_POINT"] else ">f8"
    assert int(np.frombuffer(data, ">u4").astype(np.uint64).sum() & 0xFFFFFFFF) == int(header["CHECKSUM"], 16)
    return np.frombuffer(data, kind).reshape(*extent, 4, 3, 3, 2).astype(np.float64)


def lime_records(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        magic, _, _, length, kind = struct.unpack(">IHHQ128s", data[at:at + 144])
        assert magic == 0x456789AB
        yield kind.rstrip(b"\0").decode(), data[at + 144:at + 144 + length]
        at += 144 + (length + 7) // 8 * 8


def rotate(word, by):
    return (word << by | word >> 32 - by) & 0xFFFFFFFF


def scidac_sums(data, site):
    a = b = 0
    for i in range(len(data) // site):
        crc = zlib.crc32(data[i * site:(i + 1) * site])
        a, b = a ^ rotate(crc, i % 29), b ^ rotate(crc, i % 31)
    return a, b


def openqcd_links(path):
    data = path.read_bytes()
    t, x, y, z = extent = struct.unpack("<4i", data[:16])
    (plaquette,) = struct.unpack("<d", data[16:24])
    numbers = iter(np.frombuffer(data[24:], "<f8").reshape(-1, 3, 3, 2))
    links = np.zeros((t, z, y, x, 4, 3, 3, 2))
    for at in np.ndindex(*extent):
        for mu in range(4) if sum(at) % 2 else ():
            for back in (0, 1):
                site = list(at)
                site[mu] = (site[mu] - back) % extent[mu]
                links[site[0], site[3], site[2], site[1], (mu - 1) % 4] = next(numbers)
    return links, plaquette


@needs_files
def test_saved_files_hold_the_links(folder):
    links = nersc_links(folder / local(NERSC))
    again = convert(folder, [local(NERSC)], "NERSC", "NERSC", "again.nersc")
    assert (nersc_links(again) == links).all()
    ildg = convert(folder, ["again.nersc"], "NERSC", "ILDG", "again.lime")
    records = dict(lime_records(ildg))
    assert (np.frombuffer(records["ildg-binary-data"], ">f8").reshape(links.shape) == links).all()
    sums = scidac_sums(records["ildg-binary-data"], 4 * 18 * 8)
    assert f"<suma>{sums[0]:x}</suma><sumb>{sums[1]:x}</sumb>" in records["scidac-checksum"].decode()
    cnfg = convert(folder, ["again.lime"], "ILDG", "openQCD", "again.cnfg")
    decoded, plaquette = openqcd_links(cnfg)
    assert (decoded == links).all() and abs(plaquette / 3 - 0.5038664469) < 1e-9
    netcdf = convert(folder, ["again.cnfg"], "openQCD", "HDF5", "again.nc")
    last = convert(folder, [netcdf.name], "netCDF", "NERSC", "last.nersc")
    assert last.read_bytes() == again.read_bytes()


@needs_files
def test_single_precision_comes_back(folder):
    milc = convert(folder, [local(MILC + "l4448")], "MILC", "MILC", "again.milc")
    original = (folder / local(MILC + "l4448")).read_bytes()
    assert milc.read_bytes()[96:] == original[96:] or milc.read_bytes()[96:] == np.frombuffer(
        original[96:], "<u4").byteswap().tobytes()
    two_rows = convert(folder, [local("chroma_nersc4/t_nersc.cfg")], "NERSC", "NERSC", "three.nersc")
    assert abs(measured(folder, [two_rows.name], "NERSC", "lft_plaquette")[0, 0] - 0.0382422893) < 1e-7
    with pytest.raises(Refused, match="complex64"):
        convert(folder, [local(NERSC)], "NERSC", "MILC", "narrow.milc")


@needs_files
def test_what_is_no_single_field_is_not_saved(folder):
    name = local(MILC + "l4444")
    with pytest.raises(Refused, match="one configuration"):
        convert(folder, [name, name], "MILC", "ILDG", "two.lime")
    with pytest.raises(Refused, match="FormatUnsuitable"):
        convert(folder, [name], "MILC", "NERSC", "p.nersc", ("lft_plaquette", {}))
    for process, number in (("multiply", 2), ("divide", 0)):
        step = {"process_graph": {"p": node(process, x={"from_parameter": "x"}, y=number) | {"result": True}}}
        with pytest.raises(Refused, match="FormatUnsuitable.*unitary"):
            convert(folder, [name], "MILC", "ILDG", "links.lime", ("apply", {"process": step}))
    turned = {"process_graph": {"p": node("multiply", x={"from_parameter": "x"}, y=-1) | {"result": True}}}
    with pytest.raises(Refused, match=r"FormatUnsuitable.*determinant 1: \|det U - 1\| of one is 2$"):
        convert(folder, [name], "MILC", "ILDG", "links.lime", ("apply", {"process": turned}))
    later = {"process_graph": {"p": node("gt", x={"from_parameter": "value"}, y=1) | {"result": True}}}
    with pytest.raises(Refused, match="FormatUnsuitable.*labels of x0"):
        convert(folder, [name], "MILC", "MILC", "part.milc", ("filter_labels", {"dimension": "x0", "condition": later}))


@pytest.mark.parametrize("form", ["NERSC", "ILDG", "openQCD"])
def test_open_axes_are_not_saved(tmp_path, form):
    links = node("lft_gauge_field", shape=[4, 4, 4, 4], beta=6, configurations=1, thermalisation=0, separation=1,
                 boundary=["open", "periodic", "periodic", "periodic"])
    saved = node("save_result", data={"from_node": "links"}, format=form)
    with pytest.raises(Refused, match="FormatUnsuitable.*open axes"):
        run(tmp_path, {"links": links, "saved": saved | {"result": True}}, "open.links")


# ---- damaged files


def damaged(folder, name, change):
    data = bytearray((folder / name).read_bytes())
    data = change(data) or data
    (folder / "damaged").write_bytes(data)
    return ["damaged"]


def flip(at):
    def change(data):
        data[at] ^= 1
    return change


def replaced(old, new):
    return lambda data: bytes(data).replace(old, new, 1)


@needs_files
@pytest.mark.parametrize("name, form, change, message", [
    (NERSC, "NERSC", flip(-5), "checksum"),
    (NERSC, "NERSC", lambda data: data[:-1], "truncated"),
    (NERSC, "NERSC", replaced(b"0.5038664469", b"0.5138664469"), "plaquette of the links is 0.50386644.* 0.5138664469"),
    (NERSC, "NERSC", replaced(b"0.005406083858", b"0.006406083858"), "trace"),
    (NERSC, "NERSC", replaced(b"IEEE64BIG", b"IEEE64LITTLE"), "checksum"),
    (NERSC, "NERSC", replaced(b"IEEE64BIG", b"VAX"), "FLOATING_POINT"),
    (NERSC, "NERSC", replaced(b"DIMENSION_1 = 8", b"DIMENSION_1 = 0"), "extent"),
    (NERSC, "NERSC", replaced(b"DIMENSION_1 = 8", b"DIMENSION_1 = 99999999"), "1 to 4096"),
    (NERSC, "NERSC", replaced(b"DIMENSION_1 = 8", b"DIMENSION_1 = 4000"), "truncated"),
    (NERSC, "NERSC", replaced(b"DIMENSION_1 = 8\n", b""), "lacks"),
    (NERSC, "NERSC", replaced(b"END_HEADER", b"END_OF_HEAD"), "END_HEADER"),
    (NERSC, "NERSC", replaced(b"4D_SU3_GAUGE_3x3", b"4D_SU2_GAUGE"), "FeatureUnsupported|not read"),
    (MILC + "l4444", "MILC", flip(200), "checksums"),
    (MILC + "l4444", "MILC", lambda data: data[:60], "ends within|truncated"),
    (MILC + "l4444.ildg", "ILDG", flip(-30000), "checksums"),
    (MILC + "l4444.ildg", "ILDG", lambda data: data[:-20000], "truncated"),
    (MILC + "l4444.ildg", "ILDG", replaced(b"<lx>4</lx>", b"<lx>8</lx>"), "a lattice of its shape"),
    (MILC + "l4444.ildg", "ILDG", replaced(b"<lx>4</lx>", b"<lx>x</lx>"), "1 to 4096"),
    (MILC + "l4444.ildg", "ILDG", replaced(b"ildg-binary-data", b"ildg-binary-dat\0"), "no record of links"),
])
def test_damaged_files_are_refused(folder, name, form, change, message):
    with pytest.raises(Refused) as refused:
        measured(folder, damaged(folder, local(name), change), form, "lft_plaquette")
    assert re.search(message, str(refused.value)), refused.value
    assert "damaged" in str(refused.value)


@needs_files
def test_links_of_another_determinant_are_refused(folder):
    """All links times -1: unitary, the same plaquette, but not of SU(3)."""
    convert(folder, [local(NERSC)], "NERSC", "openQCD", "links.cfg")
    def turn(data):
        return data[:24] + (-np.frombuffer(data[24:], "<f8")).tobytes()
    assert abs(measured(folder, ["links.cfg"], "openQCD", "lft_plaquette")[0, 0] - 0.5038664469) < 1e-9
    with pytest.raises(Refused, match=r"not of SU\(3\): \|det U - 1\| of one is 2$"):
        measured(folder, damaged(folder, "links.cfg", turn), "openQCD", "lft_plaquette")


@needs_files
def test_the_byte_order_is_found_by_the_checksum(folder):
    text, data = (folder / local(NERSC)).read_bytes().split(b"END_HEADER\n", 1)
    swapped = np.frombuffer(data, ">f8").astype("<f8").tobytes()
    for numbers, form in ((data, b"IEEE64"), (swapped, b"IEEE64"), (swapped, b"IEEE64LITTLE")):
        (folder / "order.nersc").write_bytes(text.replace(b"IEEE64BIG", form) + b"END_HEADER\n" + numbers)
        assert abs(measured(folder, ["order.nersc"], "NERSC", "lft_plaquette")[0, 0] - 0.5038664469) < 1e-9


@needs_files
def test_a_file_of_another_format_is_refused(folder):
    with pytest.raises(Refused, match="is no ILDG"):
        measured(folder, [local(NERSC)], "ILDG", "lft_plaquette")


# ---- gauge invariance, on real fields


@needs_files
@pytest.mark.parametrize("process, arguments", [
    ("lft_plaquette", {}), ("lft_rectangle", {}), ("lft_action", {"beta": 6, "action": "iwasaki"}),
    ("lft_polyakov_loop", {}), ("lft_wilson_loop", {"r": 2, "t": 3}),
    ("lft_topological_charge", {"method": "improved"}),
    ("lft_wilson_flow", {"flow_time": 0.2}), ("lft_wilson_flow", {"flow_time": 0.2, "tolerance": 1e-5}),
])
def test_observables_are_gauge_invariant(folder, process, arguments):
    name = local(MILC + "l4444")
    plain = measured(folder, [name], "MILC", process, **arguments)
    turned = json.loads(convert(folder, [name], "MILC", "JSON", "out.json", ("lft_gauge_transformation", {"seed": 3}),
                                (process, arguments)).read_text())["data"]
    assert np.allclose(plain, turned, rtol=1e-5, atol=1e-6)  # the transformed field is of single precision


@needs_files
def test_energies_of_the_flow_meet(folder):
    """On a smooth field both energies agree, t^2 E grows, and the action goes down."""
    values = measured(folder, [local(MILC + "l8888")], "MILC", "lft_wilson_flow", flow_time=2, interval=0.5,
                      step_size=0.05)[0]
    plaquette, clover = values[:, 0], values[:, 1]
    assert (np.diff(plaquette) < 0).all()
    assert abs(plaquette[0] / clover[0] - 1) > 0.5 and abs(plaquette[-1] / clover[-1] - 1) < 0.15
    times = np.arange(5) * 0.5
    assert (np.diff(times ** 2 * clover) > 0).all()
    adaptive = measured(folder, [local(MILC + "l8888")], "MILC", "lft_wilson_flow", flow_time=2, interval=0.5,
                        tolerance=1e-5)[0]
    assert np.allclose(adaptive[1:, :2], values[1:, :2], rtol=1e-3)


@needs_files
def test_landau_gauge(folder):
    name = local(MILC + "l4444")
    before = measured(folder, [name], "MILC", "lft_gauge_residual")
    graph = convert(folder, [name], "MILC", "JSON", "out.json", ("lft_gauge_fixing", {"tolerance": 1e-10}),
                    ("lft_gauge_residual", {}))
    assert before[0] > 1 and json.loads(graph.read_text())["data"][0] < 1e-9


@needs_files
def test_a_collection_of_one_file(folder):
    catalogue = folder / "catalogue"
    subprocess.run([BINARY, "catalogue", "add", "--data", catalogue, "--id", "field", folder / local(NERSC)],
                   check=True, timeout=60, capture_output=True)
    graph = {"l": node("load_collection", id="field", spatial_extent=None, temporal_extent=None),
             "p": {**node("lft_plaquette", data={"from_node": "l"}), "result": True}}
    (folder / "graph.json").write_text(json.dumps(graph))
    subprocess.run([BINARY, "run", folder / "graph.json", "--data", catalogue, "-o", folder / "out.json"], check=True,
                   timeout=60)
    assert abs(json.loads((folder / "out.json").read_text())["data"][0][0] - 0.5038664469) < 1e-9
