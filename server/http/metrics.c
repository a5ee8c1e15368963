/* One row of counters a route and one for what has no route; every counter is an atomic number. */
#include "server/http/metrics.h"

#include "server/http/route_table.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { STATUS_CLASSES = 5, BUCKETS = 11 }; /* 1xx to 5xx; the last bucket is everything */

static const double bounds[BUCKETS - 1] = {.001, .0025, .005, .01, .025, .05, .1, .5, 1, 10}; /* seconds */

struct metrics {
  atomic_uint_fast64_t buckets[BUCKETS], microseconds;
  atomic_uint_fast64_t rows[][STATUS_CLASSES]; /* of each route; the last: no route */
};

int metrics_new(struct metrics **out, struct error *error)
{
  *out = calloc(1, sizeof **out + (route_count + 1) * sizeof(*out)->rows[0]);
  return *out != NULL ? 0 : error_memory(error);
}

void metrics_free(struct metrics *metrics)
{
  free(metrics);
}

void metrics_count(struct metrics *metrics, const struct route *route, unsigned status, double seconds)
{
  const size_t row = route != NULL ? (size_t)(route - routes) : route_count;
  const unsigned class = status / 100 - 1;
  size_t bucket = 0;
  while (bucket < BUCKETS - 1 && seconds > bounds[bucket])
    bucket++;
  if (class < STATUS_CLASSES)
    atomic_fetch_add_explicit(&metrics->rows[row][class], 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&metrics->buckets[bucket], 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&metrics->microseconds, (uint64_t)(seconds * 1e6), memory_order_relaxed);
}

static void write_requests(const struct metrics *metrics, struct buffer *out)
{
  buffer_printf(out, "# HELP twincube_http_requests_total Requests answered.\n"
                     "# TYPE twincube_http_requests_total counter\n");
  for (size_t row = 0; row <= route_count; row++)
    for (unsigned class = 0; class < STATUS_CLASSES; class ++) {
      const uint64_t count = atomic_load_explicit(&metrics->rows[row][class], memory_order_relaxed);
      if (count > 0)
        buffer_printf(out, "twincube_http_requests_total{method=\"%s\",route=\"%s\",status=\"%uxx\"} %" PRIu64 "\n",
                      row < route_count ? routes[row].method : "", row < route_count ? routes[row].path : "", class + 1,
                      count);
    }
}

static void write_times(const struct metrics *metrics, struct buffer *out)
{
  uint64_t sum = 0;
  buffer_printf(out, "# HELP twincube_http_request_seconds Time from the request to its answer.\n"
                     "# TYPE twincube_http_request_seconds histogram\n");
  for (size_t i = 0; i < BUCKETS; i++) {
    sum += atomic_load_explicit(&metrics->buckets[i], memory_order_relaxed);
    buffer_printf(out, "twincube_http_request_seconds_bucket{le=\"");
    if (i < BUCKETS - 1)
      buffer_printf(out, "%g\"} %" PRIu64 "\n", bounds[i], sum);
    else
      buffer_printf(out, "+Inf\"} %" PRIu64 "\n", sum);
  }
  buffer_printf(out, "twincube_http_request_seconds_sum %.6f\ntwincube_http_request_seconds_count %" PRIu64 "\n",
                (double)atomic_load_explicit(&metrics->microseconds, memory_order_relaxed) * 1e-6, sum);
}

void metrics_write(const struct metrics *metrics, struct buffer *out)
{
  write_requests(metrics, out);
  write_times(metrics, out);
}
