/* Reading and verifying files of gauge fields. See gauge_file.h. */
#include "datacube/source/gauge_file.h"

#include "datacube/base/checked.h"
#include "datacube/source/gauge_hdf5.h"
#include "datacube/source/gauge_sums.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LONGEST_AXIS = 4096, NUMBERS = 2 * GAUGE_FILE_COLOURS * GAUGE_FILE_COLOURS, CHUNK_SITES = 256 };

int gauge_header_wrong(const struct gauge_header *header, struct error *error, const char *format, ...)
{
  char what[400];
  va_list list;
  va_start(list, format);
  vsnprintf(what, sizeof what, format, list);
  va_end(list);
  return error_set(error, ERROR_FileContentInvalid, "%s: %s", header->path, what);
}

int gauge_header_extents(const struct gauge_header *header, const struct gauge_file *file, struct error *error)
{
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++)
    if (file->extent[k] < 1 || file->extent[k] > LONGEST_AXIS)
      return gauge_header_wrong(header, error, "extents of the lattice are from 1 to %d, not %zu", (int)LONGEST_AXIS,
                                file->extent[k]);
  return 0;
}

static size_t sites_of(const struct gauge_file *file)
{
  size_t sites = 1;
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++)
    sites *= file->extent[k]; /* at most 2^48 */
  return sites;
}

static size_t matrix_bytes(const struct gauge_file *file)
{
  return file->rows * GAUGE_FILE_COLOURS * 2 * (file->is_double ? sizeof(double) : sizeof(float));
}

uint64_t gauge_data_bytes(const struct gauge_file *file)
{
  return (uint64_t)sites_of(file) * GAUGE_FILE_AXES * matrix_bytes(file);
}

