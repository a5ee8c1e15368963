/* CRS texts: one canonical form, and what the rest of the program asks about them. On PROJ.
 *
 * The canonical form is the key by which CRSs are compared: "EPSG:n" where the definition is equivalent to that code
 * (names and axis order do not count: axis order is traditional everywhere), else WKT 2 on one line. Only the
 * horizontal part is kept. Each call has its own PROJ context, so all functions are safe from any thread. */
#include "datacube/crs_memory.h"
#include "datacube/crs_text.h"
#include "datacube/grid.h"
#include "datacube/proj_context.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <proj_experimental.h> /* proj_crs_demote_to_2D */
#include <string.h>

enum { IDENTIFY_EQUIVALENT = 70 /* PROJ's confidence from which definitions agree */ };

static const double metres_per_radian = 6378137.0;

static bool all_digits(const char *text)
{
  if (!*text)
    return false;
  for (; *text; text++)
    if (!isdigit((unsigned char)*text))
      return false;
  return true;
}

/* Code of "EPSG:n" in any case, or NULL. */
static const char *epsg_code(const char *text)
{
  return text && strncasecmp(text, "EPSG:", 5) == 0 && all_digits(text + 5) ? text + 5 : NULL;
}

/* New object of the text, or NULL. */
static PJ *parse(PJ_CONTEXT *context, const char *text)
{
  char room[512];
  const char *admitted = crs_text_admitted(text, sizeof room, room);
  return admitted ? proj_create(context, admitted) : NULL;
}

/* A CRS bound to WGS 84 by a shift of nothing (TOWGS84[0,0,0,0,0,0,0]) is the CRS itself. */
static PJ *without_null_shift(PJ_CONTEXT *context, const PJ *bound)
{
  double shift[7] = {0};
  bool moves = false;
  PJ *operation = proj_crs_get_coordoperation(context, bound);
  bool known = operation && proj_coordoperation_get_towgs84_values(context, operation, shift, 7, false);
  for (size_t i = 0; i < 7; i++)
    moves = moves || shift[i] != 0;
  proj_destroy(operation);
  return known && !moves ? proj_get_source_crs(context, bound) : proj_clone(context, bound);
}

/* The two-dimensional horizontal CRS in pj, consuming pj; NULL where there is none. */
static PJ *horizontal(PJ_CONTEXT *context, PJ *pj)
{
  PJ *next = NULL;
  switch (proj_get_type(pj)) {
  case PJ_TYPE_BOUND_CRS:
    next = without_null_shift(context, pj);
    break;
  case PJ_TYPE_GEOGRAPHIC_2D_CRS:
  case PJ_TYPE_PROJECTED_CRS:
  case PJ_TYPE_OTHER_CRS: /* derived projected CRSs */
    next = proj_clone(context, pj);
    break;
  case PJ_TYPE_GEOGRAPHIC_3D_CRS:
    next = proj_crs_demote_to_2D(context, NULL, pj);
    break;
  case PJ_TYPE_COMPOUND_CRS: {
    PJ *part = proj_crs_get_sub_crs(context, pj, 0);
    next = part ? horizontal(context, part) : NULL;
    break;
  }
  default:
    break;
  }
  proj_destroy(pj);
  return next;
}

typedef PJ *(*crs_part)(PJ_CONTEXT *context, const PJ *crs);

static bool same_part(PJ_CONTEXT *context, const PJ *a, const PJ *b, crs_part part)
{
  PJ *part_a = part(context, a), *part_b = part(context, b);
  bool same = part_a && part_b &&
              proj_is_equivalent_to_with_ctx(context, part_a, part_b, PJ_COMP_EQUIVALENT_EXCEPT_AXIS_ORDER_GEOGCRS);
  proj_destroy(part_a);
  proj_destroy(part_b);
  return same;
}

