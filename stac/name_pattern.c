/* Dates and bands in the names of files.
 *
 * Default date: in the file's own name, else in the folders above it (the nearest first), else in the whole path
 * ("2022/06/01/…"), the first of
 *   1. a full date, YYYYMMDD or YYYY-MM-DD (one of "-_." between), maybe with a time "Thhmmss" or "hhmmss" behind
 *   2. a day of the year, YYYYDDD
 *   3. a month, YYYY-MM or YYYYMM; a folder may tell the day of it
 * So the day on which a folder was ordered stands behind what its files say. Digits right before or after make it no
 * date, years run from 1900 to 2100.
 *
 * Default band: tokens of the file's name (cut at "_", ".", blanks and "-"; dates left out, extension off): the last
 * one that looks like a band of a known sensor (B4, B8A, BQA, SCL, VV, …), with the words that belong to it
 * (QA_PIXEL, MSK_DETFOO_B01); else such a folder above; else the last token cut at "_", "." and blanks that is no
 * pixel size. */
#include "stac/name_pattern.h"

#include "datacube/base/instant.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether matching takes time that is bounded by the length of a name: references to groups are tried in every way, and
 * counts within counts ("((a{1,100}){1,100}){1,100}") are written out before anything is matched. */
static bool is_bounded(const char *expression)
{
  const long copies_most = 100000;
  long copies = 1;
  for (const char *c = expression; *c; c++) {
    if (c[0] == '\\' && c[1] != '\0') {
      c++;
      if (*c >= '1' && *c <= '9')
        return false;
    } else if (c[0] == '{') {
      char *end = NULL;
      long least = strtol(c + 1, &end, 10), most = *end == ',' ? strtol(end + 1, NULL, 10) : 0;
      most = most > least ? most : least;
      if (most > 1 && most > copies_most / copies)
        return false;
      copies *= most > 1 ? most : 1;
    }
  }
  return true;
}

static int compile(const char *expression, const char *parameter, regex_t *out, struct error *error)
{
  char reason[128];
  if (!is_bounded(expression))
    return error_parameter(
        error, ERROR_ProcessParameterInvalid, parameter,
        "the expression '%s' could take for ever: leave out references such as \\1, and large counts", expression);
  int code = regcomp(out, expression, REG_EXTENDED);
  if (code != 0) {
    regerror(code, out, reason, sizeof reason);
    return error_parameter(error, ERROR_ProcessParameterInvalid, parameter, "the expression '%s' is not valid: %s",
                           expression, reason);
  }
  if (out->re_nsub >= 1)
    return 0;
  regfree(out);
  return error_parameter(error, ERROR_ProcessParameterInvalid, parameter,
                         "the expression '%s' has no group: put the part that counts in parentheses", expression);
}

int name_pattern_new(const char *datetime, const char *band, struct name_pattern *out, struct error *error)
{
  *out = (struct name_pattern){0};
  if (datetime && compile(datetime, "datetime", &out->datetime, error) != 0)
    return -1;
  out->has_datetime = datetime != NULL;
  if (band && compile(band, "band", &out->band, error) != 0) {
    name_pattern_free(out);
    return -1;
  }
  out->has_band = band != NULL;
  return 0;
}

void name_pattern_free(struct name_pattern *pattern)
{
  if (pattern->has_datetime)
    regfree(&pattern->datetime);
  if (pattern->has_band)
    regfree(&pattern->band);
  *pattern = (struct name_pattern){0};
}

static int number_at(const char *digits, size_t count)
{
  int value = 0;
  for (size_t i = 0; i < count; i++)
    value = value * 10 + (digits[i] - '0');
  return value;
}

static bool in_range(int value, int low, int high)
{
  return value >= low && value <= high;
}

