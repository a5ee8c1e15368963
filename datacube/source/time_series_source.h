/* Sources that go on where the one before ended, as one: files of the same variables on the same grid, each with dates
 * of its own. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIME_SERIES_SOURCE_H
#define TWINCUBE_DATACUBE_SOURCE_TIME_SERIES_SOURCE_H

#include "datacube/source.h"

struct time_series_part {
  const struct source *source; /* borrowed, as long as the series */
  const char *name;            /* of its file, for errors */
};

/* The parts in any order. Error FileContentInvalid, which names two parts, where their cubes differ in more than the
 * dates, share one, or a part's dates do not ascend or lie between those of another. */
int time_series_source(struct arena *arena, const struct time_series_part *parts, size_t count,
                       const struct source **out, struct error *error);

#endif
