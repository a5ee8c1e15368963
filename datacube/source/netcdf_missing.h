/* What is stored in a netCDF variable and what is meant: packing, missing values, valid range. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_MISSING_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_MISSING_H

#include "datacube/base/error.h"
#include "datacube/element.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETCDF_MAX_MISSING = 16 };

struct netcdf_missing { /* stored numbers that mean no data: those listed, and those outside [low, high] */
  size_t count;
  double value[NETCDF_MAX_MISSING];  /* the first stands for all of them, where the cube's type can hold it */
  uint64_t word[NETCDF_MAX_MISSING]; /* the same exactly, where the type is a 64-bit integer: its eight bytes */
  double low, high;                  /* infinite: no bound */
};

struct netcdf_packing { /* meant = stored * scale + offset */
  double scale, offset; /* 1 and 0: nothing is packed */
};

bool netcdf_is_packed(const struct netcdf_packing *packing);

/* The type of the meant numbers: float32 where it tells neighbouring stored integers apart, else float64; the stored
 * type where nothing is packed. */
enum element_type netcdf_unpacked_type(enum element_type stored, const struct netcdf_packing *packing);

/* The callers hold the lock. Error FileContentInvalid: a scale of 0, or one that is no number. */
int netcdf_packing_read(int group, int variable, struct netcdf_packing *out, struct error *error);

/* All attributes that say "missing" or "valid": _FillValue (where it is left out, the library's own, but for bytes),
 * missing_value (one or many), valid_min, valid_max, valid_range; as numbers or as texts of numbers. Bounds of another
 * type than the variable's, where that is packed, are in meant numbers (NetCDF Users Guide, appendix A). `type` is
 * the meant type of a variable that is not packed (_Unsigned honoured). */
int netcdf_missing_read(int group, int variable, enum element_type type, const struct netcdf_packing *packing,
                        struct netcdf_missing *out, struct error *error);

/* A stored number in the type that is meant: -1 of an unsigned short is 65535. */
double netcdf_in_type(enum element_type type, double value);

#endif
