/* CQL2 text to a tree, by recursive descent, one function a level of binding:
 *
 *   or < and < not < comparison < sum < term < power < operand */
#include "stac/cql2/cql2_lexer.h"

#include <string.h>

struct node_list {
  const struct cql2_node **items;
  size_t count, room;
};

typedef const struct cql2_node *(*level)(struct cql2_lexer *);
static const struct cql2_node *read_or(struct cql2_lexer *lexer);
static const struct cql2_node *read_sum(struct cql2_lexer *lexer);

static int add(struct cql2_lexer *lexer, struct node_list *list, const struct cql2_node *node)
{
  if (!node)
    return -1;
  const struct cql2_node **grown =
      arena_grow(lexer->builder.arena, list->items, list->count, &list->room, sizeof *list->items);
  if (!grown)
    return error_memory(lexer->builder.error);
  list->items = grown;
  list->items[list->count++] = node;
  return 0;
}

static const struct cql2_node *operation(struct cql2_lexer *lexer, enum cql2_op op, const struct cql2_node *a,
                                         const struct cql2_node *b)
{
  struct node_list list = {0};
  if (add(lexer, &list, a) != 0 || (cql2_ops[op].most != 1 && add(lexer, &list, b) != 0))
    return NULL;
  return cql2_operation(&lexer->builder, op, list.items, list.count);
}

static const struct cql2_node *negate(struct cql2_lexer *lexer, bool negated, const struct cql2_node *node)
{
  return negated && node ? operation(lexer, CQL2_NOT, node, NULL) : node;
}

/* ---- lists and calls --------------------------------------------------------------------------------------------- */

/* "(" element, … ")", or nothing between. */
static int read_elements(struct cql2_lexer *lexer, struct node_list *list)
{
  if (cql2_enter(&lexer->builder) != 0 || cql2_expect(lexer, "(") != 0)
    return -1;
  if (!cql2_at_symbol(lexer, ")"))
    for (int more = 1; more == 1; more = cql2_take_symbol(lexer, ","))
      if (add(lexer, list, read_or(lexer)) != 0)
        return -1;
  cql2_leave(&lexer->builder);
  return error_is_set(lexer->builder.error) ? -1 : cql2_expect(lexer, ")");
}

static const struct cql2_node *read_array(struct cql2_lexer *lexer)
{
  struct node_list list = {0};
  return read_elements(lexer, &list) == 0 ? cql2_array(&lexer->builder, list.items, list.count) : NULL;
}

/* What stands in parentheses: an expression, or an array where it is not exactly one. */
static const struct cql2_node *read_parentheses(struct cql2_lexer *lexer)
{
  struct node_list list = {0};
  if (read_elements(lexer, &list) != 0)
    return NULL;
  return list.count == 1 ? list.items[0] : cql2_array(&lexer->builder, list.items, list.count);
}

/* A literal in parentheses: DATE('…'). */
static const struct cql2_node *read_instant(struct cql2_lexer *lexer, bool is_date)
{
  if (cql2_advance(lexer) != 0 || cql2_expect(lexer, "(") != 0)
    return NULL;
  if (lexer->token != CQL2_TOKEN_LITERAL) {
    cql2_wrong(&lexer->builder, "a text in single quotes is expected");
    return NULL;
  }
  const struct cql2_node *node = cql2_instant(&lexer->builder, is_date, lexer->word, lexer->word_length);
  return node && cql2_advance(lexer) == 0 && cql2_expect(lexer, ")") == 0 ? node : NULL;
}

static const struct cql2_node *read_property(struct cql2_lexer *lexer)
{
  const struct cql2_node *node = cql2_property(&lexer->builder, lexer->word, lexer->word_length);
  return node && cql2_advance(lexer) == 0 ? node : NULL;
}

static const struct cql2_node *read_interval_end(struct cql2_lexer *lexer)
{
  if (cql2_at_call(lexer) && cql2_at_word(lexer, "DATE"))
    return read_instant(lexer, true);
  if (cql2_at_call(lexer) && cql2_at_word(lexer, "TIMESTAMP"))
    return read_instant(lexer, false);
  if (lexer->token == CQL2_TOKEN_NAME || lexer->token == CQL2_TOKEN_QUOTED)
    return read_property(lexer);
  if (lexer->token != CQL2_TOKEN_LITERAL) {
    cql2_wrong(&lexer->builder, "an end of an interval is a date or '..' in single quotes, or a property");
    return NULL;
  }
  const struct cql2_node *node = cql2_interval_end(&lexer->builder, lexer->word, lexer->word_length);
  return node && cql2_advance(lexer) == 0 ? node : NULL;
}

static const struct cql2_node *read_interval(struct cql2_lexer *lexer)
{
  if (cql2_advance(lexer) != 0 || cql2_expect(lexer, "(") != 0)
    return NULL;
  const struct cql2_node *start = read_interval_end(lexer);
  if (!start || cql2_expect(lexer, ",") != 0)
    return NULL;
  const struct cql2_node *end = read_interval_end(lexer);
  return end && cql2_expect(lexer, ")") == 0 ? cql2_interval(&lexer->builder, start, end) : NULL;
}

