/* Words of CQL2 text. The lexer is always one token ahead: what `token` describes is still to be taken. */
#ifndef TWINCUBE_STAC_CQL2_LEXER_H
#define TWINCUBE_STAC_CQL2_LEXER_H

#include "stac/cql2/cql2_tree.h"

enum cql2_token {
  CQL2_TOKEN_END,
  CQL2_TOKEN_NAME,   /* a name or a keyword */
  CQL2_TOKEN_QUOTED, /* a name in double quotes */
  CQL2_TOKEN_LITERAL,
  CQL2_TOKEN_NUMBER,
  CQL2_TOKEN_SYMBOL
};

struct cql2_lexer {
  struct cql2_builder builder; /* first: the place of its errors is this lexer's */
  const char *text;
  size_t length, next; /* next: behind the token */
  enum cql2_token token;
  size_t start;     /* of the token in the text */
  const char *word; /* of NAME, QUOTED, LITERAL (without quotes), SYMBOL */
  size_t word_length;
  double number;
};

int cql2_lexer_start(struct cql2_lexer *lexer);
/* Takes the token. */
int cql2_advance(struct cql2_lexer *lexer);
/* Whether the token is that keyword, in any case of letters; or that symbol. */
bool cql2_at_word(const struct cql2_lexer *lexer, const char *keyword);
bool cql2_at_symbol(const struct cql2_lexer *lexer, const char *symbol);
/* Whether an opening parenthesis follows the token. */
bool cql2_at_call(const struct cql2_lexer *lexer);
/* Takes the token where it is the symbol (1), else 0; -1 with an error behind it. */
int cql2_take_symbol(struct cql2_lexer *lexer, const char *symbol);
/* The same, and an error where it is not. */
int cql2_expect(struct cql2_lexer *lexer, const char *symbol);

/* Whether the token begins well-known text or a box, and the geometry that it is. */
bool cql2_at_geometry(const struct cql2_lexer *lexer);
const struct cql2_node *cql2_read_geometry(struct cql2_lexer *lexer);

#endif
