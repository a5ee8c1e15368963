/* Counts of answered requests, by route and by how long they took, as Prometheus wants them. Safe on any thread. */
#ifndef TWINCUBE_SERVER_HTTP_METRICS_H
#define TWINCUBE_SERVER_HTTP_METRICS_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

struct metrics;
struct route;

int metrics_new(struct metrics **out, struct error *error);
void metrics_free(struct metrics *metrics); /* NULL is allowed */

/* A request was answered `seconds` after it came; route is NULL where none fits. */
void metrics_count(struct metrics *metrics, const struct route *route, unsigned status, double seconds);
/* Text in Prometheus' exposition format 0.0.4. */
void metrics_write(const struct metrics *metrics, struct buffer *out);

#endif
