/* See the header. */
#include "server/sources/refresh_pauses.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t longest = 86400; /* seconds */

static struct refresh_pause *find(const struct refresh_pauses *pauses, const char *name)
{
  for (size_t i = 0; pauses && i < pauses->count; i++)
    if (strcmp(pauses->rows[i].name, name) == 0)
      return &pauses->rows[i];
  return NULL;
}

int64_t refresh_pauses_until(const struct refresh_pauses *pauses, const char *name)
{
  const struct refresh_pause *pause = find(pauses, name);
  return pause ? pause->until : 0;
}

static struct refresh_pause *add(struct refresh_pauses *pauses, const char *name)
{
  struct refresh_pause *rows = realloc(pauses->rows, (pauses->count + 1) * sizeof *rows);
  char *own = strdup(name);
  pauses->rows = rows ? rows : pauses->rows;
  if (!rows || !own) {
    free(own);
    return NULL;
  }
  rows[pauses->count] = (struct refresh_pause){.name = own};
  return &rows[pauses->count++];
}

void refresh_pauses_note(struct refresh_pauses *pauses, const char *name, int64_t every, int status)
{
  if (!pauses)
    return;
  struct refresh_pause *pause = find(pauses, name);
  if (!pause && (status == 0 || !(pause = add(pauses, name))))
    return;
  if (status == 0) {
    pause->failures = 0;
    pause->until = 0;
    return;
  }
  int64_t seconds = every;
  for (unsigned i = 0; i < pause->failures && seconds < longest; i++)
    seconds *= 2;
  if (seconds > longest)
    seconds = every > longest ? every : longest;
  pause->failures++;
  pause->until = (int64_t)time(NULL) + seconds;
}

void refresh_pauses_free(struct refresh_pauses *pauses)
{
  for (size_t i = 0; i < pauses->count; i++)
    free(pauses->rows[i].name);
  free(pauses->rows);
  *pauses = (struct refresh_pauses){0};
}
