#include "stac/items_query.h"

#include "datacube/base/instant.h"
#include "datacube/lonlat.h"
#include "datacube/transform.h"

enum { PAGE_ITEMS = 200 };

bool items_box(const struct load_request *request, struct extent *out)
{
  struct transform *to_lonlat = NULL;
  struct error ignored = {0};
  const struct extent *extent = request->extent;
  const bool told =
      extent && transform_new(extent->crs, NULL, &to_lonlat, &ignored) == 0 && lonlat_image(to_lonlat, extent, out);
  transform_free(to_lonlat);
  return told;
}

/* A box whose image cannot be told is not said. */
static void add_box(const struct load_request *request, struct buffer *out)
{
  struct extent box;
  double edges[4];
  if (!items_box(request, &box))
    return;
  lonlat_edges(&box, edges);
  buffer_printf(out, "&bbox=%.9g,%.9g,%.9g,%.9g", edges[0], edges[1], edges[2], edges[3]);
}

static void add_interval(const struct load_request *request, struct buffer *out)
{
  char start[40] = "..", end[40] = "..";
  if (!request->has_start && !request->has_end)
    return;
  if (request->has_start)
    instant_format(request->start, CALENDAR_GREGORIAN, start);
  if (request->has_end)
    instant_format(request->end, CALENDAR_GREGORIAN, end);
  buffer_printf(out, "&datetime=%s/%s", start, end);
}

const char *items_query(struct arena *arena, const struct load_request *request)
{
  struct buffer text = {0};
  buffer_printf(&text, "limit=%d", PAGE_ITEMS);
  add_box(request, &text);
  add_interval(request, &text);
  const char *out = text.failed ? NULL : arena_strdup(arena, text.data);
  buffer_free(&text);
  return out;
}
