/* What the server and a worker say to each other about maps: the body of a TASK_MAP.
 *
 * A struct, then the choice (a JSON object: datetime, bands, labels, parameters), then the graph's text. The reply is
 * JSON, a file, or the map_hash of a picture and its bytes, which are left out where the server has it. */
#ifndef TWINCUBE_SERVER_SERVICES_MAP_TASK_H
#define TWINCUBE_SERVER_SERVICES_MAP_TASK_H

#include "server/services/style.h"

#include "datacube/base/hash.h"

#include <stdint.h>

enum map_operation {
  MAP_DESCRIBE, /* JSON: what the graph's cube is (map_describe), and the range of its values */
  MAP_PICTURE,  /* the window, painted */
  MAP_VALUES,   /* JSON: the window's values as an array of planes of rows */
  MAP_PART,     /* a file: see services/part_task.h; of the struct only the operation counts */
  MAP_THUMBNAIL /* a small picture of all of it: see services/thumbnail.h; likewise */
};

enum { MAP_CRS_SIZE = 128, MAP_MOST_SIDE = 4096 };

struct map_task {
  uint32_t operation, format, method, zero;
  double west, north, res_x, res_y; /* of the lattice */
  int64_t column, row;              /* of the window */
  uint32_t width, height;
  char crs[MAP_CRS_SIZE];
  struct style style;
  struct hash have;     /* of a picture: the map_hash of one that the server has; zero: of none */
  uint64_t choice_size; /* bytes */
};

#endif
