/* Which texts may name a CRS.
 *
 * PROJ strings are a little language in which files can be opened (init, grids, pipelines): only keys of a list are
 * let through, the parameters of projections and ellipsoids. A new projection's own parameter is added here. */
#include "datacube/crs_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const known_keys[] = {
    "R",       "R_A",     "R_C",     "R_V",       "R_a",     "R_g",     "R_h",     "R_lat_a", "R_lat_g",
    "W",       "a",       "algo",    "alpha",     "approx",  "axis",    "azi",     "b",       "czech",
    "datum",   "ellps",   "es",      "f",         "gamma",   "guam",    "h",       "k",       "k_0",
    "lat_0",   "lat_1",   "lat_2",   "lat_3",     "lat_b",   "lat_ts",  "lon_0",   "lon_1",   "lon_2",
    "lon_3",   "lonc",    "lsat",    "m",         "n",       "no_cut",  "no_defs", "no_off",  "no_rot",
    "no_uoff", "ns",      "o_alpha", "o_lat_1",   "o_lat_2", "o_lat_c", "o_lat_p", "o_lon_1", "o_lon_2",
    "o_lon_c", "o_lon_p", "o_proj",  "orient",    "over",    "path",    "pm",      "proj",    "q",
    "rf",      "rot",     "rot_xy",  "shape",     "south",   "sweep",   "theta",   "tilt",    "to_meter",
    "towgs84", "type",    "units",   "vto_meter", "vunits",  "wktext",  "x_0",     "y_0",     "zone"};

static bool is_known_key(const char *key, size_t length)
{
  for (size_t i = 0; i < sizeof known_keys / sizeof *known_keys; i++)
    if (strlen(known_keys[i]) == length && strncmp(known_keys[i], key, length) == 0)
      return true;
  return false;
}

static bool word_is(const char *word, size_t length, const char *is)
{
  return strlen(is) == length && strncmp(word, is, length) == 0;
}

static bool word_is_admitted(const char *word, size_t length)
{
  static const char blanks[] = " \t\r\n";
  size_t key = strcspn(word, "=");
  key = key < length ? key : length;
  if (word_is(word, length, "nadgrids=@null") || word_is(word, length, "geoidgrids=@null"))
    return true; /* none at all */
  bool is_type = word_is(word, key, "type");
  return strcspn(word, blanks) >= length && is_known_key(word, key) &&
         (!is_type || word_is(word, length, "type=crs")) && !memchr(word, '/', length) && !memchr(word, '@', length);
}

static bool proj_string_is_admitted(const char *text, bool *has_type)
{
  static const char between[] = " \t\r\n+";
  *has_type = false;
  while (*(text += strspn(text, between))) {
    size_t length = strcspn(text, " \t\r\n");
    if (!word_is_admitted(text, length))
      return false;
    *has_type = *has_type || word_is(text, length, "type=crs");
    text += length;
  }
  return true;
}

static bool all_digits(const char *text)
{
  return *text && text[strspn(text, "0123456789")] == '\0';
}

static const char *print(size_t size, char *room, const char *before, const char *text, const char *after)
{
  int length = snprintf(room, size, "%s%s%s", before, text, after);
  return length > 0 && (size_t)length < size ? room : NULL;
}

const char *crs_text_admitted(const char *text, size_t room_size, char *room)
{
  static const char old_epsg[] = "+init=epsg:";
  size_t length = strnlen(text, CRS_TEXT_LIMIT + 1);
  bool has_type;
  if (length == 0 || length > CRS_TEXT_LIMIT)
    return NULL;
  if (all_digits(text))
    return print(room_size, room, "EPSG:", text, "");
  if (strncasecmp(text, old_epsg, strlen(old_epsg)) == 0 && all_digits(text + strlen(old_epsg)))
    return print(room_size, room, "EPSG:", text + strlen(old_epsg), "");
  if (*text == '{' || strchr(text, '['))
    return text;
  if (!strchr(text, '='))
    return text;
  if (!proj_string_is_admitted(text, &has_type))
    return NULL;
  return has_type ? text : print(room_size, room, "", text, " +type=crs");
}
