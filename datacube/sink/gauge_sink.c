/* Files of gauge fields: NERSC, ILDG, MILC, openQCD. One SU(3) configuration in four dimensions; the cube may have its
 * dimensions in any order, and others of one label. The header's means and checksums need all of it first. */
#include "datacube/sink/formats.h"
#include "datacube/sink/gauge_writer.h"
#include "datacube/sink/output.h"
#include "datacube/sink/whole.h"
#include "datacube/source/gauge_sums.h"

#include <stdlib.h>
#include <string.h>

enum { AXES = GAUGE_FILE_AXES, COLOURS = GAUGE_FILE_COLOURS, FIELD_DIMENSIONS = AXES + 3 };

struct gauge_kind { /* a row of the formats */
  const struct sink_format *format;
  gauge_file_writer *write;
  bool single, even; /* has numbers of single precision alone; has links by odd sites */
};

struct field_place {                  /* where the field's dimensions are in the cube */
  size_t dimension[FIELD_DIMENSIONS]; /* x0, x1, x2, x3, direction, row, column */
  size_t direction[AXES];             /* label of each axis */
};

struct gauge_sink {
  struct sink sink;
  const struct gauge_kind *kind;
  struct cube cube; /* type and sizes alone, after open */
  struct field_place place;
  struct output output;
  struct whole whole;
};

static const struct gauge_kind *kind_of(const char *name);

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static int find_field(const struct cube *cube, const char *format, struct field_place *out, struct error *error)
{
  static const char *const names[FIELD_DIMENSIONS] = {"x0", "x1", "x2", "x3", "direction", "row", "column"};
  static const size_t sizes[FIELD_DIMENSIONS] = {0, 0, 0, 0, AXES, COLOURS, COLOURS};
  size_t others = 1;
  for (size_t k = 0; k < FIELD_DIMENSIONS; k++) {
    size_t d = out->dimension[k] = cube_find_dimension(cube, names[k]);
    if (d == SIZE_MAX || (sizes[k] ? cube->dimension[d].size != sizes[k] : cube->dimension[d].size < 1))
      return error_set(error, ERROR_FormatUnsuitable,
                       "%s holds SU(3) gauge fields in four dimensions: x0, x1, x2, x3, "
                       "direction (4 labels), row and column (3 each); %s is not so",
                       format, names[k]);
    if (k < AXES && !dimension_counts(&cube->dimension[d]))
      return error_set(error, ERROR_FormatUnsuitable,
                       "%s holds whole lattices: the labels of %s must be 0, 1, …, and are not", format, names[k]);
  }
  for (size_t k = 0; k < AXES; k++) {
    out->direction[k] = dimension_find_text(&cube->dimension[out->dimension[AXES]], names[k]);
    if (out->direction[k] == SIZE_MAX)
      return error_set(error, ERROR_FormatUnsuitable, "%s wants the directions x0, x1, x2 and x3; %s is missing",
                       format, names[k]);
  }
  for (size_t d = 0; d < cube->dimensions; d++) {
    bool of_field = false;
    for (size_t k = 0; k < FIELD_DIMENSIONS; k++)
      of_field = of_field || out->dimension[k] == d;
    others *= of_field ? 1 : cube->dimension[d].size;
  }
  if (others != 1)
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s holds one configuration, the cube has %zu: filter_labels picks one", format, others);
  return 0;
}

static int check_field(const struct gauge_kind *kind, const struct cube *cube, struct field_place *place,
                       struct error *error)
{
  const char *format = kind->format->name;
  if (!element_info(cube->type)->is_complex)
    return error_set(error, ERROR_FormatUnsuitable, "%s holds complex numbers, the cube has %s", format,
                     element_info(cube->type)->name);
  if (find_field(cube, format, place, error) != 0)
    return -1;
  if (kind->single && cube->type != ELEMENT_C64)
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s holds complex64, the cube has complex128: ILDG and NERSC hold both", format);
  for (size_t k = 0; k < AXES; k++) {
    size_t extent = cube->dimension[place->dimension[k]].size;
    if (extent > 4096 || (kind->even && extent % 2 != 0))
      return error_set(error, ERROR_FormatUnsuitable, "%s holds lattices of %sextents up to 4096; x%zu has %zu sites",
                       format, kind->even ? "even " : "", k, extent);
  }
  return 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The next position of the field's dimensions, the last one fastest; false after the last. */
static bool next_place(const size_t *count, size_t *at)
{
  for (size_t k = FIELD_DIMENSIONS; k-- > 0; at[k] = 0)
    if (++at[k] < count[k])
      return true;
  return false;
}

/* The elements as complex128 in the order of the files. */
static void sort_elements(const struct gauge_sink *sink, const size_t *extent, double *to)
{
  size_t stride[CUBE_MAX_DIMENSIONS], step = 1, at[FIELD_DIMENSIONS] = {0};
  const size_t count[FIELD_DIMENSIONS] = {extent[0], extent[1], extent[2], extent[3], AXES, COLOURS, COLOURS};
  const void *data = sink->whole.data;
  for (size_t d = sink->cube.dimensions; d-- > 0; step *= sink->cube.dimension[d].size)
    stride[d] = step;
  do {
    size_t place = 0;
    for (size_t k = 0; k < FIELD_DIMENSIONS; k++)
      place += (k == AXES ? sink->place.direction[at[k]] : at[k]) * stride[sink->place.dimension[k]];
    for (size_t part = 2 * place; part < 2 * place + 2; part++)
      *to++ = sink->cube.type == ELEMENT_C64 ? (double)((const float *)data)[part] : ((const double *)data)[part];
  } while (next_place(count, at));
}

/* The files' readers would refuse anything else. */
static int check_links(const struct gauge_sink *sink, const struct gauge_writer *writer, struct error *error)
{
  double off = gauge_unitarity(writer->file.extent, writer->elements);
  double turned = off < GAUGE_UNITARITY ? gauge_turned(writer->file.extent, writer->elements) : 0;
  if (off < GAUGE_UNITARITY && turned < GAUGE_UNITARITY)
    return 0;
  if (off < GAUGE_UNITARITY)
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s holds SU(3) gauge fields, whose links have the determinant 1: |det U - 1| of one is %.3g",
                     sink->kind->format->name, COLOURS * turned);
  return error_set(error, ERROR_FormatUnsuitable,
                   "%s holds SU(3) gauge fields, whose links are all unitary (open axes have none): an entry of "
                   "U U^dagger - 1 is %.3g",
                   sink->kind->format->name, off);
}

