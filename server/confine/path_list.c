#include "server/confine/path_list.h"

#include "stac/href.h"

#include <stdlib.h>
#include <string.h>

int path_list_add(struct path_list *list, const char *path, size_t length)
{
  const char *last = list->count > 0 ? list->paths[list->count - 1] : "";
  if (strlen(last) == length && strncmp(last, path, length) == 0)
    return 0;
  if (list->count == list->capacity) {
    const size_t capacity = list->capacity > 0 ? 2 * list->capacity : 16;
    char **grown = realloc(list->paths, capacity * sizeof *grown);
    if (grown == NULL)
      return -1;
    list->paths = grown;
    list->capacity = capacity;
  }
  char *copy = strndup(path, length);
  if (copy == NULL)
    return -1;
  list->paths[list->count++] = copy;
  return 0;
}

/* A slash comes before every other byte, so that what lies below a folder comes right behind it. */
static int compare(const void *a, const void *b)
{
  const unsigned char *one = *(const unsigned char *const *)a, *two = *(const unsigned char *const *)b;
  while (*one != '\0' && *one == *two)
    one++, two++;
  const int first = *one == '/'    ? 1
                    : *one == '\0' ? 0
                                   : *one + 1,
            second = *two == '/'    ? 1
                     : *two == '\0' ? 0
                                    : *two + 1;
  return first - second;
}

void path_list_tidy(struct path_list *list)
{
  size_t kept = 0;
  if (list->count > 0)
    qsort(list->paths, list->count, sizeof *list->paths, compare);
  for (size_t i = 0; i < list->count; i++)
    if (kept > 0 && path_is_below(list->paths[i], list->paths[kept - 1]))
      free(list->paths[i]);
    else
      list->paths[kept++] = list->paths[i];
  list->count = kept;
}

void path_list_free(struct path_list *list)
{
  for (size_t i = 0; i < list->count; i++)
    free(list->paths[i]);
  free(list->paths);
  *list = (struct path_list){0};
}