size_t gauge_file_bytes(const struct gauge_file *file, bool wide)
{
  return saturated_mul(sites_of(file), GAUGE_FILE_AXES * NUMBERS * (wide ? sizeof(double) : sizeof(float)));
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

struct gauge_format {
  const char *name;
  gauge_header_reader *reader;
};

static const struct gauge_format nersc = {"NERSC", gauge_nersc_header}, lime = {"ILDG", gauge_lime_header},
                                 milc = {"MILC", gauge_milc_header}, openqcd = {"openQCD", gauge_openqcd_header},
                                 hdf5 = {"HDF5", gauge_hdf5_header};

/* The format that the first bytes are of; NULL: none. openQCD has no mark of its own: four small extents and a number
 * that may be a plaquette's trace. */
static const struct gauge_format *format_of(const char *path, const unsigned char *head, size_t length)
{
  uint32_t words[4];
  double plaquette;
  if (length >= 12 && memcmp(head, "BEGIN_HEADER", 12) == 0)
    return &nersc;
  if (length < 24)
    return NULL;
  memcpy(words, head, sizeof words);
  memcpy(&plaquette, head + sizeof words, sizeof plaquette);
  if (memcmp(head, "\211HDF\r\n\032\n", 8) == 0)
    return gauge_hdf5_is(path) ? &hdf5 : NULL;
  if (words[0] == htobe32(0x456789AB))
    return &lime;
  if (words[0] == 20103 || words[0] == __builtin_bswap32(20103))
    return &milc;
  for (size_t k = 0; k < 4; k++)
    if (le32toh(words[k]) < 1 || le32toh(words[k]) > LONGEST_AXIS)
      return NULL;
  return fabs(plaquette) <= GAUGE_FILE_COLOURS ? &openqcd : NULL;
}

const char *gauge_file_format(const char *path)
{
  unsigned char head[24];
  FILE *stream = fopen(path, "rbe");
  size_t length = stream ? fread(head, 1, sizeof head, stream) : 0;
  if (stream)
    fclose(stream);
  const struct gauge_format *format = format_of(path, head, length);
  return format ? format->name : NULL;
}

static int inspect_stream(struct gauge_header *header, struct gauge_file *out, struct error *error)
{
  unsigned char head[24];
  struct stat status;
  if (fstat(fileno((FILE *)header->stream), &status) != 0 || !S_ISREG(status.st_mode))
    return gauge_header_wrong(header, error, "it is no regular file");
  header->size = (uint64_t)status.st_size;
  const struct gauge_format *format = format_of(header->path, head, fread(head, 1, sizeof head, header->stream));
  if (!format)
    return gauge_header_wrong(header, error, "it is no NERSC, LIME, MILC or openQCD file, and no HDF5 file of links");
  rewind(header->stream);
  *out = (struct gauge_file){.format = format->name, .rows = GAUGE_FILE_COLOURS};
  if (format->reader(header, out, error) != 0 || gauge_header_extents(header, out, error) != 0)
    return -1;
  uint64_t bytes = format == &hdf5 ? 0 : gauge_data_bytes(out);
  if (out->offset > header->size || bytes > header->size - out->offset)
    return gauge_header_wrong(
        header, error, "it is truncated: the links take %llu bytes behind a header of %llu, the file has %llu",
        (unsigned long long)bytes, (unsigned long long)out->offset, (unsigned long long)header->size);
  return 0;
}

int gauge_file_inspect(const char *path, struct gauge_file *out, struct error *error)
{
  struct gauge_header header = {.path = path, .stream = fopen(path, "rbe")};
  if (!header.stream)
    return error_set(error, ERROR_FileNotFound, "%s: %s", path, strerror(errno));
  int status = inspect_stream(&header, out, error);
  fclose(header.stream);
  return status;
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

struct gauge_reading {
  const char *path;
  const struct gauge_file *file;
  bool swap; /* the bytes of numbers */
  bool wide;
  void *elements;
  uint32_t sum[2];
};

/* The stored matrix as 18 doubles. */
static void decode_matrix(const struct gauge_reading *r, const unsigned char *from, double out[NUMBERS])
{
  size_t count = r->file->rows * GAUGE_FILE_COLOURS * 2;
  for (size_t i = 0; i < count; i++) {
    if (r->file->is_double) {
      uint64_t word;
      memcpy(&word, from + i * sizeof word, sizeof word);
      word = r->swap ? __builtin_bswap64(word) : word;
      memcpy(&out[i], &word, sizeof word);
    } else {
      uint32_t word;
      float value;
      memcpy(&word, from + i * sizeof word, sizeof word);
      word = r->swap ? __builtin_bswap32(word) : word;
      memcpy(&value, &word, sizeof word);
      out[i] = (double)value;
    }
  }
  for (size_t j = 0; count < NUMBERS && j < GAUGE_FILE_COLOURS; j++) {
    const double *a = out, *b = out + 6;
    size_t k = 2 * ((j + 1) % 3), l = 2 * ((j + 2) % 3);
    out[12 + 2 * j] = a[k] * b[l] - a[k + 1] * b[l + 1] - (a[l] * b[k] - a[l + 1] * b[k + 1]);
    out[13 + 2 * j] = -(a[k] * b[l + 1] + a[k + 1] * b[l]) + (a[l] * b[k + 1] + a[l + 1] * b[k]);
  }
}

static void put_matrix(const struct gauge_reading *r, size_t site, size_t axis, const unsigned char *from)
{
  double matrix[NUMBERS];
  size_t at = (site * GAUGE_FILE_AXES + axis) * NUMBERS;
  decode_matrix(r, from, matrix);
  for (size_t i = 0; i < NUMBERS; i++)
    if (r->wide)
      ((double *)r->elements)[at + i] = matrix[i];
    else
      ((float *)r->elements)[at + i] = (float)matrix[i];
}

/* Row-major number, t slowest, of the site number `index` of the file whose x is fastest. */
static size_t site_of_index(const size_t *extent, size_t index)
{
  size_t x = index % extent[1], y = index / extent[1] % extent[2], z = index / extent[1] / extent[2] % extent[3];
  size_t t = index / extent[1] / extent[2] / extent[3];
  return ((t * extent[1] + x) * extent[2] + y) * extent[3] + z;
}

/* The site one step back along the axis. */
static size_t behind(const size_t *extent, size_t site, size_t axis)
{
  size_t stride = 1;
  for (size_t k = axis + 1; k < GAUGE_FILE_AXES; k++)
    stride *= extent[k];
  size_t at = site / stride % extent[axis];
  return site + ((at + extent[axis] - 1) % extent[axis]) * stride - at * stride;
}

static bool is_odd(const size_t *extent, size_t site)
{
  size_t sum = 0;
  for (size_t k = GAUGE_FILE_AXES; k-- > 0; site /= extent[k])
    sum += site % extent[k];
  return sum % 2 != 0;
}

static void sum_part(struct gauge_reading *r, unsigned char *bytes, size_t count, uint64_t index)
{
  size_t part = gauge_data_bytes(r->file) / (sites_of(r->file) ? sites_of(r->file) : 1);
  if (r->file->sum_kind == GAUGE_SUM_SITES)
    for (size_t i = 0; i < count; i++)
      gauge_sum_site(bytes + i * part, part, index + i, r->sum);
  if (r->file->sum_kind != GAUGE_SUM_WORDS && r->file->sum_kind != GAUGE_SUM_ROTATED)
    return;
  size_t words = part / sizeof(uint32_t);
  for (size_t i = 0; i < count * words; i++) {
    uint32_t word;
    memcpy(&word, bytes + i * sizeof word, sizeof word);
    word = r->swap ? __builtin_bswap32(word) : word;
    if (r->file->sum_kind == GAUGE_SUM_WORDS)
      r->sum[0] = gauge_sum_words(&word, 1, r->sum[0]);
    else
      gauge_sum_rotated(&word, 1, index * words + i, r->sum);
  }
}

/* The links of `count` sites from number `index` of the file on; *site, for odd ones, goes on from call to call. */
static void put_part(struct gauge_reading *r, const unsigned char *bytes, size_t count, size_t index, size_t *site)
{
  const size_t *extent = r->file->extent, step = matrix_bytes(r->file);
  for (size_t i = 0; i < count && r->file->sites == GAUGE_SITES_ALL; i++)
    for (size_t mu = 0; mu < GAUGE_FILE_AXES; mu++, bytes += step)
      put_matrix(r, site_of_index(extent, index + i), (mu + 1) % GAUGE_FILE_AXES, bytes);
  for (size_t i = 0; i < count && r->file->sites == GAUGE_SITES_ODD; i++, ++*site) {
    while (!is_odd(extent, *site))
      ++*site;
    for (size_t mu = 0; mu < GAUGE_FILE_AXES; mu++, bytes += 2 * step) {
      put_matrix(r, *site, mu, bytes);
      put_matrix(r, behind(extent, *site, mu), mu, bytes + step);
    }
  }
}

static int read_links(struct gauge_reading *r, FILE *stream, struct error *error)
{
  bool odd = r->file->sites == GAUGE_SITES_ODD;
  size_t sites = odd ? sites_of(r->file) / 2 : sites_of(r->file), site = 0;
  size_t each = matrix_bytes(r->file) * GAUGE_FILE_AXES * (odd ? 2 : 1);
  unsigned char *part = malloc(each * CHUNK_SITES);
  int status = part ? 0 : error_memory(error);
  r->sum[0] = r->sum[1] = 0;
  if (status == 0 && fseeko(stream, (off_t)r->file->offset, SEEK_SET) != 0)
    status = error_set(error, ERROR_FileContentInvalid, "%s: %s", r->path, strerror(errno));
  for (size_t i = 0; i < sites && status == 0; i += CHUNK_SITES) {
    size_t count = sites - i < CHUNK_SITES ? sites - i : CHUNK_SITES;
    if (fread(part, each, count, stream) != count) {
      status = error_set(error, ERROR_FileContentInvalid, "%s: it ends before the links of site %zu", r->path, i);
      break;
    }
    sum_part(r, part, count, i);
    put_part(r, part, count, i, &site);
  }
  free(part);
  return status;
}

/* ---- verifying --------------------------------------------------------------------------------------------------- */

static bool sum_fits(const struct gauge_reading *r)
{
  const struct gauge_file *file = r->file;
  if (file->sum_kind == GAUGE_SUM_NONE)
    return true;
  return r->sum[0] == file->sum[0] && (file->sum_kind == GAUGE_SUM_WORDS || r->sum[1] == file->sum[1]);
}

static int check_sum(const struct gauge_reading *r, struct error *error)
{
  if (sum_fits(r))
    return 0;
  if (r->file->sum_kind == GAUGE_SUM_WORDS)
    return error_set(error, ERROR_FileContentInvalid, "%s: the links' checksum is %x, the header says %x", r->path,
                     r->sum[0], r->file->sum[0]);
  return error_set(error, ERROR_FileContentInvalid,
                   "%s: the links' checksums are %08x and %08x, the file says %08x and %08x", r->path, r->sum[0],
                   r->sum[1], r->file->sum[0], r->file->sum[1]);
}

static int check_mean(const struct gauge_reading *r, const char *what, double found, double said, double digits,
                      struct error *error)
{
  double allowed = digits + (r->file->is_double ? 1e-9 : 1e-5);
  if (fabs(found - said) <= allowed)
    return 0;
  return error_set(error, ERROR_FileContentInvalid, "%s: the mean %s of the links is %.10g, the header says %.10g",
                   r->path, what, found, said);
}

/* Links as doubles, in room of their own where the elements are narrow. */
static int check_means(const struct gauge_reading *r, struct error *error)
{
  const struct gauge_file *file = r->file;
  size_t count = gauge_file_bytes(file, true) / sizeof(double);
  double *wide = r->wide ? r->elements : malloc(count * sizeof *wide);
  int status = wide ? 0 : error_memory(error);
  for (size_t i = 0; status == 0 && !r->wide && i < count; i++)
    wide[i] = (double)((const float *)r->elements)[i];
  if (status == 0 && !(gauge_unitarity(file->extent, wide) < GAUGE_UNITARITY))
    status = error_set(error, ERROR_FileContentInvalid,
                       "%s: the links are not unitary: the lattice has another shape, or "
                       "the numbers another type",
                       r->path);
  double turned = status == 0 ? gauge_turned(file->extent, wide) : 0;
  if (status == 0 && !(turned < GAUGE_UNITARITY))
    status = error_set(error, ERROR_FileContentInvalid,
                       "%s: the links are unitary, but not of SU(3): |det U - 1| of one is %.3g", r->path, 3 * turned);
  if (status == 0 && file->has_plaquette)
    status = check_mean(r, "plaquette", gauge_mean_plaquette(file->extent, wide), file->plaquette,
                        file->plaquette_digits, error);
  if (status == 0 && file->has_trace)
    status = check_mean(r, "trace", gauge_mean_trace(file->extent, wide), file->trace, file->trace_digits, error);
  if (!r->wide)
    free(wide);
  return status;
}

static int read_hdf5(const struct gauge_reading *r, struct error *error)
{
  const size_t bytes = gauge_file_bytes(r->file, true);
  double *links = r->wide ? r->elements : malloc(bytes);
  int status = links ? gauge_hdf5_read(r->path, r->file, links, error) : error_memory(error);
  for (size_t i = 0; status == 0 && !r->wide && i < bytes / sizeof *links; i++)
    ((float *)r->elements)[i] = (float)links[i];
  if (!r->wide)
    free(links);
  return status == 0 ? check_means(r, error) : -1;
}

int gauge_file_read(const char *path, const struct gauge_file *file, bool wide, void *elements, struct error *error)
{
  const bool big_here = htobe32(1) == 1;
  struct gauge_reading r = {.path = path, .file = file, .wide = wide, .elements = elements};
  if (file->dataset[0])
    return read_hdf5(&r, error);
  FILE *stream = fopen(path, "rbe");
  if (!stream)
    return error_set(error, ERROR_FileNotFound, "%s: %s", path, strerror(errno));
  r.swap = file->big_endian != big_here;
  int status = read_links(&r, stream, error);
  if (status == 0 && file->guesses_order && !sum_fits(&r)) {
    struct gauge_reading other = r;
    other.swap = !r.swap;
    status = read_links(&other, stream, error);
    r = sum_fits(&other) ? other : r;
  }
  fclose(stream);
  if (status != 0 || check_sum(&r, error) != 0)
    return -1;
  return check_means(&r, error);
}