/* From 4 to 17 digits without anything between. */
static bool instant_of_digits(const char *digits, size_t count, int64_t *instant)
{
  struct civil c = {.year = number_at(digits, 4), .month = 1, .day = 1};
  if (!in_range(c.year, 1900, 2100))
    return false;
  if (count == 7) {
    int day = number_at(digits + 4, 3);
    int days = days_in_month(c.year, 2, CALENDAR_GREGORIAN) == 29 ? 366 : 365;
    c.day = day;
    *instant = instant_from_civil(c, CALENDAR_GREGORIAN);
    return in_range(day, 1, days);
  }
  int *const fields[] = {&c.month, &c.day, &c.hour, &c.minute, &c.second};
  if (count != 4 && count != 6 && count != 8 && count != 10 && count != 12 && count != 14 && count != 17)
    return false;
  for (size_t i = 0; i < 5 && 4 + 2 * i < count; i++)
    *fields[i] = number_at(digits + 4 + 2 * i, 2);
  if (count == 17)
    c.millisecond = number_at(digits + 14, 3);
  if (!in_range(c.month, 1, 12) || !in_range(c.day, 1, days_in_month(c.year, c.month, CALENDAR_GREGORIAN)) ||
      !in_range(c.hour, 0, 23) || !in_range(c.minute, 0, 59) || !in_range(c.second, 0, 60))
    return false;
  *instant = instant_from_civil(c, CALENDAR_GREGORIAN);
  return true;
}

bool name_parse_datetime(const char *text, size_t length, int64_t *instant)
{
  char digits[18];
  size_t count = 0;
  for (size_t i = 0; i < length; i++) {
    if (isdigit((unsigned char)text[i])) {
      if (count == 17)
        return false;
      digits[count++] = text[i];
    } else if (!(count >= 4 && strchr("-_./: TtZz", text[i])))
      return false;
  }
  return count >= 4 && instant_of_digits(digits, count, instant);
}

static bool digits_at(const char *text, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (!isdigit((unsigned char)text[i]))
      return false;
  return true;
}

/* Length of a time ("T101559", "101559", "T10:15:59") at the text, 0 without one. */
static size_t time_length(const char *text)
{
  size_t lead = *text == 'T' || *text == 't' ? 1 : 0;
  size_t plain = lead + 6;
  if (digits_at(text + lead, 6) && !isdigit((unsigned char)text[plain]))
    return plain;
  if (lead && digits_at(text + 1, 2) && text[3] == ':' && digits_at(text + 4, 2) && text[6] == ':' &&
      digits_at(text + 7, 2))
    return 9;
  return 0;
}

/* Length of a date of one kind (see the file head) that starts at the text, 0 without one. */
static size_t date_length(const char *text, int kind, const char *separators)
{
  size_t length = 0;
  if (!digits_at(text, 4))
    return 0;
  char mark = text[4];
  bool marked = mark && strchr(separators, mark);
  if (kind == 1) {
    if (digits_at(text + 4, 4))
      length = 8;
    else if (marked && digits_at(text + 5, 2) && text[7] == mark && digits_at(text + 8, 2))
      length = 10;
    if (length)
      length += time_length(text + length);
  } else if (kind == 2)
    length = digits_at(text + 4, 3) ? 7 : 0;
  else if (digits_at(text + 4, 2))
    length = 6;
  else if (marked && digits_at(text + 5, 2))
    length = 7;
  return length && !isdigit((unsigned char)text[length]) ? length : 0;
}

/* The first date of one kind in the span; its place is returned too. */
static bool find_date(const char *path, struct name_span span, int kind, const char *separators,
                      struct name_span *found, int64_t *instant)
{
  for (size_t i = span.start; i < span.end; i++) {
    if (i > 0 && isdigit((unsigned char)path[i - 1]))
      continue;
    size_t length = date_length(path + i, kind, separators);
    if (length && i + length <= span.end && name_parse_datetime(path + i, length, instant)) {
      *found = (struct name_span){i, i + length};
      return true;
    }
  }
  return false;
}

static struct name_span file_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  size_t start = slash ? (size_t)(slash - path) + 1 : 0;
  const char *dot = strrchr(path + start, '.');
  size_t end = dot && dot != path + start ? (size_t)(dot - path) : strlen(path);
  return (struct name_span){start, end};
}

/* The path's component right above one that starts at `start`. False at the top. */
static bool folder_above(const char *path, size_t start, struct name_span *folder)
{
  if (start == 0)
    return false;
  size_t end = start - 1, from = end;
  while (from > 0 && path[from - 1] != '/')
    from--;
  *folder = (struct name_span){from, end};
  return true;
}

