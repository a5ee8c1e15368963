/* All forms end with a code of the EPSG, or with the OGC's CRS84. */
#include "server/services/service_crs.h"

#include "datacube/base/arena.h"
#include "datacube/grid.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int invalid(struct error *error, const char *parameter, const char *text)
{
  return error_parameter(error, ERROR_CRSInvalid, parameter, "'%.80s' is no code of the EPSG", text);
}

/* Behind the first of the beginnings that fits; NULL: none does. */
static const char *behind(const char *text, const char *const *beginnings)
{
  for (size_t i = 0; beginnings[i] != NULL; i++)
    if (strncasecmp(text, beginnings[i], strlen(beginnings[i])) == 0)
      return text + strlen(beginnings[i]);
  return NULL;
}

/* The code behind an authority's version: "::3857" and "/0/3857" come here as ":3857" and "0/3857". */
static const char *behind_version(const char *text)
{
  const char *colon = strrchr(text, ':'), *slash = strrchr(text, '/'), *last = colon > slash ? colon : slash;
  return last != NULL ? last + 1 : text;
}

static bool is_crs84(const char *text)
{
  static const char *const ogc[] = {"urn:ogc:def:crs:OGC:",
                                    "http://www.opengis.net/def/crs/OGC/",
                                    "https://www.opengis.net/def/crs/OGC/",
                                    "OGC:",
                                    "CRS:",
                                    NULL};
  const char *rest = behind(text, ogc);
  rest = rest != NULL ? behind_version(rest) : text;
  return strcasecmp(rest, "CRS84") == 0 || (rest != text && strcmp(rest, "84") == 0);
}

int service_crs_read(const char *text, const char *parameter, char out[MAP_CRS_SIZE], bool *turned, struct error *error)
{
  static const char *const epsg[] = {"EPSG:", "urn:ogc:def:crs:EPSG:", "http://www.opengis.net/def/crs/EPSG/",
                                     "https://www.opengis.net/def/crs/EPSG/", NULL};
  char plain[256];
  const size_t length = strlen(text);
  const bool bracketed = length > 2 && length < sizeof plain && text[0] == '[' && text[length - 1] == ']';
  snprintf(plain, sizeof plain, "%.*s", (int)(bracketed ? length - 2 : length), text + (bracketed ? 1 : 0));
  *turned = false;
  if (is_crs84(plain)) {
    snprintf(out, MAP_CRS_SIZE, "EPSG:4326");
    return 0;
  }
  const char *rest = behind(plain, epsg);
  const char *code = rest != NULL ? behind_version(rest) : "";
  const size_t digits = strspn(code, "0123456789");
  if (digits == 0 || digits > 6 || code[digits] != '\0')
    return invalid(error, parameter, text);
  snprintf(out, MAP_CRS_SIZE, "EPSG:%s", code);
  struct arena *arena = arena_new((size_t)16 << 20);
  const char *canonical = NULL;
  struct error unknown = {0};
  const int status = arena != NULL ? crs_canonical(arena, out, &canonical, &unknown) : -1;
  arena_free(arena);
  if (status != 0)
    return arena == NULL ? error_memory(error) : invalid(error, parameter, text);
  *turned = crs_starts_north(out);
  return 0;
}

void service_crs_uri(const char *crs, char out[512])
{
  if (crs != NULL && strncmp(crs, "EPSG:", 5) == 0)
    snprintf(out, 512, "http://www.opengis.net/def/crs/EPSG/0/%s", crs + 5);
  else
    snprintf(out, 512, "%s", crs != NULL ? crs : "");
}