/* Projected CRSs of the same base, conversion and (normalised) axes: PROJ calls some of them different as a whole. */
static bool same_parts(PJ_CONTEXT *context, const PJ *east_a, const PJ *east_b)
{
  return proj_get_type(east_a) == PJ_TYPE_PROJECTED_CRS && proj_get_type(east_b) == PJ_TYPE_PROJECTED_CRS &&
         same_part(context, east_a, east_b, proj_crs_get_geodetic_crs) &&
         same_part(context, east_a, east_b, proj_crs_get_coordoperation) &&
         same_part(context, east_a, east_b, proj_crs_get_coordinate_system);
}

/* Whether the definitions agree but for names and axis order. */
static bool equivalent(PJ_CONTEXT *context, const PJ *a, const PJ *b)
{
  if (proj_is_equivalent_to_with_ctx(context, a, b, PJ_COMP_EQUIVALENT_EXCEPT_AXIS_ORDER_GEOGCRS))
    return true;
  PJ *east_a = proj_normalize_for_visualization(context, a), *east_b = proj_normalize_for_visualization(context, b);
  bool equal = east_a && east_b &&
               (proj_is_equivalent_to_with_ctx(context, east_a, east_b, PJ_COMP_EQUIVALENT) ||
                same_parts(context, east_a, east_b));
  proj_destroy(east_a);
  proj_destroy(east_b);
  return equal;
}

/* EPSG code of an equivalent CRS, or NULL. */
static const char *identify(PJ_CONTEXT *context, struct arena *arena, const PJ *crs)
{
  const char *code = NULL;
  int *confidence = NULL;
  PJ_OBJ_LIST *list = proj_identify(context, crs, "EPSG", NULL, &confidence);
  int count = list ? proj_list_get_count(list) : 0;
  for (int i = 0; i < count && !code && confidence[i] >= IDENTIFY_EQUIVALENT; i++) {
    PJ *candidate = proj_list_get(context, list, i);
    if (candidate && !proj_is_deprecated(candidate) && equivalent(context, crs, candidate))
      code = arena_strdup(arena, proj_get_id_code(candidate, 0));
    proj_destroy(candidate);
  }
  proj_int_list_destroy(confidence);
  proj_list_destroy(list);
  if (!code) { /* OGC:CRS84 and its kin are not found by name */
    PJ *wgs84 = proj_create(context, "EPSG:4326");
    if (wgs84 && equivalent(context, crs, wgs84))
      code = "4326";
    proj_destroy(wgs84);
  }
  return code;
}

static const char *as_wkt(PJ_CONTEXT *context, struct arena *arena, const PJ *crs)
{
  const char *const options[] = {"MULTILINE=NO", NULL};
  const char *wkt = proj_as_wkt(context, crs, PJ_WKT2_2019, options);
  if (wkt && strstr(wkt, "PARAMETERFILE["))
    return NULL; /* a shift by a file */
  return wkt ? arena_strdup(arena, wkt) : NULL;
}

static const char *canonical_of(PJ_CONTEXT *context, struct arena *arena, const PJ *crs)
{
  const char *code = NULL;
  const char *authority = proj_get_id_auth_name(crs, 0);
  const char *own = proj_get_id_code(crs, 0);
  if (authority && own && strcmp(authority, "EPSG") == 0 && all_digits(own)) { /* believed only after a look */
    PJ *candidate = proj_create_from_database(context, "EPSG", own, PJ_CATEGORY_CRS, 0, NULL);
    if (candidate && equivalent(context, crs, candidate))
      code = arena_strdup(arena, own);
    proj_destroy(candidate);
  }
  if (!code)
    code = identify(context, arena, crs);
  return code ? arena_printf(arena, "EPSG:%s", code) : as_wkt(context, arena, crs);
}

