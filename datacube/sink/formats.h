/* The rows of the table of formats, one a driver file. */
#ifndef TWINCUBE_DATACUBE_SINK_FORMATS_H
#define TWINCUBE_DATACUBE_SINK_FORMATS_H

#include "datacube/sink.h"

extern const struct sink_format sink_format_flatgeobuf;
extern const struct sink_format sink_format_geojson;
extern const struct sink_format sink_format_gpkg;
extern const struct sink_format sink_format_coverage_json;
extern const struct sink_format sink_format_csv;
extern const struct sink_format sink_format_gtiff;
extern const struct sink_format sink_format_ildg;
extern const struct sink_format sink_format_jpeg;
extern const struct sink_format sink_format_json;
extern const struct sink_format sink_format_milc;
extern const struct sink_format sink_format_nersc;
extern const struct sink_format sink_format_netcdf;
extern const struct sink_format sink_format_openqcd;
extern const struct sink_format sink_format_parquet;
extern const struct sink_format sink_format_png;
extern const struct sink_format sink_format_shapefile;
extern const struct sink_format sink_format_webp;
extern const struct sink_format sink_format_zarr;

#endif
