/* Which collections are wanted: see the header. Only those members become trees that are looked at. */
#include "server/stac_api/stac_collection_match.h"

#include "server/http/json_text.h"

#include "datacube/base/instant.h"
#include "datacube/lonlat.h"

#include <string.h>

json_t *document_member(const struct buffer *document, const char *name)
{
  size_t length = 0;
  const char *text = json_text_member(document->data, document->length, name, &length);
  return text != NULL ? json_loadb(text, length, JSON_DECODE_ANY, NULL) : NULL;
}

int collection_wish_read(const json_t *query, struct collection_wish *out, struct error *error)
{
  struct stac_box box;
  *out = (struct collection_wish){.terms = NULL};
  const int has_terms = stac_query_texts(query, "q", &out->terms, error);
  const int has_box = has_terms < 0 ? -1 : stac_query_box(query, &box, error);
  const int has_interval = has_box < 0 ? -1 : stac_query_interval(query, &out->interval, error);
  if (has_interval < 0)
    return -1;
  if (has_terms == 0 || json_array_size(out->terms) == 0)
    out->terms = NULL;
  out->has_interval = has_interval == 1;
  out->has_box = has_box == 1;
  if (!out->has_box)
    return 0;
  const double *sides = box.sides;
  struct extent wide = {sides[0], sides[1], sides[2] + (sides[0] > sides[2] ? 360 : 0), sides[3], NULL};
  out->box = lonlat_normal(&wide);
  return 0;
}

/* ---- free text -------------------------------------------------------------------------------------------------- */

static bool value_has_term(const json_t *value, const char *term)
{
  const char *text = json_string_value(value);
  if (text != NULL)
    return strcasestr(text, term) != NULL;
  for (size_t i = 0; i < json_array_size(value); i++)
    if (value_has_term(json_array_get(value, i), term))
      return true;
  return false;
}

static bool has_a_term(const json_t *terms, const struct buffer *document)
{
  static const char *const members[] = {"id", "title", "description", "keywords"};
  bool found = false;
  for (size_t m = 0; m < sizeof members / sizeof members[0] && !found; m++) {
    json_t *value = document_member(document, members[m]);
    for (size_t i = 0; value != NULL && i < json_array_size(terms) && !found; i++)
      found = value_has_term(value, json_string_value(json_array_get(terms, i)));
    json_decref(value);
  }
  return found;
}

/* ---- extents ---------------------------------------------------------------------------------------------------- */

/* A box of a document, four numbers or six. */
static bool meets(const struct extent *wanted, const json_t *numbers)
{
  const size_t count = json_array_size(numbers), half = count / 2;
  if (count != 4 && count != 6)
    return false;
  const double west = json_number_value(json_array_get(numbers, 0)),
               east = json_number_value(json_array_get(numbers, half));
  const struct extent given = {west, json_number_value(json_array_get(numbers, 1)), east + (west > east ? 360 : 0),
                               json_number_value(json_array_get(numbers, half + 1)), NULL};
  const struct extent box = lonlat_normal(&given);
  if (box.south > wanted->north || box.north < wanted->south)
    return false;
  for (int turn = -360; turn <= 360; turn += 360)
    if (box.west + turn <= wanted->east && box.east + turn >= wanted->west)
      return true;
  return false;
}

static bool overlaps(const struct stac_interval *wanted, const json_t *ends)
{
  const char *first = json_string_value(json_array_get(ends, 0)), *last = json_string_value(json_array_get(ends, 1));
  int64_t start = INT64_MIN, end = INT64_MAX;
  if ((first != NULL && instant_parse(first, CALENDAR_GREGORIAN, &start) != 0) ||
      (last != NULL && instant_parse(last, CALENDAR_GREGORIAN, &end) != 0))
    return false;
  return (!wanted->has_end || start <= wanted->end) && (!wanted->has_start || end >= wanted->start);
}

static bool extent_fits(const struct collection_wish *wish, const json_t *extent)
{
  const json_t *boxes = json_object_get(json_object_get(extent, "spatial"), "bbox"),
               *intervals = json_object_get(json_object_get(extent, "temporal"), "interval");
  bool fits = !wish->has_box;
  for (size_t i = 0; i < json_array_size(boxes) && !fits; i++)
    fits = meets(&wish->box, json_array_get(boxes, i));
  if (!fits || !wish->has_interval)
    return fits;
  for (size_t i = 0; i < json_array_size(intervals); i++)
    if (overlaps(&wish->interval, json_array_get(intervals, i)))
      return true;
  return false;
}

bool collection_is_wanted(const struct collection_wish *wish, const struct buffer *document)
{
  if (wish->terms != NULL && !has_a_term(wish->terms, document))
    return false;
  if (!wish->has_box && !wish->has_interval)
    return true;
  json_t *extent = document_member(document, "extent");
  const bool fits = extent_fits(wish, extent);
  json_decref(extent);
  return fits;
}
