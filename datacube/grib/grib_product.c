#include "datacube/grib/grib_product.h"

#include "datacube/base/hash.h"
#include "datacube/grib/grib_library.h"
#include "datacube/grib/grib_memory.h"
#include "datacube/grib/grib_times.h"

#include <eccodes.h>
#include <math.h>
#include <string.h>

enum { ASKED_MOST = 4096, KEY_MOST = 1 << 16, SLOTS = 8192 };

struct known { /* what fields of one key have in common */
  const char *key;
  size_t key_length;
  struct grib_product product;
  struct known *next; /* in its slot */
};

struct grib_products {
  struct arena *arena;
  struct known *slots[SLOTS];
  struct grib_parameter **parameters;
  size_t parameter_count, parameter_room, asked;
};

struct grib_products *grib_products_new(struct arena *arena)
{
  struct grib_products *products = ARENA_NEW(arena, struct grib_products);
  if (products)
    products->arena = arena;
  return products;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

struct header_question {
  const struct buffer *message;
  bool (*work)(struct grib_handle *handle, void *data);
  void *data;
};

static bool ask(void *data)
{
  const struct header_question *q = data;
  struct grib_handle *handle = codes_handle_new_from_message(NULL, q->message->data, q->message->length);
  const bool done = handle && q->work(handle, q->data);
  codes_handle_delete(handle);
  return done;
}

int grib_ask(struct grib_products *products, struct grib_window *window, const struct grib_field *field,
             bool (*work)(struct grib_handle *handle, void *data), void *data, struct error *error)
{
  struct buffer message = {0};
  if (products->asked++ == ASKED_MOST)
    return error_set(error, ERROR_FeatureUnsupported, "it has more than %d kinds of fields, which is not supported",
                     ASKED_MOST);
  int status = grib_field_message(window, field, true, &message, error);
  const struct header_question question = {&message, work, data};
  if (status == 0 && !grib_library_call(ask, (void *)&question))
    status = error_set(error, ERROR_FileContentInvalid, "the GRIB message at byte %llu cannot be understood",
                       (unsigned long long)field->at);
  buffer_free(&message);
  return status;
}

/* ---- octets ------------------------------------------------------------------------------------------------------ */

/* The octets of a field that describe it. */
struct octets {
  const struct grib_field *field;
  unsigned char identification[32]; /* of GRIB 2, what is known to all */
  struct buffer key;                /* all that names may depend on: product at the end, */
  size_t product_at;                /* from here on */
  bool is_plain;                    /* times, level and member are read here */
};

static unsigned char *product_of(struct octets *o)
{
  return (unsigned char *)o->key.data + o->product_at;
}

/* Whether a level of pressure, or of a model: their value is no part of a name. */
static bool is_numbered_level(const struct octets *o, const unsigned char *product)
{
  return o->field->edition == 1 ? product[9] == 100 || product[9] == 109
                                : (product[22] == 100 || product[22] == 105) && product[28] == 255;
}

static bool level_2(const unsigned char *product, double *out)
{
  const int64_t scale = grib_signed(product + 23, 1), value = grib_signed(product + 24, 4);
  if (product[23] == 255 || scale < -9 || scale > 9)
    return false;
  *out = (double)value * pow(10, (double)(product[22] == 100 ? -scale - 2 : -scale));
  return true;
}

/* Centre 98's first local definition has the member in octet 50. */
static bool has_local_number(const struct octets *o, const unsigned char *product)
{
  return o->key.length - o->product_at > 52 && product[4] == 98 && product[40] == 1;
}

/* Takes what it reads out of the key. */
static void read_1(struct octets *o, struct grib_product *out)
{
  unsigned char *p = product_of(o);
  o->is_plain = grib_times_1(p, out);
  if (!o->is_plain)
    return;
  memset(p + 12, 0, 5); /* the date */
  p[18] = p[19] = p[24] = 0;
  p[26] = p[27] = 0; /* of packing */
  if (is_numbered_level(o, p)) {
    out->level = (double)grib_number(p + 10, 2);
    p[10] = p[11] = 0;
  }
  if (has_local_number(o, p)) {
    out->number = p[49];
    p[49] = 0;
  }
}

static void read_2(struct octets *o, struct grib_product *out)
{
  unsigned char *p = product_of(o);
  const size_t length = o->key.length - o->product_at, interval = grib_interval_2(p, length);
  const unsigned number = (unsigned)grib_number(p + 7, 2);
  o->is_plain = grib_times_2(o->identification, p, length, out);
  if (!o->is_plain)
    return;
  memset(o->key.data + 2 + 12, 0, 7); /* the date, in the identification, which is the key's beginning */
  p[17] = 0;
  memset(p + 18, 0, 4);
  if (is_numbered_level(o, p) && level_2(p, &out->level))
    memset(p + 23, 0, 5);
  if (number == 1 || number == 11) {
    out->number = p[35];
    p[35] = 0;
  }
  if (interval > 0) {
    memset(p + interval, 0, 7);
    if (p[interval + 12] <= 1) /* an average or a sum is called so however long it is */
      memset(p + interval + 15, 0, 4);
  }
}

static int add_section(struct octets *o, struct grib_window *w, unsigned number, struct error *error)
{
  const struct grib_span *s = &o->field->section[number];
  unsigned char bytes[1024];
  for (uint64_t at = 0, many; at < s->length; at += many) {
    many = s->length - at < sizeof bytes ? s->length - at : sizeof bytes;
    if (grib_read(w, s->at + at, (size_t)many, bytes, error) != 0)
      return -1;
    buffer_add(&o->key, bytes, (size_t)many);
  }
  return o->key.failed
             ? error_set(error, ERROR_FeatureUnsupported,
                         "the GRIB message at byte %llu is described by too many bytes, which is not supported",
                         (unsigned long long)o->field->at)
             : 0;
}

static int read_octets(struct octets *o, struct grib_window *w, struct error *error)
{
  const char first[2] = {(char)o->field->edition, o->field->edition == 2 ? (char)o->field->indicator[6] : 0};
  o->key.limit = KEY_MOST;
  buffer_add(&o->key, first, sizeof first);
  if (o->field->edition == 2) {
    if (add_section(o, w, GRIB_IDENTIFICATION, error) != 0)
      return -1;
    const size_t many = o->key.length - 2;
    memcpy(o->identification, o->key.data + 2, many < sizeof o->identification ? many : sizeof o->identification);
    if (add_section(o, w, GRIB_LOCAL, error) != 0)
      return -1;
  }
  o->product_at = o->key.length;
  return add_section(o, w, GRIB_PRODUCT, error);
}

/* ---- what ecCodes tells ------------------------------------------------------------------------------------------ */

/* Plain bytes, to be remembered: empty texts are not told. */
struct product_told {
  char name[256], long_name[256], standard_name[256], unit[256], level_type[256], step_type[256];
  double level;
  long number;
  int64_t reference, valid, start; /* where they are asked for */
};

struct product_question { /* a field */
  int edition;
  bool wants_times;
  struct product_told *out;
};

static const char *known_text(struct grib_handle *h, const char *key, char out[256])
{
  const char *text = grib_text(h, key, out);
  if (text && strcmp(text, "unknown") != 0 && strcmp(text, "~") != 0)
    return text;
  *out = '\0';
  return NULL;
}

/* "param_0_1_8": discipline, category and number; of GRIB 1 table and number. */
static void number_name(struct grib_handle *h, int edition, char out[256])
{
  long a = 0, b = 0, c = 0;
  grib_integer(h, edition == 2 ? "discipline" : "table2Version", &a);
  grib_integer(h, edition == 2 ? "parameterCategory" : "indicatorOfParameter", &b);
  if (edition == 2 && grib_integer(h, "parameterNumber", &c))
    snprintf(out, 256, "param_%ld_%ld_%ld", a, b, c);
  else
    snprintf(out, 256, "param_%ld_%ld", a, b);
}

/* A name as a variable may have it. */
static void clean_name(char *name)
{
  for (char *c = name; *c; c++)
    if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-'))
      *c = '_';
}

/* Levels of Pa are among those of hPa. */
static void take_level(struct grib_handle *h, const struct product_question *q)
{
  struct product_told *t = q->out;
  long number = 0;
  if (!grib_real(h, "level", &t->level) || !isfinite(t->level))
    t->level = 0;
  if (!known_text(h, "typeOfLevel", t->level_type)) {
    grib_integer(h, q->edition == 2 ? "typeOfFirstFixedSurface" : "indicatorOfTypeOfLevel", &number);
    snprintf(t->level_type, sizeof t->level_type, "level_%ld", number);
  }
  if (strcmp(t->level_type, "isobaricInPa") == 0) {
    t->level /= 100;
    memcpy(t->level_type, "isobaricInhPa", sizeof "isobaricInhPa");
  }
  clean_name(t->level_type);
}

static bool take_date(struct grib_handle *h, const char *date_key, const char *time_key, int64_t *out)
{
  long date, time;
  if (!grib_integer(h, date_key, &date) || !grib_integer(h, time_key, &time))
    return false;
  const struct civil civil = {.year = (int)(date / 10000),
                              .month = (int)(date / 100 % 100),
                              .day = (int)(date % 100),
                              .hour = (int)(time / 100),
                              .minute = (int)(time % 100)};
  *out = instant_from_civil(civil, CALENDAR_GREGORIAN);
  return grib_is_date(&civil);
}

static bool take_told(struct grib_handle *h, void *data)
{
  const struct product_question *q = data;
  struct product_told *t = q->out;
  long steps;
  if (!known_text(h, "cfVarName", t->name) && !known_text(h, "shortName", t->name))
    number_name(h, q->edition, t->name);
  clean_name(t->name);
  known_text(h, "name", t->long_name);
  known_text(h, "cfName", t->standard_name);
  known_text(h, "units", t->unit);
  if (!known_text(h, "stepType", t->step_type))
    memcpy(t->step_type, "instant", sizeof "instant");
  take_level(h, q);
  if (!grib_integer(h, "number", &t->number))
    t->number = -1;
  if (!q->wants_times)
    return true;
  if (!take_date(h, "dataDate", "dataTime", &t->reference) || !take_date(h, "validityDate", "validityTime", &t->valid))
    return false;
  t->start = grib_integer(h, "startStep", &steps) ? t->reference + steps * 3600 * MS_PER_SECOND : t->valid;
  return true;
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
  return strcmp(a ? a : "", b) == 0;
}

static const struct grib_parameter *find_parameter(const struct grib_products *products, const struct product_told *t)
{
  for (size_t i = 0; i < products->parameter_count; i++) {
    const struct grib_parameter *p = products->parameters[i];
    if (is_same(p->name, t->name) && is_same(p->level_type, t->level_type) && is_same(p->step_type, t->step_type) &&
        is_same(p->unit, t->unit))
      return p;
  }
  return NULL;
}

static const char *keep(struct arena *arena, const char *text, bool *failed)
{
  const char *out = *text ? arena_strdup(arena, text) : NULL;
  *failed = *failed || (*text && !out);
  return out;
}

/* NULL: out of memory. */
static const struct grib_parameter *add_parameter(struct grib_products *products, const struct product_told *t)
{
  struct arena *arena = products->arena;
  bool failed = false;
  const struct grib_parameter p = {.name = keep(arena, t->name, &failed),
                                   .long_name = keep(arena, t->long_name, &failed),
                                   .standard_name = keep(arena, t->standard_name, &failed),
                                   .unit = keep(arena, t->unit, &failed),
                                   .level_type = keep(arena, t->level_type, &failed),
                                   .step_type = keep(arena, t->step_type, &failed)};
  struct grib_parameter **rows =
      arena_grow(arena, products->parameters, products->parameter_count, &products->parameter_room, sizeof *rows);
  struct grib_parameter *own = arena_copy(arena, &p, sizeof p);
  if (!rows || !own || failed)
    return NULL;
  products->parameters = rows;
  return products->parameters[products->parameter_count++] = own;
}

/* ---- the fields of a file ---------------------------------------------------------------------------------------- */

static struct known **slot_of(struct grib_products *products, const struct buffer *key)
{
  uint64_t sum = 0;
  for (size_t i = 0; i < key->length; i++)
    sum = hash_mix(sum ^ (unsigned char)key->data[i]);
  return &products->slots[sum % SLOTS];
}

static const struct grib_product *find_known(struct known *at, const struct buffer *key)
{
  for (; at; at = at->next)
    if (at->key_length == key->length && memcmp(at->key, key->data, key->length) == 0)
      return &at->product;
  return NULL;
}

/* Asks, unless some file has told it before. */
static int find_told(struct grib_products *products, struct grib_window *window, const struct octets *o,
                     struct product_told *out, struct error *error)
{
  const int kind = o->is_plain ? 1 : 2;
  struct product_question about = {o->field->edition, !o->is_plain, out};
  memset(out, 0, sizeof *out);
  if (grib_recall(kind, o->key.data, o->key.length, out, sizeof *out))
    return 0;
  if (grib_ask(products, window, o->field, take_told, &about, error) != 0)
    return -1;
  grib_remember(kind, o->key.data, o->key.length, out, sizeof *out);
  return 0;
}

static int learn(struct grib_products *products, struct grib_window *window, const struct octets *o,
                 struct known **slot, struct error *error)
{
  struct known *known = ARENA_NEW(products->arena, struct known);
  struct product_told told;
  if (!known)
    return error_memory(error);
  *known = (struct known){
      .key = arena_copy(products->arena, o->key.data, o->key.length), .key_length = o->key.length, .next = *slot};
  if (!known->key)
    return error_memory(error);
  if (find_told(products, window, o, &told, error) != 0)
    return -1;
  known->product = (struct grib_product){.parameter = find_parameter(products, &told),
                                         .level = told.level,
                                         .reference = told.reference,
                                         .valid = told.valid,
                                         .start = told.start,
                                         .number = told.number};
  if (!known->product.parameter && !(known->product.parameter = add_parameter(products, &told)))
    return error_memory(error);
  *slot = known;
  return 0;
}

static int read_field(struct grib_products *products, struct grib_window *window, struct octets *o,
                      struct grib_product *out, struct error *error)
{
  *out = (struct grib_product){.level = NAN, .number = -1};
  if (read_octets(o, window, error) != 0)
    return -1;
  if (o->key.length - o->product_at < 28)
    return error_set(error, ERROR_FileContentInvalid, "the GRIB message at byte %llu says too little",
                     (unsigned long long)o->field->at);
  if (o->field->edition == 1)
    read_1(o, out);
  else if (o->key.length - o->product_at >= 34) {
    if (!grib_has_step_2(product_of(o)))
      return error_set(error, ERROR_FileContentInvalid, "the GRIB message at byte %llu is for no time that there is",
                       (unsigned long long)o->field->at);
    read_2(o, out);
  }
  struct known **slot = slot_of(products, &o->key);
  const struct grib_product *known = find_known(*slot, &o->key);
  if (!known && learn(products, window, o, slot, error) != 0)
    return -1;
  known = known ? known : &(*slot)->product;
  if (!o->is_plain) {
    *out = *known;
    return 0;
  }
  out->parameter = known->parameter;
  out->level = isnan(out->level) ? known->level : out->level;
  out->number = out->number < 0 ? known->number : out->number;
  return 0;
}

int grib_product_read(struct grib_products *products, struct grib_window *window, const struct grib_field *field,
                      struct grib_product *out, struct error *error)
{
  struct octets octets = {.field = field};
  const int status = read_field(products, window, &octets, out, error);
  buffer_free(&octets.key);
  return status;
}
