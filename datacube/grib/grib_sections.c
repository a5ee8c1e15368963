#include "datacube/grib/grib_sections.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  BETWEEN_MOST = 64 << 10, /* bytes between messages */
  HEAD_MOST = 1024,        /* before the first one that is looked for */
  FIELDS_MOST = 1 << 16,   /* of a message */
  SECTION_MOST = 1 << 24,  /* bytes of a section that describes */
  DATA_HEAD = 64           /* bytes of a data section that describe what follows */
};

uint64_t grib_number(const unsigned char *bytes, size_t count)
{
  uint64_t value = 0;
  for (size_t i = 0; i < count; i++)
    value = value << 8 | bytes[i];
  return value;
}

int64_t grib_signed(const unsigned char *bytes, size_t count)
{
  const uint64_t value = grib_number(bytes, count), sign = UINT64_C(1) << (8 * count - 1);
  return value & sign ? -(int64_t)(value ^ sign) : (int64_t)value;
}

/* ---- what is one ------------------------------------------------------------------------------------------------- */

static const unsigned char *find_message(const unsigned char *bytes, size_t length)
{
  for (const unsigned char *at = bytes; (at = memmem(at, length - (size_t)(at - bytes), "GRIB", 4)); at++)
    if (length - (size_t)(at - bytes) >= 8 && (at[7] == 1 || at[7] == 2))
      return at;
  return NULL;
}

bool grib_begins(const unsigned char *head, size_t length)
{
  static const char *const others[] = {"\211HDF", "CDF", "{", "II*", "MM", "\211PNG"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    if (length >= strlen(others[i]) && memcmp(head, others[i], strlen(others[i])) == 0)
      return false;
  return find_message(head, length < HEAD_MOST ? length : HEAD_MOST) != NULL;
}

bool grib_is(const char *path)
{
  unsigned char head[HEAD_MOST];
  struct stat status;
  const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0)
    return false;
  const ssize_t got = fstat(file, &status) == 0 && S_ISREG(status.st_mode) ? read(file, head, sizeof head) : -1;
  close(file);
  return got > 0 && grib_begins(head, (size_t)got);
}

