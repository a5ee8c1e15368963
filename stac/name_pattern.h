/* Dates and bands in the names of files.
 *
 * Text is the path of a file below the folder that is added. With expressions (POSIX extended, one group each) the
 * group is the date or the band; without, the defaults described in name_pattern.c apply. */
#ifndef TWINCUBE_STAC_NAME_PATTERN_H
#define TWINCUBE_STAC_NAME_PATTERN_H

#include "datacube/base/error.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_pattern {
  bool has_datetime, has_band; /* compiled expressions; else the defaults */
  regex_t datetime, band;
};

struct name_span { /* part of a path: [start, end) */
  size_t start, end;
};

/* NULL expressions: the defaults. Error ProcessParameterInvalid names the parameter "datetime" or "band". */
int name_pattern_new(const char *datetime, const char *band, struct name_pattern *out, struct error *error);
void name_pattern_free(struct name_pattern *pattern);

/* The date of a path. False where there is none. */
bool name_find_datetime(const struct name_pattern *pattern, const char *path, int64_t *instant);
/* The band of a path. False where there is none; `known`: an expression found it, or it looks like a band of a sensor.
 */
bool name_find_band(const struct name_pattern *pattern, const char *path, struct name_span *band, bool *known);

/* Whether the text is the name of a known sensor's band. */
bool name_is_band(const char *name);
/* Whether a word is a pixel size: "10m", "R20m". */
bool name_is_pixel_size(const char *path, struct name_span word);

/* The words of the file's name (cut at "_", ".", blanks), without extension, dates, names of tiles and pixel
 * sizes, in order. Returns their number. */
enum { NAME_MAX_WORDS = 32 };
size_t name_words(const char *path, struct name_span words[NAME_MAX_WORDS]);

/* A date as digits with any of "-_./: T" between and an optional Z: YYYY, YYYYMM, YYYYDDD, YYYYMMDD and with hh, hhmm,
 * hhmmss, hhmmssfff behind. UTC. */
bool name_parse_datetime(const char *text, size_t length, int64_t *instant);

#endif