static int write_field(struct gauge_sink *sink, FILE *stream, struct error *error)
{
  struct gauge_writer writer = {.stream = stream};
  writer.file.rows = COLOURS;
  writer.file.is_double = sink->cube.type == ELEMENT_C128;
  for (size_t k = 0; k < AXES; k++)
    writer.file.extent[k] = sink->cube.dimension[sink->place.dimension[k]].size;
  size_t bytes = gauge_file_bytes(&writer.file, true);
  double *elements = spill_new(bytes, sink->output.path, error);
  if (!elements)
    return -1;
  sort_elements(sink, writer.file.extent, elements);
  writer.elements = elements;
  int status = check_links(sink, &writer, error);
  if (status == 0)
    sink->kind->write(&writer);
  spill_free(elements, bytes);
  if (status != 0)
    return -1;
  return fflush(stream) == 0 && !ferror(stream) ? 0 : output_error(error, "cannot write the gauge field");
}

static int gauge_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  (void)error;
  whole_put(&((struct gauge_sink *)base)->whole, box, data);
  return 0;
}

static int gauge_finish(struct sink *base, struct error *error)
{
  struct gauge_sink *sink = (struct gauge_sink *)base;
  if (whole_complete(&sink->whole, error) != 0)
    return -1;
  FILE *stream = fopen(sink->output.temporary, "wbe");
  if (!stream)
    return output_error(error, "cannot write the gauge field");
  int status = write_field(sink, stream, error);
  if (fclose(stream) != 0 && status == 0)
    status = output_error(error, "cannot write the gauge field");
  return status == 0 ? output_commit(&sink->output, error) : -1;
}

static void gauge_close(struct sink *base)
{
  struct gauge_sink *sink = (struct gauge_sink *)base;
  if (!sink)
    return;
  whole_end(&sink->whole);
  output_discard(&sink->output);
  free(sink);
}

static const struct sink_ops gauge_ops = {.put = gauge_put, .finish = gauge_finish, .close = gauge_close};

static int gauge_open(const struct sink_request *request, const struct cube *cube, struct sink **out,
                      struct error *error)
{
  struct gauge_sink *sink = calloc(1, sizeof *sink);
  *out = NULL;
  if (!sink)
    return error_memory(error);
  sink->kind = kind_of(request->format);
  sink->cube = *cube;
  sink->sink = (struct sink){&gauge_ops, sink->kind->format->media_type};
  if (check_field(sink->kind, cube, &sink->place, error) != 0 ||
      output_begin(&sink->output, request->path, error) != 0 ||
      whole_begin(&sink->whole, cube, request->path, error) != 0) {
    gauge_close(&sink->sink);
    return -1;
  }
  *out = &sink->sink;
  return 0;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

#define GAUGE_FORMAT(id, label, heading, more, suffix)                                                                 \
  static int check_##id(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error) \
  {                                                                                                                    \
    struct field_place place;                                                                                          \
    (void)options;                                                                                                     \
    (void)count;                                                                                                       \
    return check_field(kind_of(label), cube, &place, error);                                                           \
  }                                                                                                                    \
  const struct sink_format sink_format_##id = {.name = label,                                                          \
                                               .title = heading,                                                       \
                                               .description = "One SU(3) gauge field in four dimensions, " more,       \
                                               .extension = suffix,                                                    \
                                               .media_type = "application/octet-stream",                               \
                                               .parameters = "{}",                                                     \
                                               .text = true,                                                           \
                                               .check = check_##id,                                                    \
                                               .open = gauge_open};

GAUGE_FORMAT(nersc, "NERSC", "NERSC gauge field", "with checksum, plaquette and link trace.", "nersc")
GAUGE_FORMAT(ildg, "ILDG", "ILDG gauge field", "in a LIME file with SciDAC checksums.", "lime")
GAUGE_FORMAT(milc, "MILC", "MILC gauge field", "version 5, in single precision, with checksums.", "milc")
GAUGE_FORMAT(openqcd, "openQCD", "openQCD gauge field", "on even extents, with its plaquette.", "cnfg")

static const struct gauge_kind *kind_of(const char *name)
{
  static const struct gauge_kind kinds[] = {{&sink_format_nersc, gauge_write_nersc, false, false},
                                            {&sink_format_ildg, gauge_write_ildg, false, false},
                                            {&sink_format_milc, gauge_write_milc, true, false},
                                            {&sink_format_openqcd, gauge_write_openqcd, false, true}};
  const struct sink_format *format = sink_format_find(name);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].format == format)
      return &kinds[i];
  return NULL; /* the rows above name no other */
}
