/* Files that are one cube together: those of the same variables follow each other in time (time_series_source.h), those
 * of other variables lie beside them, as further bands. */
#ifndef TWINCUBE_DATACUBE_SOURCE_FILE_SET_SOURCE_H
#define TWINCUBE_DATACUBE_SOURCE_FILE_SET_SOURCE_H

#include "datacube/source/time_series_source.h"

/* The parts in any order. `bands` names the bands of the cube in order; NULL: as the parts have them. Errors
 * FileContentInvalid, which names two parts, where their cubes have other dimensions, labels, types or no-data but for
 * bands and dates, or the same band and date; BandNotAvailable. */
int file_set_source(struct arena *arena, const struct time_series_part *parts, size_t count, const char *const *bands,
                    size_t band_count, const struct source **out, struct error *error);

#endif
