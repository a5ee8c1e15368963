/* Ranges are parted by commas; of those that fit a type the most specific one tells its weight. */
#include "server/pages/accept.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum fit { FIT_NONE, FIT_ALL, FIT_GROUP, FIT_NAMED }; /* none, by "*" + "/" + "*", by "text/" + "*", by its name */

struct accept_wish {
  enum fit fit;
  double weight; /* 0 … 1 */
};

static enum fit range_fit(const char *range, size_t length, const char *type)
{
  const size_t group = strcspn(type, "/") + 1;
  if (length == 3 && memcmp(range, "*/*", 3) == 0)
    return FIT_ALL;
  if (length == group + 1 && range[group] == '*' && strncasecmp(range, type, group) == 0)
    return FIT_GROUP;
  return length == strlen(type) && strncasecmp(range, type, length) == 0 ? FIT_NAMED : FIT_NONE;
}

/* The parameter q of a range's rest ";q=0.5"; 1 where it says nothing. */
static double read_weight(const char *text, size_t length)
{
  const char *const end = text + length;
  while (text < end) {
    text += strspn(text, "; \t");
    if (end - text > 2 && (*text == 'q' || *text == 'Q') && text[1] == '=') {
      const double weight = strtod(text + 2, NULL);
      return weight >= 0 && weight <= 1 ? weight : 0;
    }
    const size_t step = strcspn(text, ";,");
    if (step == 0)
      break;
    text += step;
  }
  return 1;
}

static struct accept_wish find_wish(const char *header, const char *type)
{
  struct accept_wish wish = {FIT_NONE, 0};
  while (*header != '\0') {
    header += strspn(header, ", \t");
    const size_t length = strcspn(header, ","), range = strcspn(header, ";, \t");
    const enum fit fit = range_fit(header, range, type);
    if (fit > wish.fit)
      wish = (struct accept_wish){fit, read_weight(header + range, length - range)};
    header += length;
  }
  return wish;
}

bool accept_prefers(const char *header, const char *type, const char *usual)
{
  if (header == NULL)
    return false;
  const struct accept_wish wanted = find_wish(header, type), other = find_wish(header, usual);
  if (wanted.weight <= 0)
    return false;
  return wanted.weight > other.weight || (wanted.weight == other.weight && wanted.fit > other.fit);
}
