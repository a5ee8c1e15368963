/* Numbers as TOML writes them. */
#ifndef TWINCUBE_SERVER_CONFIG_TOML_NUMBER_H
#define TWINCUBE_SERVER_CONFIG_TOML_NUMBER_H

#include <jansson.h>

enum { TOML_WORD_SIZE = 100 };

/* An integer of 64 bits or a finite float, both of base ten, of a word shorter than TOML_WORD_SIZE. NULL: it is none,
 * or out of memory. */
json_t *toml_number(const char *word);

#endif