int crs_canonical(struct arena *arena, const char *text, const char **out, struct error *error)
{
  while (text && isspace((unsigned char)*text))
    text++;
  if (!text || !*text)
    return error_set(error, ERROR_CRSInvalid, "The coordinate reference system is empty.");
  const uint32_t code = crs_epsg_number(text);
  const struct crs_facts facts = crs_facts_recall(code);
  if (facts.known & CRS_CANONICAL) {
    *out = arena_printf(arena, "EPSG:%" PRIu32, facts.canonical);
    return *out ? 0 : error_memory(error);
  }
  PJ_CONTEXT *context = proj_context_confined();
  if (!context)
    return error_memory(error);
  PJ *crs = parse(context, text);
  if (crs)
    crs = horizontal(context, crs);
  const char *canonical = crs ? canonical_of(context, arena, crs) : NULL;
  proj_destroy(crs);
  proj_context_destroy(context);
  if (crs_epsg_number(canonical) != 0)
    crs_facts_keep(code, &(struct crs_facts){.known = CRS_CANONICAL, .canonical = crs_epsg_number(canonical)});
  if (!canonical)
    return error_set(error, ERROR_CRSInvalid, "\"%.120s\" is no horizontal coordinate reference system.", text);
  *out = canonical;
  return 0;
}

int crs_wkt(struct arena *arena, const char *crs, const char **out, struct error *error)
{
  PJ_CONTEXT *context = proj_context_confined();
  if (!context)
    return error_memory(error);
  PJ *pj = crs ? parse(context, crs) : NULL;
  const char *wkt = pj ? as_wkt(context, arena, pj) : NULL;
  proj_destroy(pj);
  proj_context_destroy(context);
  if (!wkt)
    return error_set(error, ERROR_CRSInvalid, "\"%.120s\" is no coordinate reference system.", crs ? crs : "");
  *out = wkt;
  return 0;
}

bool crs_equal(const char *a, const char *b)
{
  if (a == b)
    return true;
  if (!a || !b)
    return false;
  if (strcmp(a, b) == 0)
    return true;
  const char *code_a = epsg_code(a), *code_b = epsg_code(b);
  if (code_a && code_b)
    return strcmp(code_a, code_b) == 0;
  PJ_CONTEXT *context = proj_context_confined();
  if (!context)
    return false;
  PJ *pa = parse(context, a), *pb = parse(context, b);
  bool equal = pa && pb && equivalent(context, pa, pb);
  proj_destroy(pa);
  proj_destroy(pb);
  proj_context_destroy(context);
  return equal;
}

/* What PROJ says of a CRS's own axes. */
static struct crs_facts ask_axes(const char *crs)
{
  struct crs_facts facts = {.known = CRS_AXES, .si = 1};
  PJ_CONTEXT *context = proj_context_confined();
  PJ *pj = context && crs ? parse(context, crs) : NULL;
  while (pj && proj_get_type(pj) == PJ_TYPE_BOUND_CRS) {
    PJ *inner = proj_get_source_crs(context, pj);
    proj_destroy(pj);
    pj = inner;
  }
  PJ *axes = pj ? proj_crs_get_coordinate_system(context, pj) : NULL;
  const char *direction = NULL;
  facts.has_axes = axes && proj_cs_get_axis_info(context, axes, 0, NULL, NULL, &direction, &facts.si, NULL, NULL, NULL);
  facts.starts_north = facts.has_axes && direction && strcmp(direction, "north") == 0;
  const PJ_TYPE type = pj ? proj_get_type(pj) : PJ_TYPE_UNKNOWN;
  facts.geographic = type == PJ_TYPE_GEOGRAPHIC_2D_CRS || type == PJ_TYPE_GEOGRAPHIC_3D_CRS;
  proj_destroy(axes);
  proj_destroy(pj);
  if (context)
    proj_context_destroy(context);
  return facts;
}

static struct crs_facts axes_of(const char *crs)
{
  const uint32_t code = crs_epsg_number(crs);
  struct crs_facts facts = crs_facts_recall(code);
  if (facts.known & CRS_AXES)
    return facts;
  facts = ask_axes(crs);
  if (facts.has_axes) /* no memory is no fact */
    crs_facts_keep(code, &facts);
  return facts;
}

bool crs_is_geographic(const char *crs)
{
  const struct crs_facts facts = axes_of(crs);
  return facts.has_axes && facts.geographic;
}

bool crs_starts_north(const char *crs)
{
  return axes_of(crs).starts_north;
}

double crs_unit_metres(const char *crs)
{
  const struct crs_facts facts = axes_of(crs);
  if (!facts.has_axes)
    return 1;
  return facts.geographic ? facts.si * metres_per_radian : facts.si;
}
