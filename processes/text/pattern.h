/* What text_begins, text_contains and text_ends share. */
#ifndef TWINCUBE_PROCESSES_TEXT_PATTERN_H
#define TWINCUBE_PROCESSES_TEXT_PATTERN_H

#include "processes/process.h"

/* Reads data, pattern and case_sensitive, folds both texts where case does not count, and gives the answer of `test`;
 * null where data is null. */
int match_pattern(struct call *call, bool (*test)(const char *data, const char *pattern), struct value *result);

#endif
