/* Documents of arrays: what the versions 2 and 3 of the specification write, and what zarr-python adds. */
#include "datacube/source/zarr_array.h"

#include "datacube/base/checked.h"

#include <stdlib.h>
#include <string.h>

struct parsing {
  struct arena *arena;
  const struct zarr_json *document;
  struct zarr_array *array;
  struct error *error;
};

static int wrong(const struct parsing *p, const char *what)
{
  return error_set(p->error, ERROR_FileContentInvalid, "the array %.120s: %s", p->array->name, what);
}

/* The array will not be read, and this is why: the first reason stays. */
static int leave_out(const struct parsing *p, const char *what, const char *name)
{
  if (p->array->why_not == NULL)
    p->array->why_not = arena_printf(p->arena, "%s %.60s", what, name != NULL ? name : "that has no name");
  return p->array->why_not != NULL ? 0 : error_memory(p->error);
}

static bool same(const char *a, const char *b)
{
  return a != NULL && strcmp(a, b) == 0;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

/* As many sizes as there are dimensions. */
static int read_sizes(const struct parsing *p, const struct zarr_json *list, bool from_zero, size_t *out)
{
  size_t count = 0;
  for (const struct zarr_json *v = zarr_json_is(list, ZARR_JSON_ARRAY) ? list->first : NULL; v != NULL;
       v = v->next, count++)
    if (count == p->array->rank || !zarr_json_size(v, &out[count]) || (!from_zero && out[count] == 0))
      return wrong(p, "its shape and chunks are not as many whole numbers");
  return count == p->array->rank ? 0 : wrong(p, "its shape and chunks are not as many whole numbers");
}

static int read_shape(const struct parsing *p)
{
  struct zarr_array *a = p->array;
  const struct zarr_json *shape = zarr_json_member(p->document, "shape");
  if (!zarr_json_is(shape, ZARR_JSON_ARRAY))
    return wrong(p, "it has no shape");
  for (const struct zarr_json *v = shape->first; v != NULL; v = v->next)
    a->rank++;
  if (a->rank >= CUBE_MAX_DIMENSIONS)
    return wrong(p, "it has too many dimensions");
  for (size_t d = 0; d < a->rank; d++)
    a->axis[d] = d;
  return read_sizes(p, shape, true, a->shape);
}

/* A chunk must be a thing that fits into memory. */
static int check_chunk(const struct parsing *p)
{
  size_t bytes = p->array->element_size > 0 ? p->array->element_size : 1;
  for (size_t d = 0; d < p->array->rank; d++)
    if (checked_mul(bytes, p->array->chunk[d], &bytes) != 0 || bytes > INT32_MAX)
      return wrong(p, "its chunks are larger than 2 GiB");
  return 0;
}

static int read_names(const struct parsing *p, const struct zarr_json *list)
{
  size_t d = 0;
  for (const struct zarr_json *v = zarr_json_is(list, ZARR_JSON_ARRAY) ? list->first : NULL; v != NULL;
       v = v->next, d++) {
    if (d == p->array->rank)
      return wrong(p, "it has names for more dimensions than it has");
    p->array->names[d] = zarr_json_is(v, ZARR_JSON_TEXT) && v->text[0] != '\0' ? v->text : NULL;
  }
  return 0;
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

/* "<M8[ns]" and such: times since 1970. */
static int read_time_type(const struct parsing *p, const char *text)
{
  static const struct {
    const char *code, *unit;
  } units[] = {{"[D]", "days"},          {"[h]", "hours"},         {"[m]", "minutes"},     {"[s]", "seconds"},
               {"[ms]", "milliseconds"}, {"[us]", "microseconds"}, {"[ns]", "nanoseconds"}};
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (strcmp(text, units[i].code) == 0) {
      p->array->kind = ZARR_TIME;
      p->array->type = ELEMENT_I64;
      p->array->element_size = 8;
      p->array->time_unit = units[i].unit;
      return 0;
    }
  return leave_out(p, "has times of the unit", text);
}

/* As NumPy writes types: byte order, kind, size in bytes (of U: in characters). */
static int read_type_2(const struct parsing *p)
{
  static const struct {
    char kind;
    size_t size;
    enum element_type type;
  } rows[] = {{'u', 1, ELEMENT_U8},  {'i', 1, ELEMENT_I8},  {'u', 2, ELEMENT_U16}, {'i', 2, ELEMENT_I16},
              {'u', 4, ELEMENT_U32}, {'i', 4, ELEMENT_I32}, {'u', 8, ELEMENT_U64}, {'i', 8, ELEMENT_I64},
              {'f', 4, ELEMENT_F32}, {'f', 8, ELEMENT_F64}, {'c', 8, ELEMENT_C64}, {'c', 16, ELEMENT_C128}};
  struct zarr_array *a = p->array;
  const char *text = zarr_json_text(p->document, "dtype");
  if (text == NULL || strlen(text) < 2 || strchr("<>|", text[0]) == NULL)
    return leave_out(p, "is of a type", text);
  const char kind = text[1];
  char *end;
  const unsigned long size = strtoul(text + 2, &end, 10);
  a->big_endian = text[0] == '>';
  if (kind == 'O') {
    a->kind = ZARR_TEXTS;
    return 0;
  }
  if (kind == 'M' && size == 8)
    return read_time_type(p, end);
  a->element_size = kind == 'U' ? 4 * size : size;
  if ((kind == 'S' || kind == 'U') && size > 0 && size <= 4096 && *end == '\0') {
    a->kind = kind == 'S' ? ZARR_BYTES : ZARR_UCS4;
    return 0;
  }
  if (kind == 'b' && size == 1) {
    a->kind = ZARR_BOOL;
    return 0;
  }
  for (size_t i = 0; i < sizeof rows / sizeof rows[0] && *end == '\0'; i++)
    if (rows[i].kind == kind && rows[i].size == size) {
      a->type = rows[i].type;
      return 0;
    }
  return leave_out(p, "is of the type", text);
}

static int read_type_3(const struct parsing *p)
{
  struct zarr_array *a = p->array;
  const struct zarr_json *type = zarr_json_member(p->document, "data_type");
  const char *text = zarr_json_is(type, ZARR_JSON_TEXT) ? type->text : zarr_json_text(type, "name");
  const enum element_type known = text != NULL ? element_from_name(text) : ELEMENT_TYPE_COUNT;
  if (same(text, "string")) {
    a->kind = ZARR_TEXTS;
    return 0;
  }
  if (same(text, "bool")) {
    a->kind = ZARR_BOOL;
    a->element_size = 1;
    return 0;
  }
  if (known == ELEMENT_TYPE_COUNT || known == ELEMENT_BOOLEAN)
    return leave_out(p, "is of the type", text);
  a->type = known;
  a->element_size = element_info(known)->size;
  return 0;
}

/* ---- codecs ------------------------------------------------------------------------------------------------------ */

/* Whether a GRIB message's values can be the chunk: nothing else encodes it, and it has two dimensions at the end. */
static bool is_grib(const struct parsing *p, const struct zarr_json *about)
{
  const struct zarr_array *a = p->array;
  const char *what = zarr_json_text(about, "var");
  size_t before = 1;
  for (size_t d = 0; d + 2 < a->rank; d++)
    before *= a->chunk[d];
  return a->rank >= 2 && before == 1 && a->codec_count == 1 && a->kind == ZARR_NUMBER && !a->big_endian &&
         (a->type == ELEMENT_F32 || a->type == ELEMENT_F64) && !same(what, "latitude") && !same(what, "longitude");
}

static int add_codec(const struct parsing *p, const char *name, const struct zarr_json *about)
{
  static const char *const names[] = {[ZARR_ZLIB] = "zlib",
                                      [ZARR_GZIP] = "gzip",
                                      [ZARR_ZSTD] = "zstd",
                                      [ZARR_BLOSC] = "blosc",
                                      [ZARR_SHUFFLE] = "shuffle",
                                      [ZARR_CRC32C] = "crc32c",
                                      [ZARR_FLETCHER32] = "fletcher32",
                                      [ZARR_CRC32] = "crc32",
                                      [ZARR_ADLER32] = "adler32",
                                      [ZARR_DELTA] = "delta",
                                      [ZARR_SCALE] = "fixedscaleoffset",
                                      [ZARR_BITROUND] = "bitround",
                                      [ZARR_QUANTIZE] = "quantize",
                                      [ZARR_GRIB] = "grib"};
  struct zarr_array *a = p->array;
  if (name != NULL && strncmp(name, "numcodecs.", 10) == 0)
    name += 10;
  for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(name, names[i]) != 0)
      continue;
    if (a->codec_count == ZARR_MAX_CODECS)
      return wrong(p, "it has too many codecs");
    struct zarr_codec *codec = &a->codecs[a->codec_count++];
    codec->kind = i;
    codec->sum_first = !same(zarr_json_text(about, "location"), "end");
    if ((i == ZARR_DELTA || i == ZARR_SCALE) && !zarr_filter_read(about, &codec->filter))
      return leave_out(p, "has, of types that are not undone, the filter", name);
    if (i == ZARR_QUANTIZE && zarr_json_text(about, "astype") &&
        !same(zarr_json_text(about, "astype"), zarr_json_text(about, "dtype")))
      return leave_out(p, "has, of types that are not undone, the filter", name);
    codec->size = 4; /* where it is not told */
    zarr_json_size(zarr_json_member(about, "elementsize"), &codec->size);
    codec->alternates = zarr_json_is(zarr_json_member(about, "alternates"), ZARR_JSON_TRUE);
    if (codec->kind == ZARR_GRIB && !is_grib(p, about))
      return leave_out(p, "is encoded with", "grib, but not as the values of whole messages");
    return codec->size > 0 && codec->size <= 64 ? 0 : wrong(p, "elements that are shuffled have no such size");
  }
  return leave_out(p, "is encoded with", name);
}

