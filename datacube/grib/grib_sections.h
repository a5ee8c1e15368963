/* GRIB files as fields: where their sections lie. Nothing here knows what a section means.
 *
 *   GRIB 1   indicator 8 bytes, product, [grid], [bitmap], data, "7777"
 *   GRIB 2   indicator 16 bytes, identification, then again and again what differs of
 *            [local], grid, product, packing, bitmap, data; "7777"
 *
 * A field is what one data section ends: its own sections, and those before it that it does not replace. Sections are
 * numbered as in GRIB 2. Every length is held against the file, or the message, before it is believed. Between messages
 * there may be up to 64 KiB of other bytes, as headings of telecommunication are. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_SECTIONS_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_SECTIONS_H

#include "datacube/base/buffer.h"
#include "datacube/source/zarr_place.h"

enum grib_section_number {
  GRIB_IDENTIFICATION = 1, /* GRIB 2 alone */
  GRIB_LOCAL,              /* the same */
  GRIB_GRID,
  GRIB_PRODUCT,
  GRIB_PACKING, /* GRIB 2 alone: in GRIB 1 the data begin with it */
  GRIB_BITMAP,
  GRIB_DATA,
  GRIB_SECTIONS
};

struct grib_span {
  uint64_t at, length; /* in the file; length 0: it is not there */
};

struct grib_field {
  uint64_t at, length;         /* of its message in the file */
  uint32_t number;             /* in its message, from 0 */
  int edition;                 /* 1 or 2 */
  unsigned char indicator[16]; /* of GRIB 1 the first 8 */
  struct grib_span section[GRIB_SECTIONS];
};

/* Bytes of a file that were read last: what follows is mostly among them. */
struct grib_window {
  const struct zarr_file *file;
  uint64_t at;
  size_t length;
  unsigned char bytes[4096];
};

/* Whether a file of this machine begins with a message, or with such a heading and one. */
bool grib_is(const char *path);
/* The same of the first bytes of a file. */
bool grib_begins(const unsigned char *head, size_t length);
/* Whether a file is called as such files are: ….grib, .grib2, .grb, … */
bool grib_is_name(const char *name);

typedef int grib_visit(void *data, struct grib_window *window, const struct grib_field *field, struct error *error);

/* Shows all fields of a file, in its order; a visit of -1 ends that. Errors: FileContentInvalid (damaged, cut short, no
 * message), FeatureUnsupported (a bitmap that a centre has defined, no grid), and those of remote_open. */
int grib_scan(const struct zarr_file *file, grib_visit *visit, void *data, struct error *error);
/* The same of the message that begins at the first byte. */
int grib_scan_message(const struct zarr_file *file, grib_visit *visit, void *data, struct error *error);

/* Bytes of the file. Errors as above. */
int grib_read(struct grib_window *window, uint64_t at, size_t length, void *out, struct error *error);

/* The field as a message of its own. without_data: bitmap and data are left out, as far as what describes them; such a
 * message tells everything but values. */
int grib_field_message(struct grib_window *window, const struct grib_field *field, bool without_data,
                       struct buffer *out, struct error *error);

uint64_t grib_number(const unsigned char *bytes, size_t count); /* the most significant byte first */
int64_t grib_signed(const unsigned char *bytes, size_t count);  /* the first bit is the sign, of a magnitude */

#endif
