/* Patterns of LIKE: % is any text, _ any character, a backslash takes what follows as it is. */
#ifndef TWINCUBE_STAC_CQL2_LIKE_MATCH_H
#define TWINCUBE_STAC_CQL2_LIKE_MATCH_H

#include <stdbool.h>

/* Takes time of at most the text's length times the pattern's. */
bool like_matches(const char *text, const char *pattern);

#endif