static int read_codecs_2(const struct parsing *p)
{
  struct zarr_array *a = p->array;
  const struct zarr_json *filters = zarr_json_member(p->document, "filters");
  const struct zarr_json *packed = zarr_json_member(p->document, "compressor");
  bool texts = false;
  for (const struct zarr_json *f = zarr_json_is(filters, ZARR_JSON_ARRAY) ? filters->first : NULL; f != NULL;
       f = f->next) {
    const char *name = zarr_json_text(f, "id");
    if (a->kind == ZARR_TEXTS && same(name, "vlen-utf8") && !texts)
      texts = true;
    else if (add_codec(p, name, f) != 0)
      return -1;
  }
  if (a->kind == ZARR_TEXTS && !texts)
    return leave_out(p, "has objects", "that are no texts");
  return zarr_json_is(packed, ZARR_JSON_OBJECT) ? add_codec(p, zarr_json_text(packed, "id"), packed) : 0;
}

/* `order` tells for each stored dimension which one of the array it is. */
static int read_transpose(const struct parsing *p, const struct zarr_json *about)
{
  struct zarr_array *a = p->array;
  size_t order[CUBE_MAX_DIMENSIONS], axis[CUBE_MAX_DIMENSIONS];
  bool seen[CUBE_MAX_DIMENSIONS] = {false};
  if (read_sizes(p, zarr_json_member(about, "order"), true, order) != 0)
    return -1;
  for (size_t d = 0; d < a->rank; d++) {
    if (order[d] >= a->rank || seen[order[d]])
      return wrong(p, "its codec transpose has no order");
    seen[order[d]] = true;
    axis[d] = a->axis[order[d]];
  }
  memcpy(a->axis, axis, a->rank * sizeof *axis);
  return 0;
}

