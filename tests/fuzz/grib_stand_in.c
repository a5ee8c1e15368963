/* In ecCodes' place, which takes milliseconds for each question: a message that tells its keys by the octets where they
 * mostly lie, so that what is made of its answers sees all kinds of them. The same octets have the same answers. */
#include "datacube/grib/grib_sections.h"

#include <eccodes.h>
#include <stdlib.h>
#include <string.h>

struct grib_handle {
  struct grib_field field;
  unsigned char *bytes; /* a copy of the message */
};

struct place { /* of a key; in GRIB 1 and GRIB 2 */
  const char *key;
  unsigned char section, at[2], octets[2];
  double unit[2];
};

static const struct place places[] = {
    {"Ni", GRIB_GRID, {6, 30}, {2, 4}, {1, 1}},
    {"Nj", GRIB_GRID, {8, 34}, {2, 4}, {1, 1}},
    {"N", GRIB_GRID, {25, 67}, {2, 4}, {1, 1}},
    {"latitudeOfFirstGridPointInDegrees", GRIB_GRID, {10, 46}, {3, 4}, {1e-3, 1e-6}},
    {"longitudeOfFirstGridPointInDegrees", GRIB_GRID, {13, 50}, {3, 4}, {1e-3, 1e-6}},
    {"latitudeOfLastGridPointInDegrees", GRIB_GRID, {17, 55}, {3, 4}, {1e-3, 1e-6}},
    {"longitudeOfLastGridPointInDegrees", GRIB_GRID, {20, 59}, {3, 4}, {1e-3, 1e-6}},
    {"LaDInDegrees", GRIB_GRID, {10, 47}, {3, 4}, {1e-3, 1e-6}},
    {"LoVInDegrees", GRIB_GRID, {17, 51}, {3, 4}, {1e-3, 1e-6}},
    {"DxInMetres", GRIB_GRID, {20, 55}, {3, 4}, {1, 1e-3}},
    {"DyInMetres", GRIB_GRID, {23, 59}, {3, 4}, {1, 1e-3}},
    {"Latin1InDegrees", GRIB_GRID, {28, 65}, {3, 4}, {1e-3, 1e-6}},
    {"Latin2InDegrees", GRIB_GRID, {31, 69}, {3, 4}, {1e-3, 1e-6}},
    {"earthIsOblate", GRIB_GRID, {16, 14}, {1, 1}, {1, 1}},
    {"radius", GRIB_GRID, {6, 16}, {4, 4}, {1, 1}},
    {"level", GRIB_PRODUCT, {10, 24}, {2, 4}, {1, 1}},
    {"number", GRIB_PRODUCT, {11, 35}, {1, 1}, {1, 1}},
    {"dataDate", GRIB_PRODUCT, {12, 14}, {4, 4}, {1, 1}},
    {"dataTime", GRIB_PRODUCT, {15, 18}, {2, 2}, {1, 1}},
    {"validityDate", GRIB_PRODUCT, {12, 14}, {4, 4}, {1, 1}},
    {"validityTime", GRIB_PRODUCT, {18, 20}, {2, 2}, {1, 1}},
    {"startStep", GRIB_PRODUCT, {18, 18}, {1, 4}, {1, 1}},
};

static const struct { /* bits of an octet */
  const char *key;
  unsigned char bit;
} flags[] = {{"iScansNegatively", 0x80},
             {"jScansPositively", 0x40},
             {"jPointsAreConsecutive", 0x20},
             {"alternativeRowScanning", 0x10}};

static int keep_field(void *data, struct grib_window *window, const struct grib_field *field, struct error *error)
{
  (void)window;
  (void)error;
  *(struct grib_field *)data = *field;
  return 0;
}

codes_handle *codes_handle_new_from_message(codes_context *context, const void *data, size_t length)
{
  struct grib_handle *h = calloc(1, sizeof *h);
  struct error ignored = {0};
  (void)context;
  if (!h || !(h->bytes = malloc(length)))
    abort();
  memcpy(h->bytes, data, length);
  const struct zarr_file file = {.descriptor = -1, .bytes = h->bytes, .size = length};
  if (grib_scan_message(&file, keep_field, &h->field, &ignored) == 0)
    return h;
  codes_handle_delete(h);
  return NULL;
}