/* A function of the table. Arrays may have one element here, as nothing else can stand there in parentheses. */
static const struct cql2_node *read_function(struct cql2_lexer *lexer, enum cql2_op op)
{
  struct node_list list = {0};
  if (cql2_enter(&lexer->builder) != 0 || cql2_advance(lexer) != 0 || cql2_expect(lexer, "(") != 0)
    return NULL;
  for (int more = 1; more == 1; more = cql2_take_symbol(lexer, ",")) {
    const bool array = cql2_ops[op].family == CQL2_FAMILY_ARRAY && cql2_at_symbol(lexer, "(");
    if (add(lexer, &list, array ? read_array(lexer) : read_or(lexer)) != 0)
      return NULL;
  }
  cql2_leave(&lexer->builder);
  if (error_is_set(lexer->builder.error) || cql2_expect(lexer, ")") != 0)
    return NULL;
  return cql2_operation(&lexer->builder, op, list.items, list.count);
}

static const struct cql2_node *read_call(struct cql2_lexer *lexer)
{
  const enum cql2_op op = cql2_op_find(lexer->word, lexer->word_length);
  if (cql2_at_word(lexer, "DATE") || cql2_at_word(lexer, "TIMESTAMP"))
    return read_instant(lexer, cql2_at_word(lexer, "DATE"));
  if (cql2_at_word(lexer, "INTERVAL"))
    return read_interval(lexer);
  if (op < CQL2_OP_COUNT && op >= CQL2_CASEI && cql2_ops[op].family != CQL2_FAMILY_ARITHMETIC)
    return read_function(lexer, op);
  cql2_wrong(&lexer->builder, "there is no function '%.*s'", (int)(lexer->word_length < 60 ? lexer->word_length : 60),
             lexer->word);
  return NULL;
}

/* ---- levels ------------------------------------------------------------------------------------------------------ */

static bool at_keyword(const struct cql2_lexer *lexer)
{
  static const char *const reserved[] = {"and", "or", "not", "like", "between", "in", "is", "null", "div"};
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
    if (cql2_at_word(lexer, reserved[i]))
      return true;
  return false;
}

static const struct cql2_node *read_literal(struct cql2_lexer *lexer)
{
  const struct cql2_node *node = lexer->token == CQL2_TOKEN_NUMBER
                                     ? cql2_number(&lexer->builder, lexer->number)
                                     : cql2_text(&lexer->builder, lexer->word, lexer->word_length);
  return node && cql2_advance(lexer) == 0 ? node : NULL;
}

static const struct cql2_node *read_operand(struct cql2_lexer *lexer)
{
  const bool yes = cql2_at_word(lexer, "true");
  if (cql2_at_symbol(lexer, "("))
    return read_parentheses(lexer);
  if (lexer->token == CQL2_TOKEN_NUMBER || lexer->token == CQL2_TOKEN_LITERAL)
    return read_literal(lexer);
  if (lexer->token == CQL2_TOKEN_QUOTED)
    return read_property(lexer);
  if (lexer->token != CQL2_TOKEN_NAME || at_keyword(lexer)) {
    cql2_wrong(&lexer->builder,
               lexer->token == CQL2_TOKEN_END ? "the filter ends in the middle" : "an operand is expected");
    return NULL;
  }
  if (cql2_at_geometry(lexer))
    return cql2_read_geometry(lexer);
  if (cql2_at_call(lexer))
    return read_call(lexer);
  if (!yes && !cql2_at_word(lexer, "false"))
    return read_property(lexer);
  return cql2_advance(lexer) == 0 ? cql2_boolean(&lexer->builder, yes) : NULL;
}

/* The sign binds more tightly than the power: -2 ^ 2 is 4. */
static const struct cql2_node *read_factor(struct cql2_lexer *lexer)
{
  const int minus = cql2_take_symbol(lexer, "-");
  if (minus < 0)
    return NULL;
  const struct cql2_node *node = read_operand(lexer);
  if (!minus || !node)
    return node;
  if (node->kind == CQL2_NUMBER)
    return cql2_number(&lexer->builder, -node->number);
  return operation(lexer, CQL2_MULTIPLY, cql2_number(&lexer->builder, -1), node);
}

static const struct cql2_node *read_power(struct cql2_lexer *lexer)
{
  const struct cql2_node *node = read_factor(lexer);
  const int power = node ? cql2_take_symbol(lexer, "^") : -1;
  if (power <= 0)
    return power < 0 ? NULL : node;
  return operation(lexer, CQL2_POWER, node, read_factor(lexer));
}

/* Operators of one level, from the left. */
static const struct cql2_node *read_chain(struct cql2_lexer *lexer, const char *const *operators, level next)
{
  const struct cql2_node *node = next(lexer);
  for (size_t i = 0; node && operators[i];) {
    if (!cql2_at_symbol(lexer, operators[i]) && !cql2_at_word(lexer, operators[i])) {
      i++;
      continue;
    }
    const enum cql2_op op = cql2_op_find(operators[i], strlen(operators[i]));
    node = cql2_advance(lexer) == 0 ? operation(lexer, op, node, next(lexer)) : NULL;
    i = 0;
  }
  return node;
}