static int read_codecs_3(const struct parsing *p, const struct zarr_json *list);

/* The index must be what everybody writes: numbers, with a checksum behind them or none. */
static int read_sharding(const struct parsing *p, const struct zarr_json *about)
{
  struct zarr_array *a = p->array;
  const struct zarr_json *index = zarr_json_member(about, "index_codecs");
  size_t files[CUBE_MAX_DIMENSIONS], inner[CUBE_MAX_DIMENSIONS]; /* inner: of the dimensions as stored */
  memcpy(files, a->chunk, sizeof files);
  if (a->sharded || a->codec_count > 0)
    return leave_out(p, "has shards", "within another encoding");
  a->sharded = true;
  a->index_first = same(zarr_json_text(about, "index_location"), "start");
  if (read_sizes(p, zarr_json_member(about, "chunk_shape"), false, inner) != 0)
    return -1;
  for (size_t s = 0; s < a->rank; s++)
    a->chunk[a->axis[s]] = inner[s];
  for (size_t d = 0; d < a->rank; d++)
    if (files[d] % a->chunk[d] != 0)
      return wrong(p, "its shards are not made of whole chunks");
  memcpy(a->file_chunk, files, sizeof files);
  for (const struct zarr_json *c = zarr_json_is(index, ZARR_JSON_ARRAY) ? index->first : NULL; c != NULL; c = c->next) {
    const char *name = zarr_json_text(c, "name");
    const char *endian = zarr_json_text(zarr_json_member(c, "configuration"), "endian");
    const bool plain = same(name, "bytes") && same(endian, "little");
    if (c == index->first ? !plain : !same(name, "crc32c") || c->next != NULL)
      return leave_out(p, "has an index of its shards in", name);
    a->index_summed = a->index_summed || c != index->first;
  }
  return read_codecs_3(p, zarr_json_member(about, "codecs"));
}

