/* The text processes that look for a pattern. */
#ifndef TWINCUBE_PROCESSES_TEXT_PATTERN_H
#define TWINCUBE_PROCESSES_TEXT_PATTERN_H

#include "processes/process.h"

/* Arguments "data" and "pattern", both folded where "case_sensitive" says so: characters stay as many. */
int read_pattern(struct call *call, const char **data, const char **pattern);
/* Applies a test to these; missing data gives missing. */
int match_pattern(struct call *call, bool (*test)(const char *data, const char *pattern), struct value *result);

#endif
