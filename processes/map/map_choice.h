/* What of a cube a map shows: one date, some bands, one label of everything else. */
#ifndef TWINCUBE_PROCESSES_MAP_MAP_CHOICE_H
#define TWINCUBE_PROCESSES_MAP_MAP_CHOICE_H

#include "processes/map/map.h"

/* Views of the node: x, y and, where it has a dimension of bands, the chosen ones. An instant stands for the last date
 * that is not after it (a day, for the last of that day), an interval for its last date. Error QueryParameterInvalid
 * naming datetime, bands or the dimension. */
int map_choose(struct arena *arena, const struct node *node, const struct map_choice *choice, const struct node **out,
               struct error *error);

/* A date of a request in milliseconds; an open end ("", "..", "*") is the end of time. As an end a year, a month or a
 * day without hours is all of it. -1: it is no date. */
int map_read_date(const char *text, size_t length, enum calendar calendar, bool is_end, int64_t *out);

#endif
