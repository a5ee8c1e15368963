/* Words of the texts in which DAP 2 describes datasets (DDS, DAS): marks, names, and texts in quotes. */
#ifndef TWINCUBE_DATACUBE_DAP_DAP_WORDS_H
#define TWINCUBE_DATACUBE_DAP_DAP_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum dap_word_kind { DAP_WORD_END, DAP_WORD_MARK, DAP_WORD_NAME, DAP_WORD_QUOTED, DAP_WORD_WRONG /* never ends */ };

struct dap_words {
  const char *at, *end; /* of what is not read yet */
  const char *marks;    /* characters that are words by themselves */
  enum dap_word_kind kind;
  const char *start; /* of the word at hand, without its quotes */
  size_t length;
};

/* Borrows the text; the word at hand is the first one. */
void dap_words_begin(const char *text, size_t length, const char *marks, struct dap_words *out);
void dap_words_next(struct dap_words *words);
/* Whether the word at hand is that one, in letters of either case, without quotes. */
bool dap_words_are(const struct dap_words *words, const char *word);
/* … and goes on to the next one where it is. */
bool dap_words_take(struct dap_words *words, const char *word);

#endif
