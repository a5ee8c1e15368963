/* What a server of DAP 2 says is in a dataset, the DDS:
 *
 *   Dataset {
 *     Float64 time[time = 12];
 *     Grid { ARRAY: Int16 t[time = 12][lat = 90]; MAPS: Float64 time[time = 12]; Float32 lat[lat = 90]; } t;
 *     Structure { String name; } about;
 *   } a%2enc;
 *
 * Read as the list of what holds values, in the order in which values are sent. A grid is its array; its maps, which
 * most servers declare once more by themselves, follow it. (NASA ESE-RFC-004.1.1, section 6; names are escaped as in
 * addresses.) */
#ifndef TWINCUBE_DATACUBE_DAP_DAP_DATASET_H
#define TWINCUBE_DATACUBE_DAP_DAP_DATASET_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"
#include "datacube/box.h"

enum { DAP_VARIABLES_MOST = 8192, DAP_DEEP_MOST = 8 };

enum dap_type {
  DAP_BYTE,
  DAP_INT16,
  DAP_UINT16,
  DAP_INT32,
  DAP_UINT32,
  DAP_FLOAT32,
  DAP_FLOAT64,
  DAP_TEXT, /* String and Url */
  DAP_TYPE_COUNT
};

struct dap_variable {
  const char *name;    /* as it is written; of a grid the grid's, in a structure "structure.name" */
  const char *path;    /* by which it is asked for: "t.t" of a grid, "structure.name" */
  const char *grid;    /* whose map it is; NULL: of none */
  const char *why_not; /* it cannot be asked for; NULL where it can */
  enum dap_type type;
  size_t rank;
  size_t shape[CUBE_MAX_DIMENSIONS];
  const char *names[CUBE_MAX_DIMENSIONS]; /* of the dimensions, as they are written; NULL: it has none */
};

struct dap_dataset {
  struct dap_variable *variables;
  size_t count;
};

/* Reads a description, which lies in the arena then. Error FileContentInvalid. */
int dap_dataset_read(struct arena *arena, const char *text, size_t length, struct dap_dataset *out,
                     struct error *error);

/* Where a server writes an error in place of an answer ("Error { code = 404; message = "…"; };"), its message becomes
 * an error: -1. Else 0. */
int dap_refusal(const char *text, size_t length, struct error *error);

#endif