/* Of those that come before bytes are made of the numbers. */
static bool is_filter(const char *name)
{
  static const char *const names[] = {"numcodecs.delta", "numcodecs.fixedscaleoffset", "numcodecs.bitround",
                                      "numcodecs.quantize"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (same(name, names[i]))
      return true;
  return false;
}

static int read_codecs_3(const struct parsing *p, const struct zarr_json *list)
{
  struct zarr_array *a = p->array;
  bool as_bytes = false;
  for (const struct zarr_json *c = zarr_json_is(list, ZARR_JSON_ARRAY) ? list->first : NULL; c != NULL; c = c->next) {
    const char *name = zarr_json_is(c, ZARR_JSON_TEXT) ? c->text : zarr_json_text(c, "name");
    const struct zarr_json *about = zarr_json_member(c, "configuration");
    int status = 0;
    if (same(name, "sharding_indexed") && !as_bytes) {
      status = read_sharding(p, about);
      as_bytes = true;
    } else if (same(name, "transpose") && !as_bytes) {
      status = a->sharded ? leave_out(p, "has shards with", name) : read_transpose(p, about);
    } else if ((same(name, "bytes") || (same(name, "vlen-utf8") && a->kind == ZARR_TEXTS)) && !as_bytes) {
      a->big_endian = same(zarr_json_text(about, "endian"), "big");
      as_bytes = true;
      if (a->big_endian && a->codec_count > 0)
        status = leave_out(p, "has filters before the codec", "bytes of the other order");
    } else if (is_filter(name) && !as_bytes) {
      status = add_codec(p, name, about);
    } else {
      status = as_bytes ? add_codec(p, name, about) : leave_out(p, "is encoded with", name);
    }
    if (status != 0)
      return -1;
  }
  return as_bytes || a->why_not != NULL ? 0 : leave_out(p, "has no codec", "that makes bytes of it");
}

/* ---- versions ---------------------------------------------------------------------------------------------------- */

static int read_2(const struct parsing *p)
{
  struct zarr_array *a = p->array;
  const char *separator = zarr_json_text(p->document, "dimension_separator");
  a->separator = same(separator, "/") ? "/" : ".";
  a->prefix = "";
  if (read_sizes(p, zarr_json_member(p->document, "chunks"), false, a->chunk) != 0 || read_type_2(p) != 0 ||
      read_codecs_2(p) != 0 || read_names(p, zarr_json_member(a->attributes, "_ARRAY_DIMENSIONS")) != 0)
    return -1;
  for (size_t d = 0; d < a->rank && same(zarr_json_text(p->document, "order"), "F"); d++)
    a->axis[d] = a->rank - 1 - d;
  memcpy(a->file_chunk, a->chunk, sizeof a->chunk);
  return 0;
}

static int read_3(const struct parsing *p)
{
  struct zarr_array *a = p->array;
  const struct zarr_json *grid = zarr_json_member(p->document, "chunk_grid");
  const struct zarr_json *keys = zarr_json_member(p->document, "chunk_key_encoding");
  const struct zarr_json *transformers = zarr_json_member(p->document, "storage_transformers");
  const bool old = same(zarr_json_text(keys, "name"), "v2");
  const char *separator = zarr_json_text(zarr_json_member(keys, "configuration"), "separator");
  a->separator = separator != NULL ? (same(separator, ".") ? "." : "/") : old ? "." : "/";
  a->prefix = old ? "" : "c";
  if (!same(zarr_json_text(grid, "name"), "regular"))
    return leave_out(p, "has chunks on the grid", zarr_json_text(grid, "name"));
  if (zarr_json_is(transformers, ZARR_JSON_ARRAY) && transformers->first != NULL)
    return leave_out(p, "is stored with", zarr_json_text(transformers->first, "name"));
  if (read_sizes(p, zarr_json_member(zarr_json_member(grid, "configuration"), "chunk_shape"), false, a->chunk) != 0)
    return -1;
  memcpy(a->file_chunk, a->chunk, sizeof a->chunk);
  if (read_type_3(p) != 0 || read_codecs_3(p, zarr_json_member(p->document, "codecs")) != 0)
    return -1;
  return read_names(p, zarr_json_member(p->document, "dimension_names"));
}

int zarr_array_read(struct arena *arena, const struct zarr_node *node, struct zarr_array *out, struct error *error)
{
  const struct parsing p = {.arena = arena, .document = node->document, .array = out, .error = error};
  const struct zarr_json *fill = zarr_json_member(node->document, "fill_value");
  *out = (struct zarr_array){.group = node->group,
                             .name = node->name,
                             .folder = node->folder,
                             .version = node->version,
                             .type = ELEMENT_U8,
                             .fill = zarr_json_is(fill, ZARR_JSON_NULL) ? NULL : fill,
                             .attributes = node->attributes};
  if (read_shape(&p) != 0 || (node->version == 2 ? read_2 : read_3)(&p) != 0)
    return -1;
  return out->why_not != NULL ? 0 : check_chunk(&p);
}