/* The first date of one kind in the folders above the file, the nearest first, or across them. */
static bool folder_date(const char *path, int kind, int64_t *instant)
{
  struct name_span found, part = file_name(path), whole = {0, part.end};
  while (folder_above(path, part.start, &part))
    if (find_date(path, part, kind, "-_.", &found, instant))
      return true;
  return find_date(path, whole, kind, "/", &found, instant);
}

static bool same_month(int64_t a, int64_t b)
{
  struct civil one = instant_civil(a, CALENDAR_GREGORIAN), other = instant_civil(b, CALENDAR_GREGORIAN);
  return one.year == other.year && one.month == other.month;
}

static bool default_datetime(const char *path, int64_t *instant)
{
  struct name_span found;
  int64_t day;
  for (int kind = 1; kind <= 3; kind++) {
    if (!find_date(path, file_name(path), kind, "-_.", &found, instant))
      continue;
    for (int finer = 1; kind == 3 && finer < 3; finer++)
      if (folder_date(path, finer, &day) && same_month(day, *instant)) {
        *instant = day;
        return true;
      }
    return true;
  }
  for (int kind = 1; kind <= 3; kind++)
    if (folder_date(path, kind, instant))
      return true;
  return false;
}

bool name_find_datetime(const struct name_pattern *pattern, const char *path, int64_t *instant)
{
  regmatch_t match[2];
  if (!pattern->has_datetime)
    return default_datetime(path, instant);
  if (regexec(&pattern->datetime, path, 2, match, 0) != 0 || match[1].rm_so < 0)
    return false;
  return name_parse_datetime(path + match[1].rm_so, (size_t)(match[1].rm_eo - match[1].rm_so), instant);
}

static bool is_known_band(const char *token, size_t length)
{
  static const char *const names[] = {"BQA", "QA",  "SCL",  "AOT", "WVP", "TCI",   "VV",  "VH", "HH",
                                      "HV",  "CLM", "NDVI", "EVI", "LST", "FAPAR", "LAI", "DEM"};
  if (length >= 2 && length <= 4 && (token[0] == 'B' || token[0] == 'b') && isdigit((unsigned char)token[1])) {
    size_t digits = 1;
    while (digits < 3 && 1 + digits < length && isdigit((unsigned char)token[1 + digits]))
      digits++;
    return 1 + digits == length || (digits <= 2 && 2 + digits == length && isalpha((unsigned char)token[length - 1]));
  }
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strlen(names[i]) == length && strncasecmp(names[i], token, length) == 0)
      return true;
  return length > 3 && strncasecmp(token, "QA_", 3) == 0;
}

static bool overlaps_date(const char *path, struct name_span token, struct name_span part)
{
  struct name_span date;
  int64_t instant;
  for (int kind = 1; kind <= 3; kind++)
    for (struct name_span rest = part; find_date(path, rest, kind, "-_.", &date, &instant); rest.start = date.end)
      if (token.start < date.end && date.start < token.end)
        return true;
  return false;
}

/* The last token before `end` of the part. */
static bool token_before(const char *path, struct name_span part, const char *separators, size_t end,
                         struct name_span *token)
{
  while (end > part.start && strchr(separators, path[end - 1]))
    end--;
  size_t start = end;
  while (start > part.start && !strchr(separators, path[start - 1]))
    start--;
  *token = (struct name_span){start, end};
  return end > start;
}

static bool word_is(const char *path, struct name_span word, const char *is)
{
  return strlen(is) == word.end - word.start && strncasecmp(path + word.start, is, word.end - word.start) == 0;
}

/* A pixel size ("10m", "R20m"), or the number of an area (AppEEARS). */
static bool is_filler(const char *path, struct name_span word)
{
  size_t at = word.start;
  bool area = word.end - at > 3 && strncmp(path + at, "aid", 3) == 0;
  at += area ? 3 : path[at] == 'R' ? 1 : 0;
  size_t digits = 0;
  while (at + digits < word.end && isdigit((unsigned char)path[at + digits]))
    digits++;
  at += digits;
  return digits > 0 && (area ? at == word.end : at + 1 == word.end && path[at] == 'm');
}

