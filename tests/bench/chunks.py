"""Where the bytes of pixels lie in files: what `floor decode` reads, a tuple for a block or chunk (codec, offset,
bytes, bytes inflated, path)."""
import json
import math
import pathlib


def of_tiff(path, _):
    """The blocks of all bands, without overviews; those that are missing are left out."""
    import numpy
    import rasterio
    with rasterio.open(path) as file:
        compression = file.compression.value if file.compression else "NONE"
        codec = {"DEFLATE": "zlib", "ZSTD": "zstd", "NONE": "none"}[compression]
        (rows, columns), item = file.block_shapes[0], numpy.dtype(file.dtypes[0]).itemsize
        apart = file.interleaving is None or file.interleaving.value == "BAND"
        inflated = rows * columns * item * (1 if apart else file.count)
        for band in file.indexes if apart else (1,):
            for place in (f"{x}_{y}" for y in range(-(-file.height // rows)) for x in range(-(-file.width // columns))):
                offset = file.get_tag_item(f"BLOCK_OFFSET_{place}", "TIFF", bidx=band)
                if offset:
                    count = file.get_tag_item(f"BLOCK_SIZE_{place}", "TIFF", bidx=band)
                    yield codec, int(offset), int(count), inflated, path


def of_netcdf(path, names):
    import h5py
    with h5py.File(path) as file:
        for name, data in file.items():
            if data.ndim < 3 or (names and name not in names):
                continue
            if data.chunks is None:
                yield "none", data.id.get_offset(), data.nbytes, data.nbytes, path
                continue
            codec = {"gzip": "zlib", None: "none"}[data.compression]
            for i in range(data.id.get_num_chunks()):
                chunk = data.id.get_chunk_info(i)
                yield codec, chunk.byte_offset, chunk.size, math.prod(data.chunks) * data.dtype.itemsize, path


def of_zarr(path, names):
    """Of version 3, without shards."""
    import numpy
    for description in sorted(path.glob("*/zarr.json")):
        array = json.loads(description.read_text())
        if len(array.get("shape", ())) < 3 or (names and description.parent.name not in names):
            continue
        codec = ([c["name"] for c in array["codecs"] if c["name"] in ("gzip", "zstd")] or ["none"])[0]
        shape = array["chunk_grid"]["configuration"]["chunk_shape"]
        inflated = math.prod(shape) * numpy.dtype(array["data_type"]).itemsize
        for chunk in sorted(p for p in (description.parent / "c").rglob("*") if p.is_file()):
            yield codec, 0, chunk.stat().st_size, inflated, chunk


def of(paths, names=()):
    """Of GeoTIFFs, netCDF files and Zarr stores; of the variables of three dimensions and more, or those named."""
    kinds = {".tif": of_tiff, ".nc": of_netcdf, ".zarr": of_zarr}
    return [chunk for path in map(pathlib.Path, paths) for chunk in kinds[path.suffix](path, names)]
