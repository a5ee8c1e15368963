/* One pass over a JSON text that nobody vouches for: is it sound, and where are the parts that the index wants? No tree
 * is made, since of an item's hundreds of values a dozen are wanted.
 *
 * Sound: RFC 8259, UTF-8, no key twice in an object, numbers that a double or a 64-bit integer holds, no character
 * U+0000: what every reader of the text takes in the same way. */
#ifndef TWINCUBE_STAC_SEARCH_JSON_SCAN_H
#define TWINCUBE_STAC_SEARCH_JSON_SCAN_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

enum { JSON_SCAN_DEPTH = 100, JSON_SCAN_NUMBER = 100 }; /* most brackets in each other; characters of a number */

struct json_span { /* in the compact text */
  size_t from, to; /* equal: it is not there */
  size_t members;  /* of an object or array */
};

/* A wanted value: the member `key` of the outermost object or, where `within` is set, of its member of that name. */
struct json_wanted {
  const char *within, *key;
};

/* Adds the text without white space between its tokens to `out`; spans[i] tells of wanted[i]. The text must be an
 * object, at most `most` bytes. Error StacInvalid tells what is wrong, and at which byte. */
int json_scan(const char *text, size_t length, size_t most, const struct json_wanted *wanted, size_t wanted_count,
              struct json_span *spans, struct buffer *out, struct error *error);

#endif
