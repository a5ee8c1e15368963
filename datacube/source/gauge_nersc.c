/* Headers of NERSC archives: lines KEY = VALUE between BEGIN_HEADER and END_HEADER, then the links. */
#include "datacube/source/gauge_file.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 1000, LINE_ROOM = 1024 };

struct nersc_seen {
  bool datatype, floats, axis[GAUGE_FILE_AXES];
};

/* Cuts spaces at both ends. */
static char *trimmed(char *text)
{
  while (isspace((unsigned char)*text))
    text++;
  for (size_t length = strlen(text); length > 0 && isspace((unsigned char)text[length - 1]); length--)
    text[length - 1] = '\0';
  return text;
}

/* A decimal number and the unit of its last digit. */
static int read_mean(const struct gauge_header *header, const char *text, double *out, double *digits,
                     struct error *error)
{
  char *end;
  *out = strtod(text, &end);
  if (end == text || *end != '\0' || !isfinite(*out))
    return gauge_header_wrong(header, error, "'%.40s' in the header is no number", text);
  const char *point = strchr(text, '.');
  size_t places = point ? strspn(point + 1, "0123456789") : 0;
  const char *exponent = strpbrk(text, "eE");
  *digits = pow(10, (exponent ? strtod(exponent + 1, NULL) : 0) - (double)places);
  return 0;
}

static int read_format(const struct gauge_header *header, const char *text, struct gauge_file *out, struct error *error)
{
  static const struct {
    const char *name;
    bool is_double, big, guesses;
  } rows[] = {{"IEEE32BIG", false, true, false}, {"IEEE32LITTLE", false, false, false}, {"IEEE32", false, true, true},
              {"IEEE64BIG", true, true, false},  {"IEEE64LITTLE", true, false, false},  {"IEEE64", true, true, true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(text, rows[i].name) == 0) {
      out->is_double = rows[i].is_double;
      out->big_endian = rows[i].big;
      out->guesses_order = rows[i].guesses;
      return 0;
    }
  return gauge_header_wrong(header, error,
                            "FLOATING_POINT is '%.40s', which is none of IEEE32BIG, IEEE64BIG and "
                            "their like",
                            text);
}

static int read_type(const struct gauge_header *header, const char *text, struct gauge_file *out, struct error *error)
{
  if (strcmp(text, "4D_SU3_GAUGE") == 0 || strcmp(text, "4D_SU3_GAUGE_3x3") == 0 ||
      strcmp(text, "4D_SU3_GAUGE_3X3") == 0) {
    out->rows = strlen(text) > 12 ? 3 : 2;
    return 0;
  }
  return error_set(error, ERROR_FeatureUnsupported,
                   "%s: DATATYPE '%.40s' is not read: 4D_SU3_GAUGE and "
                   "4D_SU3_GAUGE_3x3 are",
                   header->path, text);
}

static int read_entry(const struct gauge_header *header, const char *key, const char *value, struct gauge_file *out,
                      struct nersc_seen *seen, struct error *error)
{
  char *end;
  if (strcmp(key, "DATATYPE") == 0) {
    seen->datatype = true;
    return read_type(header, value, out, error);
  }
  if (strcmp(key, "FLOATING_POINT") == 0) {
    seen->floats = true;
    return read_format(header, value, out, error);
  }
  if (strcmp(key, "PLAQUETTE") == 0) {
    out->has_plaquette = true;
    return read_mean(header, value, &out->plaquette, &out->plaquette_digits, error);
  }
  if (strcmp(key, "LINK_TRACE") == 0) {
    out->has_trace = true;
    return read_mean(header, value, &out->trace, &out->trace_digits, error);
  }
  if (strcmp(key, "BETA") == 0) {
    out->beta = strtod(value, &end);
    out->has_beta = end > value && *end == '\0' && isfinite(out->beta);
  }
  if (strcmp(key, "CHECKSUM") == 0) {
    unsigned long long sum = strtoull(value, &end, 16);
    if (end == value || *end != '\0' || sum > UINT32_MAX)
      return gauge_header_wrong(header, error, "CHECKSUM '%.40s' is no hexadecimal number of 32 bits", value);
    out->sum_kind = GAUGE_SUM_WORDS;
    out->sum[0] = (uint32_t)sum;
  }
  if (strncmp(key, "DIMENSION_", 10) == 0 && key[10] >= '1' && key[10] <= '4' && key[11] == '\0') {
    size_t axis = (size_t)(key[10] - '0') % GAUGE_FILE_AXES; /* x, y, z, t */
    long extent = strtol(value, &end, 10);
    if (end == value || *end != '\0' || extent < 1)
      return gauge_header_wrong(header, error, "%s '%.40s' is no extent", key, value);
    out->extent[axis] = (size_t)extent;
    seen->axis[axis] = true;
  }
  return 0;
}

static int check_seen(const struct gauge_header *header, const struct gauge_file *out, const struct nersc_seen *seen,
                      struct error *error)
{
  bool all = seen->datatype && seen->floats;
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++)
    all = all && seen->axis[k];
  if (!all)
    return gauge_header_wrong(header, error, "the header lacks DATATYPE, FLOATING_POINT or one of DIMENSION_1 to 4");
  if (out->guesses_order && out->sum_kind == GAUGE_SUM_NONE)
    return gauge_header_wrong(header, error,
                              "FLOATING_POINT does not tell the byte order, and there is no CHECKSUM "
                              "that would");
  return 0;
}

int gauge_nersc_header(const struct gauge_header *header, struct gauge_file *out, struct error *error)
{
  FILE *stream = header->stream;
  struct nersc_seen seen = {0};
  char line[LINE_ROOM];
  out->sites = GAUGE_SITES_ALL;
  for (size_t i = 0; i < MOST_LINES && fgets(line, sizeof line, stream) != NULL; i++) {
    const char *text = trimmed(line);
    char *equals = strchr(line, '=');
    if (strcmp(text, "END_HEADER") == 0) {
      out->offset = (uint64_t)ftello(stream);
      return check_seen(header, out, &seen, error);
    }
    if (!equals)
      continue;
    *equals = '\0';
    if (read_entry(header, trimmed(line), trimmed(equals + 1), out, &seen, error) != 0)
      return -1;
  }
  return gauge_header_wrong(header, error, "the header has no END_HEADER");
}
