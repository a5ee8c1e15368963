/* Reading styles: numbers that may be one for all bands, ramps, categories. */
#include "server/services/style.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int invalid(struct error *error, const char *option, const char *wants)
{
  return error_parameter(error, ERROR_ServiceConfigInvalid, option, "wants %s", wants);
}

/* A number, or one a band; absent and null leave `out` as it is. */
static int read_numbers(const json_t *configuration, const char *option, size_t bands, double *out, struct error *error)
{
  const json_t *given = json_object_get(configuration, option);
  if (given == NULL || json_is_null(given))
    return 0;
  if (json_is_array(given) && json_array_size(given) != bands)
    return invalid(error, option, bands == 1 ? "one number" : "a number, or one for each of the three bands");
  for (size_t i = 0; i < bands; i++) {
    const json_t *number = json_is_array(given) ? json_array_get(given, i) : given;
    if (!json_is_number(number) || !isfinite(json_number_value(number)))
      return invalid(error, option, "numbers");
    out[i] = json_number_value(number);
  }
  return 0;
}

static int read_stretch(const json_t *configuration, size_t bands, const double range[][2], struct style *out,
                        struct error *error)
{
  for (size_t i = 0; i < bands; i++) {
    out->min[i] = range[i][0];
    out->max[i] = range[i][1];
  }
  if (read_numbers(configuration, "min", bands, out->min, error) != 0 ||
      read_numbers(configuration, "max", bands, out->max, error) != 0)
    return -1;
  for (size_t i = 0; i < bands; i++)
    if (!(out->min[i] < out->max[i])) {
      if (json_is_null(json_object_get(configuration, "min")) || json_object_get(configuration, "min") == NULL)
        out->min[i] = out->max[i] - 1;
      else if (json_object_get(configuration, "max") == NULL)
        out->max[i] = out->min[i] + 1;
      else
        return error_parameter(error, ERROR_ServiceConfigInvalid, "max", "%g wants to be above min, %g", out->max[i],
                               out->min[i]);
    }
  return 0;
}

static int compare_numbers(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int read_category(const char *key, const json_t *value, double *number, struct colour *colour)
{
  char *end;
  *number = strtod(key, &end);
  return end == key || *end != '\0' || !isfinite(*number) || !json_is_string(value) ||
                 !colour_parse(json_string_value(value), colour)
             ? -1
             : 0;
}

static int read_categories(const json_t *categories, struct style *out, struct error *error)
{
  static const char wants[] = "an object of 1 to 255 numbers, each with its colour: {\"4\": \"#00a000\"}";
  const size_t count = json_object_size(categories);
  const char *key;
  json_t *value;
  double number;
  struct colour colour;
  if (!json_is_object(categories) || count == 0 || count >= STYLE_COLOURS)
    return invalid(error, "categories", wants);
  out->colours = 1;
  json_object_foreach((json_t *)(uintptr_t)categories, key, value)
  {
    if (read_category(key, value, &number, &colour) != 0)
      return invalid(error, "categories", wants);
    out->values[out->colours++] = number;
  }
  qsort(out->values + 1, count, sizeof out->values[0], compare_numbers);
  json_object_foreach((json_t *)(uintptr_t)categories, key, value)
  {
    read_category(key, value, &number, &colour);
    const double *at = bsearch(&number, out->values + 1, count, sizeof number, compare_numbers);
    out->palette[at - out->values] = colour;
  }
  out->kind = STYLE_CATEGORIES;
  return 0;
}

static int read_ramp(const json_t *configuration, struct style *out, struct error *error)
{
  const json_t *name = json_object_get(configuration, "colormap");
  if (name != NULL && !json_is_null(name) && !json_is_string(name))
    return invalid(error, "colormap", "the name of a ramp");
  const char *text = json_is_string(name) ? json_string_value(name) : "gray";
  out->kind = STYLE_RAMP;
  out->colours = STYLE_COLOURS;
  if (!colour_ramp(text, out->palette + 1, STYLE_COLOURS - 1))
    return error_parameter(error, ERROR_ServiceConfigInvalid, "colormap", "there is no ramp '%.40s'", text);
  return 0;
}

int style_read(const json_t *configuration, size_t bands, const double range[][2], struct style *out,
               struct error *error)
{
  const json_t *categories = json_object_get(configuration, "categories");
  *out = (struct style){.kind = STYLE_COLOUR};
  if (bands == 1 && categories != NULL && !json_is_null(categories))
    return read_categories(categories, out, error);
  if (bands == 1 && read_ramp(configuration, out, error) != 0)
    return -1;
  return read_stretch(configuration, bands, range, out, error);
}
