/* A dimension: a name, a type and labels. Immutable, in its arena. */
#ifndef TWINCUBE_DATACUBE_DIMENSION_H
#define TWINCUBE_DATACUBE_DIMENSION_H

#include "datacube/base/arena.h"
#include "datacube/base/instant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dimension_type { DIMENSION_SPATIAL, DIMENSION_TEMPORAL, DIMENSION_BANDS, DIMENSION_GEOMETRY, DIMENSION_OTHER };

enum label_kind {
  LABEL_STEP,    /* start + i * step: pixel centres in CRS units, or 0, 1, 2 … for enumerated labels */
  LABEL_NUMBER,  /* numbers[i] */
  LABEL_TEXT,    /* texts[i] */
  LABEL_TIME,    /* times[i]; texts[i] where the printed label is not the instant itself ("2018-01", "2018-djf") */
  LABEL_GEOMETRY /* geometries->items[i], printed as texts[i] */
};

struct geometry_set; /* datacube/geometry.h */

struct dimension {
  const char *name;
  enum dimension_type type;
  char axis; /* 'x', 'y', 'z' for spatial dimensions, else 0 */
  size_t size;
  enum label_kind labels;
  double start, step;       /* LABEL_STEP: label of index 0 (a pixel centre), distance to the next (y: mostly < 0) */
  const double *numbers;    /* LABEL_NUMBER: size entries; LABEL_TEXT: NULL or size entries, NaN but for numbers among
                               the texts, of which texts[i] is the printed form */
  const char *const *texts; /* LABEL_TEXT, LABEL_GEOMETRY: size entries; LABEL_TIME: NULL or size entries */
  const int64_t *times;     /* LABEL_TIME: size instants, see base/instant.h; start of the period for intervals */
  enum calendar calendar;   /* of times */
  const struct geometry_set *geometries; /* LABEL_GEOMETRY: size geometries */
  bool enumerated;                       /* labels 0 … n-1 that nobody gave: rename_labels may replace them all */
  const char *unit;                      /* UDUNITS text, or NULL */
  const char *reference_system;          /* other than the cube's CRS (vertical, say), or NULL */
};

enum { LABEL_TEXT_ROOM = 64 };

/* Label i as text ("B4", "2018-01-06T00:00:00Z", "404835"). Longer labels than the room are returned without a copy. */
const char *dimension_label_text(const struct dimension *dimension, size_t i, char room[LABEL_TEXT_ROOM]);
/* Label i as a number; NaN where it is none. */
double dimension_label_number(const struct dimension *dimension, size_t i);
bool dimension_label_is_number(const struct dimension *dimension, size_t i);
/* Index of a label given as text or number; SIZE_MAX where there is none. Times match as instants. */
size_t dimension_find_text(const struct dimension *dimension, const char *label);
size_t dimension_find_number(const struct dimension *dimension, double label);
/* Whether the labels are the numbers 0 … n-1 in this order. */
bool dimension_counts(const struct dimension *dimension);
bool dimension_labels_equal(const struct dimension *a, const struct dimension *b);
/* Whether label i of a is label j of b (numbers within 1e-9 of the step). */
bool dimension_same_label(const struct dimension *a, size_t i, const struct dimension *b, size_t j);

/* Copy with the labels at the given indexes (any order), which may be written over the original. A contiguous ascending
 * pick of step labels stays LABEL_STEP. -1 when out of memory, with nothing written. */
int dimension_pick(struct arena *arena, const struct dimension *dimension, const size_t *indexes, size_t count,
                   struct dimension *out);
/* Makers; name and labels are borrowed for the arena's life. */
struct dimension dimension_enumerated(const char *name, enum dimension_type type, size_t size);
struct dimension dimension_texts(const char *name, enum dimension_type type, const char *const *texts, size_t size);
struct dimension dimension_times(const char *name, const int64_t *times, size_t size, enum calendar calendar);
struct dimension dimension_steps(const char *name, char axis, double start, double step, size_t size);

const char *dimension_type_name(enum dimension_type type); /* "spatial", "temporal", "bands", "geometry", "other" */

#endif
