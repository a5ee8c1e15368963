/* JSON as text: finding members and elements without changing a byte of them. */
#ifndef TWINCUBE_SERVER_HTTP_JSON_TEXT_H
#define TWINCUBE_SERVER_HTTP_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text_member { /* of an object, as it stands in the text */
  const char *name;  /* between its quotation marks */
  size_t name_length;
  const char *value;
  size_t value_length;
};

/* Goes through the members of the outermost object: *at is 0 at first; false behind the last one. `json` must be valid
 * JSON. */
bool json_text_next(const char *json, size_t length, size_t *at, struct text_member *out);
bool text_member_is(const struct text_member *member, const char *name); /* names with escapes are none of ours */

/* The value of a member of the outermost object, as it stands in the text. `json` must be valid JSON. Returns its start
 * and writes its length, or NULL where there is no such member (a name written with escapes does not count). */
const char *json_text_member(const char *json, size_t length, const char *name, size_t *value_length);

/* Goes through the elements of an array: *at is 0 at first. The next element's start, and its length; NULL behind the
 * last one. `json` must be valid JSON. */
const char *json_text_element(const char *json, size_t length, size_t *at, size_t *element_length);

#endif