bool grib_is_name(const char *name)
{
  static const char *const ends[] = {".grib", ".grib1", ".grib2", ".grb", ".grb1", ".grb2"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof ends / sizeof ends[0]; i++)
    if (strcasecmp(dot, ends[i]) == 0)
      return true;
  return false;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static int wrong(struct error *error, uint64_t at, const char *what)
{
  return error_set(error, ERROR_FileContentInvalid, "the GRIB message at byte %llu %s", (unsigned long long)at, what);
}

static int load(struct grib_window *w, uint64_t at, size_t length, void *out, struct error *error)
{
  if (zarr_file_read(w->file, at, length, out, error))
    return 0;
  return error_is_set(error) ? -1 : error_set(error, ERROR_FileContentInvalid, "it cannot be read");
}

int grib_read(struct grib_window *w, uint64_t at, size_t length, void *out, struct error *error)
{
  const uint64_t size = w->file->size;
  if (at > size || length > size - at)
    return error_set(error, ERROR_FileContentInvalid, "it ends within a GRIB message");
  if (length > sizeof w->bytes)
    return load(w, at, length, out, error);
  if (at < w->at || at + length > w->at + w->length) {
    w->length = 0;
    const size_t many = size - at < sizeof w->bytes ? (size_t)(size - at) : sizeof w->bytes;
    if (load(w, at, many, w->bytes, error) != 0)
      return -1;
    w->at = at;
    w->length = many;
  }
  memcpy(out, w->bytes + (at - w->at), length);
  return 0;
}

/* ---- one message ------------------------------------------------------------------------------------------------- */

struct section_walk {
  struct grib_window *window;
  grib_visit *visit;
  void *data;
  struct error *error;
};

static int check_end(const struct section_walk *w, const struct grib_field *f)
{
  char end[4];
  if (grib_read(w->window, f->at + f->length - 4, sizeof end, end, w->error) != 0)
    return -1;
  return memcmp(end, "7777", 4) == 0 ? 0 : wrong(w->error, f->at, "does not end as one");
}

static int take_section(const struct section_walk *w, const struct grib_field *f, uint64_t at, uint64_t length,
                        struct grib_span *out)
{
  const uint64_t end = f->at + f->length - 4;
  if (at > end || length > end - at)
    return wrong(w->error, f->at, "has a section that is longer than it");
  *out = (struct grib_span){at, length};
  return 0;
}

/* Of GRIB 1 a section with its length in three bytes. */
static int next_section(const struct section_walk *w, const struct grib_field *f, uint64_t at, uint64_t least,
                        struct grib_span *out)
{
  unsigned char head[3];
  if (grib_read(w->window, at, sizeof head, head, w->error) != 0)
    return -1;
  const uint64_t length = grib_number(head, 3);
  return length >= least ? take_section(w, f, at, length, out) : wrong(w->error, f->at, "has a section without bytes");
}

/* Three bytes tell lengths up to 8 MiB. Above, centres write them in units of 120 bytes, and in place of the data
 * section's the bytes that are too many then. */
static int widen(const struct section_walk *w, struct grib_field *f, uint64_t data_at)
{
  unsigned char head[3];
  if (!(f->length & 0x800000))
    return 0;
  if (grib_read(w->window, data_at, sizeof head, head, w->error) != 0)
    return -1;
  const uint64_t rest = grib_number(head, 3);
  if (rest < 120)
    f->length = (f->length & 0x7FFFFF) * 120 - rest + 4;
  return 0;
}

static int walk_1(const struct section_walk *w, struct grib_field *f)
{
  unsigned char flags, table[6];
  const uint64_t told = f->length;
  f->length = f->length & 0x800000 ? (f->length & 0x7FFFFF) * 120 : f->length;
  if (f->length < 8 + 28 + 11 + 4 || next_section(w, f, f->at + 8, 28, &f->section[GRIB_PRODUCT]) != 0 ||
      grib_read(w->window, f->at + 8 + 7, 1, &flags, w->error) != 0)
    return error_is_set(w->error) ? -1 : wrong(w->error, f->at, "is too short");
  uint64_t at = f->at + 8 + f->section[GRIB_PRODUCT].length;
  if (!(flags & 0x80))
    return error_set(w->error, ERROR_FeatureUnsupported,
                     "the GRIB message at byte %llu has no description of its grid, which is not supported",
                     (unsigned long long)f->at);
  if (next_section(w, f, at, 6, &f->section[GRIB_GRID]) != 0)
    return -1;
  at += f->section[GRIB_GRID].length;
  if (flags & 0x40) {
    if (next_section(w, f, at, 6, &f->section[GRIB_BITMAP]) != 0 ||
        grib_read(w->window, at, sizeof table, table, w->error) != 0)
      return -1;
    if (grib_number(table + 4, 2) != 0)
      return error_set(w->error, ERROR_FeatureUnsupported,
                       "the GRIB message at byte %llu has a bitmap that its centre has defined, which is not supported",
                       (unsigned long long)f->at);
    at += f->section[GRIB_BITMAP].length;
  }
  f->length = told;
  if (widen(w, f, at) != 0)
    return -1;
  const bool is_wide = f->length != told;
  if (f->at + f->length > w->window->file->size || f->at + f->length < at + 11 + 4)
    return wrong(w->error, f->at, "ends behind the end of the file");
  if (is_wide ? take_section(w, f, at, f->at + f->length - 4 - at, &f->section[GRIB_DATA]) != 0
              : next_section(w, f, at, 11, &f->section[GRIB_DATA]) != 0)
    return -1;
  return check_end(w, f) == 0 ? w->visit(w->data, w->window, f, w->error) : -1;
}

static int take_bitmap(const struct section_walk *w, struct grib_field *f, const struct grib_span *found)
{
  unsigned char kind;
  if (found->length < 6 || grib_read(w->window, found->at + 5, 1, &kind, w->error) != 0)
    return error_is_set(w->error) ? -1 : wrong(w->error, f->at, "has a bitmap without bytes");
  if (kind == 254) /* the one before */
    return f->section[GRIB_BITMAP].length > 0 ? 0 : wrong(w->error, f->at, "refers to a bitmap that is not there");
  if (kind != 0 && kind != 255)
    return error_set(w->error, ERROR_FeatureUnsupported,
                     "the GRIB message at byte %llu has a bitmap that its centre has defined, which is not supported",
                     (unsigned long long)f->at);
  f->section[GRIB_BITMAP] = kind == 0 ? *found : (struct grib_span){0, 0};
  return 0;
}

/* What a section must have so that it can be looked at. */
static bool is_long_enough(unsigned number, uint64_t length)
{
  static const uint64_t least[GRIB_SECTIONS] = {0, 21, 5, 14, 9, 11, 6, 5};
  return length >= least[number] && (number >= GRIB_BITMAP || length <= SECTION_MOST);
}

static int walk_2(const struct section_walk *w, struct grib_field *f)
{
  const uint64_t end = f->at + f->length - 4;
  unsigned last = 0;
  if (f->length < 16 + 21 + 4 || f->length > w->window->file->size - f->at)
    return wrong(w->error, f->at, "ends behind the end of the file, or is too short");
  if (check_end(w, f) != 0)
    return -1;
  for (uint64_t at = f->at + 16; at < end;) {
    unsigned char head[5];
    struct grib_span found;
    if (end - at < sizeof head || grib_read(w->window, at, sizeof head, head, w->error) != 0)
      return error_is_set(w->error) ? -1 : wrong(w->error, f->at, "has a part of a section");
    const unsigned number = head[4];
    const bool begins = number >= GRIB_LOCAL && number <= GRIB_PRODUCT;
    const bool fits = last == 0           ? number == GRIB_IDENTIFICATION
                      : last == GRIB_DATA ? begins && (number <= GRIB_GRID || f->section[GRIB_GRID].length > 0)
                      : last == 1         ? number == GRIB_LOCAL || number == GRIB_GRID
                                          : number == last + 1;
    if (!fits || !is_long_enough(number, grib_number(head, 4)))
      return wrong(w->error, f->at, "has sections that do not follow each other");
    if (take_section(w, f, at, grib_number(head, 4), &found) != 0)
      return -1;
    if (number != GRIB_BITMAP)
      f->section[number] = found;
    else if (take_bitmap(w, f, &found) != 0)
      return -1;
    if (number == GRIB_DATA) {
      if (w->visit(w->data, w->window, f, w->error) != 0)
        return -1;
      if (++f->number == FIELDS_MOST)
        return wrong(w->error, f->at, "has too many fields");
    }
    last = number;
    at += found.length;
  }
  return f->number > 0 && last == GRIB_DATA ? 0 : wrong(w->error, f->at, "has no data, or a part without");
}

/* The message at a place, which is one; *end: the byte behind it. */
static int walk_message(const struct section_walk *w, uint64_t at, uint64_t *end)
{
  struct grib_field f = {.at = at};
  if (grib_read(w->window, at, 8, f.indicator, w->error) != 0)
    return -1;
  f.edition = f.indicator[7];
  if (f.edition == 2 && grib_read(w->window, at, 16, f.indicator, w->error) != 0)
    return -1;
  f.length = f.edition == 2 ? grib_number(f.indicator + 8, 8) : grib_number(f.indicator + 4, 3);
  const int status = (f.edition == 2 ? walk_2 : walk_1)(w, &f);
  *end = at + f.length;
  return status;
}

int grib_scan_message(const struct zarr_file *file, grib_visit *visit, void *data, struct error *error)
{
  struct grib_window window;
  window.file = file;
  window.at = window.length = 0;
  const struct section_walk w = {&window, visit, data, error};
  unsigned char head[8];
  uint64_t end;
  if (grib_read(&window, 0, sizeof head, head, error) != 0)
    return -1;
  if (find_message(head, sizeof head) != head)
    return error_set(error, ERROR_FileContentInvalid, "it is no GRIB message");
  return walk_message(&w, 0, &end);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* The next message from a place on: 1, 0 at the end of the file, -1. */
static int find_next(const struct section_walk *w, uint64_t *at)
{
  const uint64_t size = w->window->file->size, from = *at;
  while (size - *at >= 8 && *at - from <= BETWEEN_MOST) {
    unsigned char bytes[2048];
    const size_t many = size - *at < sizeof bytes ? (size_t)(size - *at) : sizeof bytes;
    if (grib_read(w->window, *at, *at == from ? 8 : many, bytes, w->error) != 0)
      return -1;
    if (*at == from && find_message(bytes, 8) == bytes)
      return 1;
    if (*at == from && grib_read(w->window, *at, many, bytes, w->error) != 0)
      return -1;
    const unsigned char *found = find_message(bytes, many);
    if (found) {
      *at += (uint64_t)(found - bytes);
      return 1;
    }
    *at += many > 7 ? many - 7 : many;
  }
  return size - from < BETWEEN_MOST ? 0
                                    : error_set(w->error, ERROR_FileContentInvalid,
                                                "behind byte %llu there is no GRIB message", (unsigned long long)from);
}

int grib_scan(const struct zarr_file *file, grib_visit *visit, void *data, struct error *error)
{
  struct grib_window window;
  window.file = file;
  window.at = window.length = 0;
  const struct section_walk w = {&window, visit, data, error};
  size_t count = 0;
  for (uint64_t at = 0, end;; at = end, count++) {
    const int found = find_next(&w, &at);
    if (found < 0)
      return -1;
    if (found == 0)
      return count > 0 ? 0 : error_set(error, ERROR_FileContentInvalid, "it has no GRIB message");
    if (walk_message(&w, at, &end) != 0)
      return -1;
  }
}

/* ---- a message of its own ---------------------------------------------------------------------------------------- */

static int add_bytes(struct grib_window *w, uint64_t at, size_t length, struct buffer *out, struct error *error)
{
  static const char zeros[4096];
  const size_t start = out->length;
  for (size_t left = length, many; left > 0 && !out->failed; left -= many) {
    many = left < sizeof zeros ? left : sizeof zeros;
    buffer_add(out, zeros, many);
  }
  return out->failed ? error_memory(error) : grib_read(w, at, length, out->data + start, error);
}

static void put_number(struct buffer *out, size_t at, uint64_t value, size_t count)
{
  for (size_t i = 0; i < count && !out->failed; i++)
    out->data[at + i] = (char)(value >> 8 * (count - 1 - i));
}

/* The first bytes of a data section as a section. */
static int add_data_head(struct grib_window *w, const struct grib_span *data, size_t length_bytes, struct buffer *out,
                         struct error *error)
{
  const size_t many = data->length < DATA_HEAD ? (size_t)data->length : DATA_HEAD, start = out->length;
  if (add_bytes(w, data->at, many, out, error) != 0)
    return -1;
  put_number(out, start, many, length_bytes);
  return 0;
}

static int add_sections(struct grib_window *w, const struct grib_field *f, bool without_data, struct buffer *out,
                        struct error *error)
{
  static const unsigned char no_bitmap[6] = {0, 0, 0, 6, GRIB_BITMAP, 255};
  static const unsigned order_1[GRIB_SECTIONS - 1] = {1, 2, GRIB_PRODUCT, GRIB_GRID, 5, GRIB_BITMAP, GRIB_DATA};
  for (unsigned place = 1; place < GRIB_SECTIONS; place++) {
    const unsigned i = f->edition == 1 ? order_1[place - 1] : place;
    const struct grib_span *s = &f->section[i];
    if (i == GRIB_BITMAP && (without_data || s->length == 0)) {
      if (f->edition == 2)
        buffer_add(out, no_bitmap, sizeof no_bitmap);
    } else if (i == GRIB_DATA && without_data) {
      if (add_data_head(w, s, f->edition == 2 ? 4 : 3, out, error) != 0)
        return -1;
    } else if (s->length > 0 && add_bytes(w, s->at, (size_t)s->length, out, error) != 0)
      return -1;
  }
  return 0;
}

int grib_field_message(struct grib_window *w, const struct grib_field *f, bool without_data, struct buffer *out,
                       struct error *error)
{
  const size_t start = out->length;
  buffer_add(out, f->indicator, f->edition == 2 ? 16 : 8);
  if (add_sections(w, f, without_data, out, error) != 0)
    return -1;
  buffer_text(out, "7777");
  if (out->failed)
    return error_memory(error);
  if (f->edition == 2)
    put_number(out, start + 8, out->length - start, 8);
  else if (without_data) {
    put_number(out, start + 4, out->length - start, 3);
    out->data[start + 8 + 7] = (char)(out->data[start + 8 + 7] & ~0x40); /* the bitmap */
  }
  return 0;
}