bool name_is_pixel_size(const char *path, struct name_span word)
{
  return path[word.start] != 'a' && is_filler(path, word);
}

static bool word_after(const char *path, struct name_span part, size_t from, struct name_span *word)
{
  word->start = from < part.end && path[from] == '_' ? from + 1 : from;
  word->end = word->start;
  while (word->end < part.end && isalpha((unsigned char)path[word->end]))
    word->end++;
  bool whole = word->end == part.end || !isalnum((unsigned char)path[word->end]);
  return whole && word->end > word->start && word->start > from;
}

/* Words that belong to a band: SR_QA_AEROSOL and ST_QA of Landsat, MSK_DETFOO_B01 of Sentinel-2. */
static void take_companions(const char *path, struct name_span part, struct name_span *band)
{
  struct name_span word;
  bool quality = word_is(path, *band, "QA");
  while (quality && word_after(path, part, band->end, &word))
    band->end = word.end;
  size_t start = band->start;
  for (size_t end = start; token_before(path, part, "_. -", end, &word); end = word.start) {
    bool prefix = end == start && quality && (word_is(path, word, "SR") || word_is(path, word, "ST"));
    if (prefix || word_is(path, word, "MSK"))
      band->start = word.start;
  }
}

/* The last token of a component that is no date, a known band where `known_only`. */
static bool band_token(const char *path, struct name_span part, bool known_only, struct name_span *band)
{
  const char *separators = known_only ? "_. -" : "_. ";
  struct name_span token;
  for (size_t end = part.end; token_before(path, part, separators, end, &token); end = token.start) {
    if (overlaps_date(path, token, part) || (!known_only && is_filler(path, token)))
      continue;
    if (known_only && !is_known_band(path + token.start, token.end - token.start))
      continue;
    *band = token;
    if (known_only)
      take_companions(path, part, band);
    return true;
  }
  return false;
}

/* A tile's name: h18v04 (MODIS), T32TPS (Sentinel-2). */
static bool is_tile(const char *path, struct name_span word)
{
  static const char *const shapes[] = {"h##v##", "T##AAA"};
  for (size_t k = 0; k < 2; k++) {
    size_t i = 0, length = strlen(shapes[k]);
    for (; word.end - word.start == length && i < length; i++) {
      unsigned char c = (unsigned char)path[word.start + i];
      char shape = shapes[k][i];
      if (shape == '#' ? !isdigit(c) : shape == 'A' ? !isupper(c) : c != (unsigned char)shape)
        break;
    }
    if (i == length)
      return true;
  }
  return false;
}

size_t name_words(const char *path, struct name_span words[NAME_MAX_WORDS])
{
  struct name_span part = file_name(path), word;
  size_t count = 0;
  for (size_t end = part.end; count < NAME_MAX_WORDS && token_before(path, part, "_. ", end, &word); end = word.start)
    if (!overlaps_date(path, word, part) && !is_tile(path, word) && !name_is_pixel_size(path, word))
      words[count++] = word;
  for (size_t i = 0; i < count / 2; i++) {
    word = words[i];
    words[i] = words[count - 1 - i];
    words[count - 1 - i] = word;
  }
  return count;
}

bool name_is_band(const char *name)
{
  bool prefixed = strncmp(name, "SR_QA", 5) == 0 || strncmp(name, "ST_QA", 5) == 0;
  return prefixed || strncmp(name, "MSK_", 4) == 0 || is_known_band(name, strlen(name));
}

bool name_find_band(const struct name_pattern *pattern, const char *path, struct name_span *band, bool *known)
{
  regmatch_t match[2];
  *known = true;
  if (pattern->has_band) {
    if (regexec(&pattern->band, path, 2, match, 0) != 0 || match[1].rm_so < 0 || match[1].rm_so == match[1].rm_eo)
      return false;
    *band = (struct name_span){(size_t)match[1].rm_so, (size_t)match[1].rm_eo};
    return true;
  }
  struct name_span part = file_name(path);
  do
    if (band_token(path, part, true, band))
      return true;
  while (folder_above(path, part.start, &part));
  *known = false;
  return band_token(path, file_name(path), false, band);
}
