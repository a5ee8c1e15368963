/* Two small tables that are searched from end to end, and written round and round. */
#include "datacube/crs_memory.h"

#include "datacube/proj_context.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_CODES = 64, MOST_TRANSFORMS = 32 };

struct known_transform { /* owns what it has; pj NULL: free */
  PJ_CONTEXT *context;
  PJ *pj;
  char *from, *to;
};

static struct {
  pthread_mutex_t lock;
  struct {
    uint32_t code;
    struct crs_facts facts;
  } codes[MOST_CODES];
  size_t next_code;
  struct known_transform transforms[MOST_TRANSFORMS];
  size_t next_transform;
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER};

uint32_t crs_epsg_number(const char *text)
{
  uint32_t number = 0;
  if (!text || strncasecmp(text, "EPSG:", 5) != 0 || strlen(text) > strlen("EPSG:") + 8)
    return 0;
  for (const char *digit = text + 5; *digit; digit++) {
    if (*digit < '0' || *digit > '9')
      return 0;
    number = 10 * number + (uint32_t)(*digit - '0');
  }
  return number;
}

/* Called under the lock. MOST_CODES: it is not there. */
static size_t find_code(uint32_t code)
{
  size_t i = 0;
  while (i < MOST_CODES && memory.codes[i].code != code)
    i++;
  return i;
}

struct crs_facts crs_facts_recall(uint32_t code)
{
  struct crs_facts facts = {0};
  if (code == 0)
    return facts;
  pthread_mutex_lock(&memory.lock);
  const size_t i = find_code(code);
  if (i < MOST_CODES)
    facts = memory.codes[i].facts;
  pthread_mutex_unlock(&memory.lock);
  return facts;
}

void crs_facts_keep(uint32_t code, const struct crs_facts *facts)
{
  if (code == 0)
    return;
  pthread_mutex_lock(&memory.lock);
  size_t i = find_code(code);
  if (i == MOST_CODES) {
    i = memory.next_code++ % MOST_CODES;
    memory.codes[i].code = code;
    memory.codes[i].facts = (struct crs_facts){0};
  }
  struct crs_facts *kept = &memory.codes[i].facts;
  const struct crs_facts before = *kept;
  if (facts->known & CRS_AXES)
    *kept = *facts;
  kept->canonical = facts->known & CRS_CANONICAL ? facts->canonical : before.canonical;
  kept->known = before.known | facts->known;
  pthread_mutex_unlock(&memory.lock);
}

PJ *crs_transform_recall(PJ_CONTEXT *context, const char *from, const char *to)
{
  PJ *copy = NULL;
  pthread_mutex_lock(&memory.lock);
  for (size_t i = 0; i < MOST_TRANSFORMS && !copy; i++) {
    const struct known_transform *known = &memory.transforms[i];
    if (known->pj && strcmp(known->from, from) == 0 && strcmp(known->to, to) == 0)
      copy = proj_clone(context, known->pj);
  }
  pthread_mutex_unlock(&memory.lock);
  return copy;
}

static void forget(struct known_transform *known)
{
  proj_destroy(known->pj);
  if (known->context)
    proj_context_destroy(known->context);
  free(known->from);
  free(known->to);
  *known = (struct known_transform){0};
}

void crs_transform_keep(const PJ *transform, const char *from, const char *to)
{
  struct known_transform known = {.context = proj_context_confined(), .from = strdup(from), .to = strdup(to)};
  known.pj = known.context ? proj_clone(known.context, transform) : NULL;
  if (!known.pj || !known.from || !known.to) {
    forget(&known);
    return;
  }
  pthread_mutex_lock(&memory.lock);
  struct known_transform old = memory.transforms[memory.next_transform % MOST_TRANSFORMS];
  memory.transforms[memory.next_transform++ % MOST_TRANSFORMS] = known;
  pthread_mutex_unlock(&memory.lock);
  forget(&old);
}
