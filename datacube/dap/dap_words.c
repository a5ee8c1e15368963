#include "datacube/dap/dap_words.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_mark(const struct dap_words *w, char c)
{
  return c != '\0' && strchr(w->marks, c) != NULL;
}

/* Blanks, and comments up to the end of their line. */
static void skip_blanks(struct dap_words *w)
{
  while (w->at < w->end && (is_blank(*w->at) || *w->at == '#')) {
    const bool is_comment = *w->at == '#';
    while (is_comment && w->at < w->end && *w->at != '\n')
      w->at++;
    w->at += w->at < w->end;
  }
}

static void read_quoted(struct dap_words *w)
{
  const char *c = w->at + 1;
  w->start = c;
  while (c < w->end && *c != '"')
    c += *c == '\\' && w->end - c > 1 ? 2 : 1;
  w->kind = c < w->end ? DAP_WORD_QUOTED : DAP_WORD_WRONG;
  w->length = (size_t)(c - w->start);
  w->at = c < w->end ? c + 1 : w->end;
}

void dap_words_next(struct dap_words *w)
{
  skip_blanks(w);
  w->start = w->at;
  w->length = 0;
  w->kind = DAP_WORD_END;
  if (w->at == w->end)
    return;
  if (*w->at == '"') {
    read_quoted(w);
    return;
  }
  if (is_mark(w, *w->at)) {
    w->kind = DAP_WORD_MARK;
    w->at++;
  } else {
    w->kind = DAP_WORD_NAME;
    while (w->at < w->end && !is_blank(*w->at) && !is_mark(w, *w->at) && *w->at != '"')
      w->at++;
  }
  w->length = (size_t)(w->at - w->start);
}

void dap_words_begin(const char *text, size_t length, const char *marks, struct dap_words *out)
{
  *out = (struct dap_words){.at = text, .end = text + length, .marks = marks};
  dap_words_next(out);
}

bool dap_words_are(const struct dap_words *w, const char *word)
{
  return (w->kind == DAP_WORD_NAME || w->kind == DAP_WORD_MARK) && w->length == strlen(word) &&
         strncasecmp(w->start, word, w->length) == 0;
}

bool dap_words_take(struct dap_words *w, const char *word)
{
  const bool is_it = dap_words_are(w, word);
  if (is_it)
    dap_words_next(w);
  return is_it;
}
