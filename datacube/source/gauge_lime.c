/* Headers of LIME files: records of a head of 144 bytes and data that end at multiples of 8. Of ILDG's records
 * ildg-format tells extents and precision, ildg-binary-data has the links; of SciDAC's scidac-private-file-xml has the
 * extents, scidac-private-record-xml the precision, scidac-binary-data the links; scidac-checksum goes with both. Links
 * are big-endian. A file with nothing but the links is taken to be of a lattice with four equal extents in double
 * precision: links of another shape or type would not be unitary, or not as many. */
#include "datacube/source/gauge_file.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 144, MOST_RECORDS = 10000, XML_ROOM = 1 << 16 };
#define LIME_MAGIC 0x456789AB

struct lime_record {
  char type[129];
  uint64_t offset, length; /* of the data */
};

struct lime_seen {
  bool has_extents, has_precision, has_links;
  uint64_t length; /* of the links */
};

static int read_record(const struct gauge_header *header, uint64_t at, struct lime_record *out, struct error *error)
{
  unsigned char head[HEAD_BYTES];
  uint32_t magic;
  uint64_t length;
  if (fseeko(header->stream, (off_t)at, SEEK_SET) != 0 || fread(head, sizeof head, 1, header->stream) != 1)
    return gauge_header_wrong(header, error, "it ends within the head of a LIME record at byte %llu",
                              (unsigned long long)at);
  memcpy(&magic, head, sizeof magic);
  memcpy(&length, head + 8, sizeof length);
  memcpy(out->type, head + 16, 128);
  out->type[128] = '\0';
  out->offset = at + HEAD_BYTES;
  out->length = be64toh(length);
  if (be32toh(magic) != LIME_MAGIC)
    return gauge_header_wrong(header, error, "there is no LIME record at byte %llu", (unsigned long long)at);
  if (out->length > header->size - out->offset)
    return gauge_header_wrong(header, error, "it is truncated: its record %.60s has %llu bytes, %llu are there",
                              out->type, (unsigned long long)out->length,
                              (unsigned long long)(header->size - out->offset));
  return 0;
}

/* Text of the first element of that name, NULL where there is none. The text ends at its end tag. */
static const char *element_of(const char *xml, const char *name)
{
  char tag[64];
  snprintf(tag, sizeof tag, "<%s>", name);
  const char *at = strstr(xml, tag);
  return at ? at + strlen(tag) : NULL;
}

static int read_format(const struct gauge_header *header, const char *xml, struct gauge_file *out,
                       struct lime_seen *seen, struct error *error)
{
  static const char *const axes[GAUGE_FILE_AXES] = {"lt", "lx", "ly", "lz"};
  const char *field = element_of(xml, "field"), *precision = element_of(xml, "precision");
  if (field && strncmp(field + strspn(field, " \n\t"), "su3gauge", 8) != 0)
    return error_set(error, ERROR_FeatureUnsupported, "%s: its field is not su3gauge", header->path);
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++) {
    const char *text = element_of(xml, axes[k]);
    long extent = text ? strtol(text, NULL, 10) : 0;
    out->extent[k] = extent > 0 ? (size_t)extent : 0;
  }
  long bits = precision ? strtol(precision, NULL, 10) : 0;
  if (bits != 32 && bits != 64)
    return gauge_header_wrong(header, error, "the precision in ildg-format is %ld, not 32 or 64", bits);
  out->is_double = bits == 64;
  seen->has_extents = seen->has_precision = true;
  return 0;
}

static void read_dims(const char *xml, struct gauge_file *out, struct lime_seen *seen)
{
  const char *text = element_of(xml, "dims");
  for (size_t k = 0; text && k < GAUGE_FILE_AXES; k++) {
    char *end;
    long extent = strtol(text, &end, 10);
    out->extent[(k + 1) % GAUGE_FILE_AXES] = extent > 0 ? (size_t)extent : 0;
    text = end;
  }
  seen->has_extents = seen->has_extents || text;
}

/* A record of colour matrices, four a site. */
static int read_private(const struct gauge_header *header, const char *xml, struct gauge_file *out,
                        struct lime_seen *seen, struct error *error)
{
  const char *precision = element_of(xml, "precision"), *count = element_of(xml, "datacount");
  const char *colours = element_of(xml, "colors"), *type = element_of(xml, "datatype");
  if (!precision || (type && !strstr(type, "ColorMatrix")))
    return 0; /* of another record */
  if ((count && strtol(count, NULL, 10) != GAUGE_FILE_AXES) ||
      (colours && strtol(colours, NULL, 10) != GAUGE_FILE_COLOURS))
    return error_set(error, ERROR_FeatureUnsupported, "%s: its SciDAC record is not of 4 matrices of 3 colours a site",
                     header->path);
  precision += strspn(precision, " \n\t");
  if (*precision != 'F' && *precision != 'D')
    return gauge_header_wrong(header, error, "the precision of the SciDAC record is not F or D");
  out->is_double = *precision == 'D';
  seen->has_precision = true;
  return 0;
}

