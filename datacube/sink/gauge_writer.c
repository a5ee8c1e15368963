/* Writing gauge fields. See gauge_writer.h. The links are encoded twice: for the checksum, and to be written. */
#include "datacube/sink/gauge_writer.h"

#include "datacube/source/gauge_sums.h"

#include <endian.h>
#include <string.h>

enum { NUMBERS = 2 * GAUGE_FILE_COLOURS * GAUGE_FILE_COLOURS, AXES = GAUGE_FILE_AXES };

static size_t sites_of(const struct gauge_file *file)
{
  return file->extent[0] * file->extent[1] * file->extent[2] * file->extent[3];
}

static size_t number_bytes(const struct gauge_file *file)
{
  return file->is_double ? sizeof(double) : sizeof(float);
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

/* One matrix in the file's numbers; returns what lies behind it. */
static unsigned char *encode_matrix(const struct gauge_writer *w, const double *matrix, unsigned char *to)
{
  for (size_t i = 0; i < NUMBERS; i++) {
    if (w->file.is_double) {
      uint64_t word;
      memcpy(&word, &matrix[i], sizeof word);
      word = w->file.big_endian ? htobe64(word) : htole64(word);
      memcpy(to, &word, sizeof word);
    } else {
      const float value = (float)matrix[i];
      uint32_t word;
      memcpy(&word, &value, sizeof word);
      word = w->file.big_endian ? htobe32(word) : htole32(word);
      memcpy(to, &word, sizeof word);
    }
    to += number_bytes(&w->file);
  }
  return to;
}

static const double *link_at(const struct gauge_writer *w, const size_t *at, size_t axis)
{
  size_t site = 0;
  for (size_t k = 0; k < AXES; k++)
    site = site * w->file.extent[k] + at[k];
  return w->elements + (site * AXES + axis) * NUMBERS;
}

/* The links of a site along x, y, z, t; or, of an odd one, from it and to it along t, x, y, z. */
static void encode_site(const struct gauge_writer *w, const size_t *at, unsigned char *to)
{
  for (size_t mu = 0; mu < AXES && w->file.sites == GAUGE_SITES_ALL; mu++)
    to = encode_matrix(w, link_at(w, at, (mu + 1) % AXES), to);
  for (size_t mu = 0; mu < AXES && w->file.sites == GAUGE_SITES_ODD; mu++) {
    size_t back[AXES];
    memcpy(back, at, sizeof back);
    back[mu] = (at[mu] + w->file.extent[mu] - 1) % w->file.extent[mu];
    to = encode_matrix(w, link_at(w, at, mu), to);
    to = encode_matrix(w, link_at(w, back, mu), to);
  }
}

static void add_to_sum(struct gauge_file *file, const unsigned char *bytes, size_t count, size_t index)
{
  size_t words = count / sizeof(uint32_t);
  if (file->sum_kind == GAUGE_SUM_SITES)
    gauge_sum_site(bytes, count, index, file->sum);
  for (size_t i = 0; i < words && file->sum_kind != GAUGE_SUM_SITES && file->sum_kind != GAUGE_SUM_NONE; i++) {
    uint32_t word;
    memcpy(&word, bytes + i * sizeof word, sizeof word);
    word = file->big_endian ? be32toh(word) : le32toh(word);
    if (file->sum_kind == GAUGE_SUM_WORDS)
      file->sum[0] = gauge_sum_words(&word, 1, file->sum[0]);
    else
      gauge_sum_rotated(&word, 1, (uint64_t)index * words + i, file->sum);
  }
}

/* All sites in the file's order: into the checksums, or into the stream. */
static void take_links(struct gauge_writer *w, bool sums)
{
  unsigned char bytes[2 * AXES * NUMBERS * sizeof(double)];
  bool odd = w->file.sites == GAUGE_SITES_ODD;
  const size_t *n = w->file.extent;
  size_t count = (odd ? 2 : 1) * AXES * NUMBERS * number_bytes(&w->file);
  for (size_t i = 0; i < sites_of(&w->file); i++) {
    const size_t by_x[AXES] = {i / n[1] / n[2] / n[3], i % n[1], i / n[1] % n[2], i / n[1] / n[2] % n[3]};
    const size_t by_z[AXES] = {i / n[3] / n[2] / n[1], i / n[3] / n[2] % n[1], i / n[3] % n[2], i % n[3]};
    const size_t *at = odd ? by_z : by_x;
    if (odd && (at[0] + at[1] + at[2] + at[3]) % 2 == 0)
      continue;
    encode_site(w, at, bytes);
    if (sums)
      add_to_sum(&w->file, bytes, count, i);
    else
      fwrite(bytes, 1, count, w->stream);
  }
}

/* ---- formats ----------------------------------------------------------------------------------------------------- */

static void describe(struct gauge_writer *w, enum gauge_file_sum sum_kind, bool big_endian)
{
  w->file.sum_kind = sum_kind;
  w->file.big_endian = big_endian;
  w->file.sum[0] = w->file.sum[1] = 0;
}

void gauge_write_nersc(struct gauge_writer *w)
{
  const size_t *n = w->file.extent;
  describe(w, GAUGE_SUM_WORDS, true);
  take_links(w, true);
  fprintf(w->stream,
          "BEGIN_HEADER\nHDR_VERSION = 1.0\nDATATYPE = 4D_SU3_GAUGE_3x3\nSTORAGE_FORMAT = 1.0\n"
          "DIMENSION_1 = %zu\nDIMENSION_2 = %zu\nDIMENSION_3 = %zu\nDIMENSION_4 = %zu\n"
          "LINK_TRACE = %.12f\nPLAQUETTE = %.12f\n"
          "BOUNDARY_1 = PERIODIC\nBOUNDARY_2 = PERIODIC\nBOUNDARY_3 = PERIODIC\nBOUNDARY_4 = PERIODIC\n"
          "CHECKSUM = %x\nFLOATING_POINT = %s\nEND_HEADER\n",
          n[1], n[2], n[3], n[0], gauge_mean_trace(n, w->elements), gauge_mean_plaquette(n, w->elements),
          w->file.sum[0], w->file.is_double ? "IEEE64BIG" : "IEEE32BIG");
  take_links(w, false);
}

/* The head of a LIME record. */
static void lime_head(FILE *stream, const char *type, uint64_t length, bool first, bool last)
{
  unsigned char head[144] = {0x45, 0x67, 0x89, 0xAB, 0, 1, (unsigned char)((first ? 0x80 : 0) | (last ? 0x40 : 0))};
  const uint64_t big = htobe64(length);
  memcpy(head + 8, &big, sizeof big);
  memcpy(head + 16, type, strlen(type));
  fwrite(head, 1, sizeof head, stream);
}

static void lime_pad(FILE *stream, uint64_t length)
{
  static const char zeros[8];
  fwrite(zeros, 1, (8 - length % 8) % 8, stream);
}

static void lime_text(FILE *stream, const char *type, const char *text, bool first, bool last)
{
  lime_head(stream, type, strlen(text), first, last);
  fputs(text, stream);
  lime_pad(stream, strlen(text));
}

void gauge_write_ildg(struct gauge_writer *w)
{
  const size_t *n = w->file.extent;
  char text[512];
  uint64_t bytes;
  describe(w, GAUGE_SUM_SITES, true);
  take_links(w, true);
  snprintf(text, sizeof text,
           "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ildgFormat xmlns=\"http://www.lqcd.org/ildg\">"
           "<version>1.0</version><field>su3gauge</field><precision>%d</precision>"
           "<lx>%zu</lx><ly>%zu</ly><lz>%zu</lz><lt>%zu</lt></ildgFormat>",
           w->file.is_double ? 64 : 32, n[1], n[2], n[3], n[0]);
  lime_text(w->stream, "ildg-format", text, true, false);
  bytes = gauge_data_bytes(&w->file);
  lime_head(w->stream, "ildg-binary-data", bytes, false, false);
  take_links(w, false);
  lime_pad(w->stream, bytes);
  snprintf(text, sizeof text,
           "<?xml version=\"1.0\" encoding=\"UTF-8\"?><scidacChecksum><version>1.0</version><suma>%x</suma>"
           "<sumb>%x</sumb></scidacChecksum>",
           w->file.sum[0], w->file.sum[1]);
  lime_text(w->stream, "scidac-checksum", text, false, true);
}

void gauge_write_milc(struct gauge_writer *w)
{
  const size_t *n = w->file.extent;
  char stamp[64] = "twincube " TWINCUBE_VERSION;
  describe(w, GAUGE_SUM_ROTATED, false);
  take_links(w, true);
  const uint32_t head[5] = {htole32(20103), htole32((uint32_t)n[1]), htole32((uint32_t)n[2]), htole32((uint32_t)n[3]),
                            htole32((uint32_t)n[0])};
  const uint32_t tail[3] = {0, htole32(w->file.sum[0]), htole32(w->file.sum[1])};
  fwrite(head, 1, sizeof head, w->stream);
  fwrite(stamp, 1, sizeof stamp, w->stream);
  fwrite(tail, 1, sizeof tail, w->stream);
  take_links(w, false);
}

void gauge_write_openqcd(struct gauge_writer *w)
{
  double trace = GAUGE_FILE_COLOURS * gauge_mean_plaquette(w->file.extent, w->elements);
  uint64_t bits;
  w->file.sites = GAUGE_SITES_ODD;
  w->file.is_double = true;
  describe(w, GAUGE_SUM_NONE, false);
  for (size_t k = 0; k < AXES; k++) {
    const uint32_t extent = htole32((uint32_t)w->file.extent[k]);
    fwrite(&extent, sizeof extent, 1, w->stream);
  }
  memcpy(&bits, &trace, sizeof bits);
  bits = htole64(bits);
  fwrite(&bits, sizeof bits, 1, w->stream);
  take_links(w, false);
}
