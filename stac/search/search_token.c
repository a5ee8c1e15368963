/* Tokens: a place in the order of a search, with a hash of both.
 *
 *   b, where it goes back;
 *   i INTEGER ,   r REAL (17 digits) ,   n ,   t LENGTH : TEXT ,   for each term; then 16 hexadecimal digits
 *
 * all in the letters of base64url. The hash is no secret: whoever makes a token up only skips items. */
#include "stac/search/search_plan.h"

#include "datacube/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOKEN = 16384, HASH_DIGITS = 16 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- letters ----------------------------------------------------------------------------------------------------- */

static void encode(const char *bytes, size_t length, struct buffer *out)
{
  for (size_t i = 0; i < length; i += 3) {
    const size_t left = length - i < 3 ? length - i : 3;
    uint32_t group = 0;
    for (size_t k = 0; k < 3; k++)
      group = group << 8 | (k < left ? (unsigned char)bytes[i + k] : 0);
    for (size_t k = 0; k <= left; k++)
      buffer_add(out, &letters[group >> (18 - 6 * k) & 63], 1);
  }
}

/* False: another letter. */
static bool decode(const char *text, struct buffer *out)
{
  uint32_t bits = 0;
  unsigned count = 0;
  for (; *text; text++) {
    const char *found = strchr(letters, *text);
    if (!found)
      return false;
    bits = bits << 6 | (uint32_t)(found - letters);
    count += 6;
    if (count >= 8) {
      count -= 8;
      const char byte = (char)(bits >> count & 255);
      buffer_add(out, &byte, 1);
    }
  }
  return !out->failed;
}

/* ---- what a search asks for -------------------------------------------------------------------------------------- */

static void add_box(struct hash *hash, const struct extent *box)
{
  hash_number(hash, box->west);
  hash_number(hash, box->south);
  hash_number(hash, box->east);
  hash_number(hash, box->north);
}

static void add_condition(struct hash *hash, const struct item_condition *condition)
{
  hash_text(hash, condition->identity);
  hash_text(hash, condition->sql);
  for (size_t i = 0; i < condition->value_count; i++) {
    const struct item_value *value = &condition->values[i];
    hash_word(hash, value->kind);
    hash_word(hash, value->kind == ITEM_VALUE_INTEGER ? (uint64_t)value->integer : 0);
    hash_number(hash, value->kind == ITEM_VALUE_REAL ? value->real : 0);
    hash_text(hash, value->kind == ITEM_VALUE_TEXT ? value->text : NULL);
  }
}

/* All but the limit, which may change from page to page. */
static struct hash hash_search(const struct search_plan *plan)
{
  const struct item_search *search = plan->search;
  struct hash hash = {0x7477696e, 0x63756265};
  for (size_t i = 0; i < search->id_count; i++)
    hash_text(&hash, search->ids[i]);
  hash_word(&hash, search->id_count);
  for (size_t i = 0; i < search->collection_count; i++)
    hash_text(&hash, search->collections[i]);
  hash_word(&hash, search->collection_count);
  if (search->has_box)
    add_box(&hash, &search->box);
  hash_number(&hash, search->has_heights ? search->lowest : 0);
  hash_number(&hash, search->has_heights ? search->highest : 0);
  hash_word(&hash, (uint64_t)plan->first);
  hash_word(&hash, (uint64_t)plan->last);
  hash_text(&hash, search->intersects);
  if (search->condition)
    add_condition(&hash, search->condition);
  for (size_t i = 0; i < plan->term_count; i++) {
    hash_word(&hash, plan->terms[i].kind * 2u + (plan->terms[i].is_descending != plan->goes_back));
    hash_text(&hash, plan->terms[i].path);
  }
  return hash;
}

static void make_digits(const struct search_plan *plan, const char *bytes, size_t length, char out[HASH_DIGITS + 1])
{
  struct hash hash = hash_search(plan);
  hash_bytes(&hash, bytes, length);
  snprintf(out, HASH_DIGITS + 1, "%016llx", (unsigned long long)hash.a);
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

static void write_value(const struct item_value *value, struct buffer *out)
{
  switch (value->kind) {
  case ITEM_VALUE_NULL:
    buffer_text(out, "n,");
    break;
  case ITEM_VALUE_INTEGER:
    buffer_printf(out, "i%lld,", (long long)value->integer);
    break;
  case ITEM_VALUE_REAL:
    buffer_printf(out, "r%.17g,", value->real);
    break;
  case ITEM_VALUE_TEXT:
    buffer_printf(out, "t%zu:", strlen(value->text));
    buffer_text(out, value->text);
    buffer_text(out, ",");
    break;
  }
}

void search_token_write(const struct search_plan *plan, const struct found_place *place, bool goes_back,
                        struct buffer *out)
{
  struct buffer bytes = {0};
  char digits[HASH_DIGITS + 1];
  if (goes_back)
    buffer_text(&bytes, "b");
  for (size_t i = 0; i < plan->term_count; i++)
    write_value(&place->values[i], &bytes);
  make_digits(plan, bytes.data, bytes.length, digits);
  buffer_add(&bytes, digits, HASH_DIGITS);
  encode(bytes.data, bytes.length, out);
  out->failed = out->failed || bytes.failed;
  buffer_free(&bytes);
}

/* The text of a value; NULL: it is none. */
static char *read_text(char *at, const char *end, struct item_value *out)
{
  char *text;
  const unsigned long length = strtoul(at, &text, 10);
  if (*text != ':' || length >= (unsigned long)(end - text))
    return NULL;
  text++;
  out->kind = ITEM_VALUE_TEXT;
  out->text = text;
  return text + length;
}

/* What follows the value and its comma, which becomes the end of a text; NULL: it is none. */
static char *read_value(char *at, const char *end, struct item_value *out)
{
  char *behind = NULL;
  *out = (struct item_value){.kind = ITEM_VALUE_NULL};
  if (at >= end)
    return NULL;
  if (*at == 'n')
    behind = at + 1;
  if (*at == 'i')
    *out = value_of_integer(strtoll(at + 1, &behind, 10));
  if (*at == 'r')
    *out = value_of_real(strtod(at + 1, &behind));
  if (*at == 't')
    behind = read_text(at + 1, end, out);
  if (!behind || behind >= end || *behind != ',')
    return NULL;
  *behind = '\0';
  return behind + 1;
}

static bool read_token(struct search_plan *plan, const char *token)
{
  struct buffer bytes = {0};
  char digits[HASH_DIGITS + 1];
  if (strlen(token) > MOST_TOKEN || !decode(token, &bytes) || bytes.length < HASH_DIGITS) {
    buffer_free(&bytes);
    return false;
  }
  const size_t length = bytes.length - HASH_DIGITS;
  make_digits(plan, bytes.data, length, digits);
  char *own =
      memcmp(digits, bytes.data + length, HASH_DIGITS) == 0 ? arena_strndup(plan->arena, bytes.data, length) : NULL;
  buffer_free(&bytes);
  char *at = own;
  const bool goes_back = at && *at == 'b';
  at += goes_back;
  for (size_t i = 0; at && i < plan->term_count; i++)
    at = read_value(at, own + length, &plan->place[i]);
  plan->has_place = at && at == own + length;
  for (size_t i = 0; goes_back && i < plan->term_count; i++)
    plan->terms[i].is_descending = !plan->terms[i].is_descending;
  plan->goes_back = goes_back;
  return plan->has_place;
}

int search_token_read(struct search_plan *plan, const char *token, struct error *error)
{
  return read_token(plan, token)
             ? 0
             : error_parameter(error, ERROR_QueryParameterInvalid, "token", "is of no page of this search");
}
