#include "stac/cql2/cql2_lexer.h"

#include "datacube/base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void write_place(const struct cql2_builder *builder, char out[200])
{
  const struct cql2_lexer *lexer = (const struct cql2_lexer *)builder;
  size_t characters = 1;
  for (size_t i = 0; i < lexer->start; i++)
    characters += ((unsigned char)lexer->text[i] & 0xC0) != 0x80;
  snprintf(out, 200, "at character %zu", characters);
}

static bool is_space(char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool starts_name(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (unsigned char)c >= 0x80;
}

static char at(const struct cql2_lexer *lexer, size_t i)
{
  return i < lexer->length ? lexer->text[i] : '\0';
}

static int read_name(struct cql2_lexer *lexer)
{
  size_t end = lexer->start;
  while (end < lexer->length &&
         (starts_name(lexer->text[end]) || is_digit(lexer->text[end]) || lexer->text[end] == '.'))
    end++;
  lexer->token = CQL2_TOKEN_NAME;
  lexer->word = lexer->text + lexer->start;
  lexer->word_length = end - lexer->start;
  lexer->next = end;
  return 0;
}

/* Digits, a point, digits, an exponent. */
static int read_number(struct cql2_lexer *lexer)
{
  char digits[64];
  size_t end = lexer->start;
  while (is_digit(at(lexer, end)) || at(lexer, end) == '.')
    end++;
  if (at(lexer, end) == 'e' || at(lexer, end) == 'E') {
    size_t exponent = end + 1;
    if (at(lexer, exponent) == '+' || at(lexer, exponent) == '-')
      exponent++;
    if (is_digit(at(lexer, exponent)))
      end = exponent;
    while (is_digit(at(lexer, end)))
      end++;
  }
  const size_t length = end - lexer->start;
  if (length >= sizeof digits)
    return cql2_wrong(&lexer->builder, "a number has at most %zu characters", sizeof digits - 1);
  memcpy(digits, lexer->text + lexer->start, length);
  digits[length] = '\0';
  char *rest;
  lexer->number = strtod(digits, &rest);
  if (*rest || starts_name(at(lexer, end)))
    return cql2_wrong(&lexer->builder, "this is no number");
  lexer->token = CQL2_TOKEN_NUMBER;
  lexer->next = end;
  return 0;
}

/* Where the closing quote is; the length where there is none. A quote inside is doubled, or has a backslash before it;
 * other backslashes stay. */
static size_t find_end(const struct cql2_lexer *lexer, char quote)
{
  size_t i = lexer->start + 1;
  for (; i < lexer->length; i++) {
    const bool doubled = at(lexer, i + 1) == quote;
    if (lexer->text[i] == quote && !doubled)
      break;
    if (doubled && (lexer->text[i] == quote || (lexer->text[i] == '\\' && quote == '\'')))
      i++;
  }
  return i;
}

static int read_quoted(struct cql2_lexer *lexer, char quote)
{
  const size_t end = find_end(lexer, quote);
  size_t count = 0;
  if (end >= lexer->length)
    return cql2_wrong(&lexer->builder, "the quote is not closed");
  char *word = arena_alloc(lexer->builder.arena, end - lexer->start);
  if (!word)
    return error_memory(lexer->builder.error);
  for (size_t i = lexer->start + 1; i < end; i++) {
    const char c = lexer->text[i];
    if (i + 1 < end && lexer->text[i + 1] == quote && (c == quote || (c == '\\' && quote == '\'')))
      i++;
    word[count++] = lexer->text[i];
  }
  lexer->token = quote == '\'' ? CQL2_TOKEN_LITERAL : CQL2_TOKEN_QUOTED;
  lexer->word = word;
  lexer->word_length = count;
  lexer->next = end + 1;
  return 0;
}

static int read_symbol(struct cql2_lexer *lexer)
{
  static const char *const symbols[] = {"<>", "<=", ">=", "<", ">", "=", "(", ")", ",", "+", "-", "*", "/", "%", "^"};
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    const size_t length = strlen(symbols[i]);
    if (lexer->length - lexer->start >= length && memcmp(lexer->text + lexer->start, symbols[i], length) == 0) {
      lexer->token = CQL2_TOKEN_SYMBOL;
      lexer->word = symbols[i];
      lexer->word_length = length;
      lexer->next = lexer->start + length;
      return 0;
    }
  }
  return cql2_wrong(&lexer->builder, "a character that has no meaning here");
}

int cql2_advance(struct cql2_lexer *lexer)
{
  while (lexer->next < lexer->length && is_space(lexer->text[lexer->next]))
    lexer->next++;
  lexer->start = lexer->next;
  lexer->word = "";
  lexer->word_length = 0;
  const char c = at(lexer, lexer->start);
  if (lexer->start == lexer->length) {
    lexer->token = CQL2_TOKEN_END;
    return 0;
  }
  if (starts_name(c))
    return read_name(lexer);
  if (is_digit(c) || (c == '.' && is_digit(at(lexer, lexer->start + 1))))
    return read_number(lexer);
  return c == '\'' || c == '"' ? read_quoted(lexer, c) : read_symbol(lexer);
}

int cql2_lexer_start(struct cql2_lexer *lexer)
{
  lexer->builder.place = write_place;
  if (lexer->length > CQL2_MOST_BYTES)
    return cql2_wrong(&lexer->builder, "a filter has at most %d bytes", CQL2_MOST_BYTES);
  for (size_t i = 0, step; i < lexer->length; i += step) {
    step = utf8_length(lexer->text + i, lexer->length - i);
    lexer->start = i;
    if (step == 0 || lexer->text[i] == '\0')
      return cql2_wrong(&lexer->builder, "this is no UTF-8 text");
  }
  lexer->start = 0;
  return cql2_advance(lexer);
}

bool cql2_at_word(const struct cql2_lexer *lexer, const char *keyword)
{
  return lexer->token == CQL2_TOKEN_NAME && lexer->word_length == strlen(keyword) &&
         strncasecmp(lexer->word, keyword, lexer->word_length) == 0;
}

bool cql2_at_symbol(const struct cql2_lexer *lexer, const char *symbol)
{
  return lexer->token == CQL2_TOKEN_SYMBOL && strcmp(lexer->word, symbol) == 0;
}

bool cql2_at_call(const struct cql2_lexer *lexer)
{
  size_t i = lexer->next;
  while (i < lexer->length && is_space(lexer->text[i]))
    i++;
  return lexer->token == CQL2_TOKEN_NAME && at(lexer, i) == '(';
}

int cql2_take_symbol(struct cql2_lexer *lexer, const char *symbol)
{
  if (!cql2_at_symbol(lexer, symbol))
    return 0;
  return cql2_advance(lexer) == 0 ? 1 : -1;
}

int cql2_expect(struct cql2_lexer *lexer, const char *symbol)
{
  if (!cql2_at_symbol(lexer, symbol))
    return cql2_wrong(&lexer->builder, "'%s' is expected", symbol);
  return cql2_advance(lexer);
}
