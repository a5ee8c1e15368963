/* Searches of a catalogue, without a server: search_bench DATA THREADS SECONDS [COLLECTION...]
 *
 * Each thread asks for ten items of one of the collections, in a random box of 10 by 10 degrees and a random half year
 * of 2017 to 2024, again and again. Then one thread pages through 20 000 items of all. One line of JSON. */
#include "stac/search/search.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_TIMES = 2000000, PAGE = 10, DEEP = 2000 };
static const int64_t first_day = INT64_C(1483228800000), half_year = INT64_C(15768000000); /* 2017-01-01; ms */

struct searcher {
  const char *data;
  const char *const *collections;
  size_t collection_count;
  double seconds, cpu; /* to search for; what it took of CPU */
  unsigned seed;
  float *times; /* of each search, seconds */
  size_t count;
  long long found, bytes;
  bool failed;
  pthread_t thread;
};

static double now(void)
{
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

static double busy(void)
{
  struct timespec at;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

static double uniform(unsigned *seed, double low, double high)
{
  return low + (high - low) * ((double)rand_r(seed) / RAND_MAX);
}

static int take(void *data, const struct found_item *item, struct error *error)
{
  struct searcher *searcher = data;
  (void)error;
  searcher->found++;
  searcher->bytes += (long long)item->length;
  return 0;
}

static int search_once(struct searcher *s, const struct catalogue *catalogue, struct error *error)
{
  const double west = uniform(&s->seed, -180, 170), south = uniform(&s->seed, -80, 70);
  const int64_t start = first_day + (int64_t)uniform(&s->seed, 0, 15) * half_year;
  const char *collection = s->collection_count ? s->collections[(size_t)rand_r(&s->seed) % s->collection_count] : NULL;
  const struct item_search search = {.collections = &collection,
                                     .collection_count = collection != NULL,
                                     .has_box = true,
                                     .box = {west, south, west + 10, south + 10, NULL},
                                     .has_start = true,
                                     .has_end = true,
                                     .start = start,
                                     .end = start + half_year,
                                     .limit = PAGE};
  struct item_page page = {.data = s, .take = take};
  int result = item_search_page(catalogue, &search, &page, error);
  buffer_free(&page.token);
  return result;
}

static void *run_searcher(void *data)
{
  struct searcher *s = data;
  struct catalogue *catalogue = NULL;
  struct error error = {0};
  if (catalogue_open(s->data, false, &catalogue, &error) != 0) {
    s->failed = true;
    return NULL;
  }
  const double end = now() + s->seconds;
  for (double before = now(), after; before < end && !s->failed; before = after) {
    s->failed = search_once(s, catalogue, &error) != 0;
    after = now();
    if (s->count < MOST_TIMES)
      s->times[s->count++] = (float)(after - before);
  }
  s->cpu = busy();
  if (s->failed)
    fprintf(stderr, "%s: %s\n", error.code, error.message);
  catalogue_close(catalogue);
  return NULL;
}

/* Seconds of CPU of the first hundred pages and of the last hundred ones. */
static int page_deeply(const char *data, double *first, double *last, long long *items)
{
  struct catalogue *catalogue = NULL;
  struct error error = {0};
  struct searcher counter = {0};
  struct item_page page = {.data = &counter, .take = take};
  struct buffer token = {0};
  int result = catalogue_open(data, false, &catalogue, &error);
  *first = *last = 0;
  for (int i = 0; i < DEEP && result == 0; i++) {
    const struct item_search search = {.limit = PAGE, .token = i ? token.data : NULL};
    const double before = busy();
    page.token = (struct buffer){0};
    result = item_search_page(catalogue, &search, &page, &error);
    *(i < 100 ? first : last) += i < 100 || i >= DEEP - 100 ? busy() - before : 0;
    buffer_free(&token);
    token = page.token;
    if (token.length == 0)
      break;
  }
  buffer_free(&token);
  catalogue_close(catalogue);
  *items = counter.found;
  return result;
}

static int compare(const void *left, const void *right)
{
  const float *a = left, *b = right;
  return *a < *b ? -1 : *a > *b;
}

int main(int argc, char **argv)
{
  if (argc < 4) {
    fprintf(stderr, "usage: search_bench DATA THREADS SECONDS [COLLECTION...]\n");
    return 2;
  }
  const size_t threads = (size_t)strtoul(argv[2], NULL, 10);
  struct searcher *all = calloc(threads + 1, sizeof *all);
  float *times = calloc((threads + 1) * MOST_TIMES, sizeof *times);
  size_t count = 0;
  long long found = 0, deep = 0;
  double cpu = 0;
  bool failed = !all || !times;
  for (size_t i = 0; i < threads && !failed; i++) {
    all[i] = (struct searcher){.data = argv[1],
                               .collections = (const char *const *)argv + 4,
                               .collection_count = (size_t)argc - 4,
                               .seconds = strtod(argv[3], NULL),
                               .seed = (unsigned)i + 1,
                               .times = times + i * MOST_TIMES};
    failed = pthread_create(&all[i].thread, NULL, run_searcher, &all[i]) != 0;
  }
  for (size_t i = 0; i < threads && !failed; i++) {
    pthread_join(all[i].thread, NULL);
    failed = failed || all[i].failed;
    for (size_t k = 0; k < all[i].count; k++)
      times[count++] = all[i].times[k];
    found += all[i].found;
    cpu += all[i].cpu;
  }
  double first = 0, last = 0;
  if (failed || count == 0 || page_deeply(argv[1], &first, &last, &deep) != 0)
    return 1;
  qsort(times, count, sizeof *times, compare);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"searches\": %zu, \"rate\": %.1f, \"p50\": %.3g, \"p99\": %.3g, \"worst\": %.3g, \"found\": %.2f, \"cpu\": "
         "%.3g, "
         "\"deep_items\": %lld, \"first_page\": %.3g, \"last_page\": %.3g, \"peak_kib\": %ld}\n",
         count, (double)count / strtod(argv[3], NULL), (double)times[count / 2], (double)times[count * 99 / 100],
         (double)times[count - 1], (double)found / (double)count, cpu / (double)count, deep, first / 100, last / 100,
         usage.ru_maxrss);
  free(times);
  free(all);
  return 0;
}
