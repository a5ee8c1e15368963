#include "datacube/grib/grib_values.h"

#include "datacube/grib/grib_library.h"
#include "datacube/grib/grib_packing.h"
#include "datacube/grib/grib_sections.h"

#include <eccodes.h>
#include <math.h>
#include <string.h>

struct field_values {
  const struct grib_decoding *request;
  double *values; /* of the field */
  bool is_done;
};

/* ---- by ecCodes -------------------------------------------------------------------------------------------------- */

struct values_question {
  const struct buffer *message;
  size_t count;
  double *values;
};

/* A number that no values have is what it puts in the place of missing ones. */
static bool ask(void *data)
{
  static const double missing = -1.7e300;
  const struct values_question *q = data;
  codes_handle *handle = codes_handle_new_from_message(NULL, q->message->data, q->message->length);
  size_t count = 0;
  long bitmap = 0, managed = 0;
  bool done = handle && codes_get_size(handle, "values", &count) == CODES_SUCCESS && count == q->count;
  if (done) {
    grib_integer(handle, "bitmapPresent", &bitmap);
    grib_integer(handle, "missingValueManagementUsed", &managed);
    codes_set_double(handle, "missingValue", missing);
    done = codes_get_double_array(handle, "values", q->values, &count) == CODES_SUCCESS && count == q->count;
  }
  codes_handle_delete(handle);
  for (size_t i = 0; done && (bitmap || managed) && i < count; i++)
    q->values[i] = q->values[i] == missing ? NAN : q->values[i];
  return done;
}

static bool by_library(struct grib_window *window, const struct grib_field *field, const struct field_values *work)
{
  struct buffer message = {0};
  struct error ignored = {0};
  const struct values_question question = {&message, work->request->count, work->values};
  const bool done =
      grib_field_message(window, field, false, &message, &ignored) == 0 && grib_library_call(ask, (void *)&question);
  buffer_free(&message);
  return done;
}

/* ---- the field --------------------------------------------------------------------------------------------------- */

static const unsigned char *bytes_of(const struct grib_window *window, const struct grib_span *span)
{
  return span->length > 0 ? window->file->bytes + span->at : NULL;
}

static int take_field(void *data, struct grib_window *window, const struct grib_field *field, struct error *error)
{
  struct field_values *work = data;
  (void)error;
  if (field->number != work->request->part)
    return 0;
  const struct grib_packed packed = {
      .edition = field->edition,
      .packing = bytes_of(window, &field->section[GRIB_PACKING]),
      .packing_length = (size_t)field->section[GRIB_PACKING].length,
      .bitmap = bytes_of(window, &field->section[GRIB_BITMAP]),
      .bitmap_length = (size_t)field->section[GRIB_BITMAP].length,
      .data = bytes_of(window, &field->section[GRIB_DATA]),
      .data_length = (size_t)field->section[GRIB_DATA].length,
      .decimal_scale =
          field->edition == 1 ? (int)grib_signed(bytes_of(window, &field->section[GRIB_PRODUCT]) + 26, 2) : 0};
  const int found = grib_unpack(&packed, work->request->count, work->values);
  work->is_done = found == 1 || (found == 0 && by_library(window, field, work));
  return -1; /* the others are not looked at */
}

static void turn_lines(double *values, size_t count, size_t line)
{
  for (size_t at = line; at + line <= count; at += 2 * line)
    for (size_t i = 0; i < line / 2; i++) {
      const double value = values[at + i];
      values[at + i] = values[at + line - 1 - i];
      values[at + line - 1 - i] = value;
    }
}

bool grib_decode(const struct grib_decoding *request, double *room, void *out)
{
  const struct zarr_file file = {.descriptor = -1, .bytes = request->message, .size = request->length};
  struct field_values work = {.request = request, .values = request->is_wide ? out : room};
  struct error ignored = {0};
  grib_scan_message(&file, take_field, &work, &ignored);
  if (!work.is_done)
    return false;
  if (request->alternates && request->line > 0)
    turn_lines(work.values, request->count, request->line);
  if (!request->is_wide)
    for (size_t i = 0; i < request->count; i++)
      ((float *)out)[i] = (float)work.values[i];
  return true;
}