static int read_sums(const struct gauge_header *header, const char *xml, struct gauge_file *out, struct error *error)
{
  const char *text[2] = {element_of(xml, "suma"), element_of(xml, "sumb")};
  for (size_t i = 0; i < 2; i++) {
    char *end = NULL;
    unsigned long long sum = text[i] ? strtoull(text[i], &end, 16) : 0;
    if (!text[i] || end == text[i] || sum > UINT32_MAX)
      return gauge_header_wrong(header, error, "scidac-checksum has no two sums of 32 bits");
    out->sum[i] = (uint32_t)sum;
  }
  out->sum_kind = GAUGE_SUM_SITES;
  return 0;
}

/* "beta = 6.0" in notes for readers; "beta11" is that of the plaquettes where there are larger loops. */
static void read_notes(const char *text, struct gauge_file *out)
{
  for (const char *at = strstr(text, "beta"); at && !out->has_beta; at = strstr(at, "beta")) {
    char *end;
    at += strncmp(at, "beta11", 6) == 0 ? 6 : 4;
    const char *number = at + strspn(at, " \t");
    if (*number != '=')
      continue;
    out->beta = strtod(++number, &end);
    out->has_beta = end > number && isfinite(out->beta);
  }
}

static int read_xml(const struct gauge_header *header, const struct lime_record *record, struct gauge_file *out,
                    struct lime_seen *seen, struct error *error)
{
  char *xml = malloc(XML_ROOM);
  size_t length = record->length < XML_ROOM ? (size_t)record->length : XML_ROOM - 1;
  int status = 0;
  if (!xml)
    return error_memory(error);
  if (fseeko(header->stream, (off_t)record->offset, SEEK_SET) != 0 ||
      (length > 0 && fread(xml, length, 1, header->stream) != 1)) {
    free(xml);
    return gauge_header_wrong(header, error, "its record %.60s cannot be read", record->type);
  }
  xml[length] = '\0';
  if (strcmp(record->type, "ildg-format") == 0)
    status = read_format(header, xml, out, seen, error);
  else if (strcmp(record->type, "scidac-private-file-xml") == 0)
    read_dims(xml, out, seen);
  else if (strcmp(record->type, "scidac-private-record-xml") == 0)
    status = read_private(header, xml, out, seen, error);
  else if (strcmp(record->type, "scidac-checksum") == 0)
    status = read_sums(header, xml, out, error);
  else if (strcmp(record->type, "xlf-info") == 0 || strcmp(record->type, "scidac-record-xml") == 0)
    read_notes(xml, out);
  free(xml);
  return status;
}

/* The links alone. */
static int guess_shape(const struct gauge_header *header, struct gauge_file *out, const struct lime_seen *seen,
                       struct error *error)
{
  const uint64_t site = 2 * 9 * 4 * sizeof(double);
  double side = round(pow((double)(seen->length / site), 0.25));
  out->is_double = true;
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++)
    out->extent[k] = side >= 1 && side <= 4096 ? (size_t)side : 0;
  if (out->extent[0] == 0 || gauge_data_bytes(out) != seen->length)
    return gauge_header_wrong(header, error,
                              "no record tells the shape of the lattice, and %llu bytes of links are not "
                              "those of one with equal extents in double precision",
                              (unsigned long long)seen->length);
  return 0;
}

int gauge_lime_header(const struct gauge_header *header, struct gauge_file *out, struct error *error)
{
  struct lime_seen seen = {0};
  struct lime_record record;
  uint64_t at = 0;
  out->sites = GAUGE_SITES_ALL;
  out->big_endian = true;
  for (size_t i = 0; i < MOST_RECORDS && at + HEAD_BYTES <= header->size; i++) {
    if (read_record(header, at, &record, error) != 0)
      return -1;
    bool links = strcmp(record.type, "ildg-binary-data") == 0 || strcmp(record.type, "scidac-binary-data") == 0;
    if (links && seen.has_links)
      return error_set(error, ERROR_FeatureUnsupported, "%s: it has several records of links", header->path);
    if (links) {
      seen.has_links = true;
      seen.length = record.length;
      out->offset = record.offset;
    } else if (read_xml(header, &record, out, &seen, error) != 0)
      return -1;
    at = record.offset + (record.length + 7) / 8 * 8;
  }
  if (!seen.has_links)
    return gauge_header_wrong(header, error, "it has no record of links, ildg-binary-data or scidac-binary-data");
  if (!seen.has_extents)
    return guess_shape(header, out, &seen, error);
  if (!seen.has_precision)
    return gauge_header_wrong(header, error, "no record tells the precision of the links");
  if (gauge_header_extents(header, out, error) != 0)
    return -1;
  if (gauge_data_bytes(out) != seen.length)
    return gauge_header_wrong(header, error, "its links take %llu bytes, a lattice of its shape %llu",
                              (unsigned long long)seen.length, (unsigned long long)gauge_data_bytes(out));
  return 0;
}