int codes_handle_delete(codes_handle *h)
{
  if (h)
    free(h->bytes);
  free(h);
  return CODES_SUCCESS;
}

/* Octets of a section; false where it ends before. */
static bool take(const struct grib_handle *h, unsigned section, size_t at, size_t count, int64_t *out)
{
  const struct grib_span *s = &h->field.section[section];
  if (s->length < at + count)
    return false;
  *out = grib_signed(h->bytes + s->at + at, count);
  return true;
}

int codes_get_double(const codes_handle *h, const char *key, double *out)
{
  const int edition = h->field.edition - 1;
  int64_t number;
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
    if (strcmp(flags[i].key, key) == 0 && take(h, GRIB_GRID, edition ? 71 : 27, 1, &number)) {
      *out = ((unsigned)(number < 0 ? 0x80 - number : number) & flags[i].bit) != 0;
      return CODES_SUCCESS;
    }
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    const struct place *p = &places[i];
    if (strcmp(p->key, key) != 0)
      continue;
    if (!take(h, p->section, p->at[edition], p->octets[edition], &number))
      return CODES_NOT_FOUND;
    *out = (double)number * p->unit[edition];
    return CODES_SUCCESS;
  }
  return CODES_NOT_FOUND;
}

int codes_get_long(const codes_handle *h, const char *key, long *out)
{
  double value;
  const int status = codes_get_double(h, key, &value);
  if (status == CODES_SUCCESS)
    *out = (long)value;
  return status;
}

static const char *choice(const struct grib_handle *h, const char *key)
{
  static const char *const grids[] = {"regular_ll", "mercator",   "polar_stereographic",          "lambert",
                                      "regular_gg", "rotated_ll", "lambert_azimuthal_equal_area", "reduced_gg"};
  static const char *const levels[] = {"isobaricInhPa", "isobaricInPa", "surface", "a type/of \"level\""};
  static const char *const names[] = {"t", "tp", "10u", "\xC3"};
  static const char *const steps[] = {"instant", "accum", "avg", ""};
  const bool second = h->field.edition == 2;
  int64_t number;
  if (strcmp(key, "gridType") == 0)
    return take(h, GRIB_GRID, second ? 12 : 4, 2, &number) ? grids[(uint64_t)number / (second ? 10 : 1) % 8] : NULL;
  if (strcmp(key, "typeOfLevel") == 0)
    return take(h, GRIB_PRODUCT, second ? 22 : 9, 1, &number) ? levels[(uint64_t)number % 4] : NULL;
  if (strcmp(key, "stepType") == 0)
    return take(h, GRIB_PRODUCT, second ? 8 : 20, 1, &number) ? steps[(uint64_t)number % 4] : NULL;
  return take(h, GRIB_PRODUCT, second ? 10 : 8, 1, &number) ? names[(uint64_t)number % 4] : NULL;
}

int codes_get_string(const codes_handle *h, const char *key, char *out, size_t *length)
{
  const char *text = choice(h, key);
  if (!text)
    return CODES_NOT_FOUND;
  if (*length < strlen(text) + 1)
    abort();
  *length = strlen(text) + 1;
  memcpy(out, text, *length);
  return CODES_SUCCESS;
}

int codes_get_size(const codes_handle *h, const char *key, size_t *out)
{
  long columns = 0, rows = 0;
  (void)key;
  if (codes_get_long(h, "Ni", &columns) != CODES_SUCCESS || codes_get_long(h, "Nj", &rows) != CODES_SUCCESS ||
      columns < 0 || rows < 0)
    return CODES_NOT_FOUND;
  *out = (size_t)columns * (size_t)rows;
  return CODES_SUCCESS;
}

int codes_get_double_array(const codes_handle *h, const char *key, double *values, size_t *count)
{
  (void)key;
  for (size_t i = 0; i < *count; i++)
    values[i] = h->bytes[i % (size_t)h->field.length];
  return CODES_SUCCESS;
}

int codes_set_double(codes_handle *h, const char *key, double value)
{
  (void)h;
  (void)key;
  (void)value;
  return CODES_SUCCESS;
}
