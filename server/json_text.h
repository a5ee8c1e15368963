/* JSON as text: finding a member without changing a byte of it. */
#ifndef TWINCUBE_SERVER_JSON_TEXT_H
#define TWINCUBE_SERVER_JSON_TEXT_H

#include <stddef.h>

/* The value of a member of the outermost object, as it stands in the text. `json` must be valid JSON. Returns its start
 * and writes its length, or NULL where there is no such member (a name written with escapes does not count). */
const char *json_text_member(const char *json, size_t length, const char *name, size_t *value_length);

#endif