static const struct cql2_node *read_term(struct cql2_lexer *lexer)
{
  static const char *const operators[] = {"*", "/", "%", "div", NULL};
  return read_chain(lexer, operators, read_power);
}

static const struct cql2_node *read_sum(struct cql2_lexer *lexer)
{
  static const char *const operators[] = {"+", "-", NULL};
  return read_chain(lexer, operators, read_term);
}

static const struct cql2_node *read_between(struct cql2_lexer *lexer, const struct cql2_node *value)
{
  struct node_list list = {0};
  if (add(lexer, &list, value) != 0 || add(lexer, &list, read_sum(lexer)) != 0)
    return NULL;
  if (!cql2_at_word(lexer, "and")) {
    cql2_wrong(&lexer->builder, "'between' wants 'and'");
    return NULL;
  }
  if (cql2_advance(lexer) != 0 || add(lexer, &list, read_sum(lexer)) != 0)
    return NULL;
  return cql2_operation(&lexer->builder, CQL2_BETWEEN, list.items, list.count);
}

static const struct cql2_node *read_is_null(struct cql2_lexer *lexer, const struct cql2_node *value)
{
  const bool negated = cql2_at_word(lexer, "not");
  if (negated && cql2_advance(lexer) != 0)
    return NULL;
  if (!cql2_at_word(lexer, "null")) {
    cql2_wrong(&lexer->builder, "'is' wants 'null' or 'not null'");
    return NULL;
  }
  if (cql2_advance(lexer) != 0)
    return NULL;
  return negate(lexer, negated, operation(lexer, CQL2_IS_NULL, value, NULL));
}

static const struct cql2_node *read_comparison(struct cql2_lexer *lexer)
{
  const struct cql2_node *value = read_sum(lexer);
  if (!value)
    return NULL;
  if (lexer->token == CQL2_TOKEN_SYMBOL) {
    const enum cql2_op op = cql2_op_find(lexer->word, lexer->word_length);
    if (op < CQL2_EQUAL || op > CQL2_AT_LEAST)
      return value;
    return cql2_advance(lexer) == 0 ? operation(lexer, op, value, read_sum(lexer)) : NULL;
  }
  if (cql2_at_word(lexer, "is"))
    return cql2_advance(lexer) == 0 ? read_is_null(lexer, value) : NULL;
  const bool negated = cql2_at_word(lexer, "not");
  if (negated && cql2_advance(lexer) != 0)
    return NULL;
  const bool like = cql2_at_word(lexer, "like"), in = cql2_at_word(lexer, "in");
  if (!like && !in && !cql2_at_word(lexer, "between")) {
    if (negated)
      cql2_wrong(&lexer->builder, "'not' wants 'like', 'in' or 'between' here");
    return negated ? NULL : value;
  }
  if (cql2_advance(lexer) != 0)
    return NULL;
  return negate(lexer, negated,
                like ? operation(lexer, CQL2_LIKE, value, read_sum(lexer))
                : in ? operation(lexer, CQL2_IN, value, read_array(lexer))
                     : read_between(lexer, value));
}

static const struct cql2_node *read_not(struct cql2_lexer *lexer)
{
  if (!cql2_at_word(lexer, "not"))
    return read_comparison(lexer);
  if (cql2_enter(&lexer->builder) != 0 || cql2_advance(lexer) != 0)
    return NULL;
  const struct cql2_node *node = negate(lexer, true, read_not(lexer));
  cql2_leave(&lexer->builder);
  return node;
}

/* Any number of operands in one node, however long the text is. */
static const struct cql2_node *read_joined(struct cql2_lexer *lexer, enum cql2_op op, level next)
{
  struct node_list list = {0};
  if (add(lexer, &list, next(lexer)) != 0)
    return NULL;
  while (cql2_at_word(lexer, cql2_ops[op].text))
    if (cql2_advance(lexer) != 0 || add(lexer, &list, next(lexer)) != 0)
      return NULL;
  return list.count == 1 ? list.items[0] : cql2_operation(&lexer->builder, op, list.items, list.count);
}

static const struct cql2_node *read_and(struct cql2_lexer *lexer)
{
  return read_joined(lexer, CQL2_AND, read_not);
}

static const struct cql2_node *read_or(struct cql2_lexer *lexer)
{
  return read_joined(lexer, CQL2_OR, read_and);
}

int cql2_of_text(struct arena *arena, const char *text, size_t length, const struct cql2_filter **out,
                 struct error *error)
{
  struct cql2_lexer lexer = {.builder = {.arena = arena, .error = error}, .text = text, .length = length};
  if (cql2_lexer_start(&lexer) != 0)
    return -1;
  const struct cql2_node *root = read_or(&lexer);
  if (root && lexer.token != CQL2_TOKEN_END)
    return cql2_wrong(&lexer.builder, "the filter goes on where its end is expected");
  return cql2_finish(&lexer.builder, root, out);
}
