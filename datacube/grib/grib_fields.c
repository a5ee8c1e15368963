#include "datacube/grib/grib_fields.h"

#include "datacube/source/zarr_references.h"

#include <stdlib.h>
#include <string.h>

enum { VARIABLES_MOST = 2048, WIDE_BITS = 24 };

struct field_reading {
  struct arena *arena;
  struct grib_products *products;
  struct grib_grids grids;
  struct grib_fields *out;
  size_t last, count; /* the variable of the field before; all fields */
};

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int find_variable(struct field_reading *r, const struct grib_parameter *parameter, const struct grib_grid *grid,
                         struct error *error)
{
  struct grib_fields *out = r->out;
  for (size_t i = 0; i < out->variable_count; i++) {
    const size_t at = (r->last + i) % out->variable_count;
    if (out->variables[at].parameter == parameter && out->variables[at].grid == grid) {
      r->last = at;
      return 0;
    }
  }
  if (out->variable_count == VARIABLES_MOST)
    return error_set(error, ERROR_FeatureUnsupported, "it has more than %d variables, which is not supported",
                     VARIABLES_MOST);
  struct grib_variable *rows =
      arena_grow(r->arena, out->variables, out->variable_count, &out->variable_room, sizeof *rows);
  if (!rows)
    return error_memory(error);
  out->variables = rows;
  r->last = out->variable_count++;
  out->variables[r->last] = (struct grib_variable){.parameter = parameter, .grid = grid};
  return 0;
}

/* Whether floats would not tell its values apart. */
static int read_wide(struct grib_window *w, const struct grib_field *f, bool *out, struct error *error)
{
  unsigned char bytes[20];
  const struct grib_span *s = &f->section[f->edition == 2 ? GRIB_PACKING : GRIB_DATA];
  const size_t many = f->edition == 1 ? 11 : s->length < sizeof bytes ? 12 : sizeof bytes;
  if (s->length < many || grib_read(w, s->at, many, bytes, error) != 0)
    return error_is_set(error)
               ? -1
               : error_set(error, ERROR_FileContentInvalid,
                           "the GRIB message at byte %llu does not tell how it is packed", (unsigned long long)f->at);
  const bool is_ieee = f->edition == 2 && grib_number(bytes + 9, 2) == 4;
  *out = is_ieee ? bytes[11] >= 2 : f->edition == 1 ? bytes[10] > WIDE_BITS : many >= 20 && bytes[19] > WIDE_BITS;
  return 0;
}

static int add_record(struct arena *arena, struct grib_variable *v, const struct grib_record *record,
                      struct error *error)
{
  struct grib_record *rows = arena_grow(arena, v->records, v->count, &v->room, sizeof *rows);
  if (!rows)
    return error_memory(error);
  v->records = rows;
  v->records[v->count++] = *record;
  return 0;
}

static int take_field(void *data, struct grib_window *window, const struct grib_field *field, struct error *error)
{
  struct field_reading *r = data;
  struct grib_record record = {.at = field->at, .length = field->length, .number = field->number};
  const struct grib_grid *grid;
  bool is_wide = false;
  if (++r->count > ZARR_REFERENCES_MOST)
    return error_set(error, ERROR_FeatureUnsupported, "it has more than %d fields, which is not supported",
                     ZARR_REFERENCES_MOST);
  if (grib_product_read(r->products, window, field, &record.product, error) != 0 ||
      grib_grid_read(&r->grids, r->products, window, field, &grid, error) != 0 ||
      read_wide(window, field, &is_wide, error) != 0 || find_variable(r, record.product.parameter, grid, error) != 0)
    return -1;
  struct grib_variable *v = &r->out->variables[r->last];
  v->is_wide = v->is_wide || is_wide;
  return add_record(r->arena, v, &record, error);
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */

static int compare_places(const void *a, const void *b)
{
  const struct grib_product *p = &(*(const struct grib_record *const *)a)->product;
  const struct grib_product *q = &(*(const struct grib_record *const *)b)->product;
  if (p->level != q->level)
    return p->level < q->level ? -1 : 1;
  if (p->number != q->number)
    return p->number < q->number ? -1 : 1;
  if (p->reference != q->reference)
    return p->reference < q->reference ? -1 : 1;
  return p->valid < q->valid ? -1 : p->valid > q->valid;
}

static bool is_from_beginning(const struct grib_record *r)
{
  return r->product.start == r->product.reference;
}

/* Whether fields of one place are of intervals from the forecast's beginning, and of others. */
static int has_both(const struct grib_variable *v, bool *out, struct error *error)
{
  const struct grib_record **sorted = malloc(v->count * sizeof *sorted);
  *out = false;
  if (!sorted)
    return error_memory(error);
  for (size_t i = 0; i < v->count; i++)
    sorted[i] = &v->records[i];
  qsort(sorted, v->count, sizeof *sorted, compare_places);
  for (size_t i = 1; i < v->count && !*out; i++)
    *out = compare_places(&sorted[i - 1], &sorted[i]) == 0 &&
           is_from_beginning(sorted[i - 1]) != is_from_beginning(sorted[i]);
  free(sorted);
  return 0;
}

static int part_intervals(struct arena *arena, struct grib_fields *out, size_t index, struct error *error)
{
  bool both;
  if (has_both(&out->variables[index], &both, error) != 0)
    return -1;
  if (!both)
    return 0;
  struct grib_variable *rows =
      arena_grow(arena, out->variables, out->variable_count, &out->variable_room, sizeof *rows);
  if (!rows)
    return error_memory(error);
  out->variables = rows;
  struct grib_variable *all = &rows[index], *part = &rows[out->variable_count++];
  *part = (struct grib_variable){
      .parameter = all->parameter, .grid = all->grid, .is_interval = true, .is_wide = all->is_wide};
  size_t kept = 0;
  for (size_t i = 0; i < all->count; i++) {
    if (is_from_beginning(&all->records[i]))
      all->records[kept++] = all->records[i];
    else if (add_record(arena, part, &all->records[i], error) != 0)
      return -1;
  }
  all->count = kept;
  return 0;
}

int grib_fields_read(struct arena *arena, const struct zarr_file *file, struct grib_fields *out, struct error *error)
{
  struct field_reading r = {
      .arena = arena, .products = grib_products_new(arena), .grids = {.arena = arena}, .out = out};
  *out = (struct grib_fields){.variable_count = 0};
  if (!r.products)
    return error_memory(error);
  if (grib_scan(file, take_field, &r, error) != 0)
    return -1;
  for (size_t i = 0, count = out->variable_count; i < count; i++)
    if (part_intervals(arena, out, i, error) != 0)
      return -1;
  return 0;
}
