/* How an interpreter is told of a cube: JSON, read by runner.py. */
#ifndef TWINCUBE_HPC_UDF_UDF_VIEW_H
#define TWINCUBE_HPC_UDF_UDF_VIEW_H

#include "datacube/base/buffer.h"
#include "datacube/cube.h"

/* Names, labels and sizes of the part of a cube that a box is, as an array; fields: of that part. */
void udf_view_dimensions(struct json_writer *w, const struct cube *cube, const struct box *part);
/* {"type", "crs", "dims"} */
void udf_view_cube(struct json_writer *w, const struct cube *cube, const struct box *part);
/* "uint8", …, "bool": as NumPy calls it; and back, ELEMENT_TYPE_COUNT where there is none. */
const char *udf_type_name(enum element_type type);
enum element_type udf_type_from_name(const char *name);
/* Where a result begins behind an input of so many bytes. */
static inline size_t udf_result_place(size_t input_bytes)
{
  return (input_bytes + 63) / 64 * 64;
}

#endif
