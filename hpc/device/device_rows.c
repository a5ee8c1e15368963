/* The rows of kernel_ops.def, kernel_reducers.def and kernel_series.def as functions of a module. */
#include "hpc/device/device_writer.h"

#include <string.h>

struct op_text {
  const char *name, *expression;
  int arity;
};

static const struct op_text ops[] = {
#define KOP(name, arity, class, expression) {#name, #expression, arity},
#include "hpc/kernel/kernel_ops.def"
#undef KOP
};

struct row_text {
  const char *name, *kind, *init, *step, *merge, *finish; /* kind NULL: a function of lane.cu */
  int states;
};

/* Rows name macros of their own, which are replaced, and these of C's headers, which stay. */
#pragma push_macro("bool")
#pragma push_macro("INFINITY")
#undef bool
#undef INFINITY
#define TEXT(...) TEXT_AS_IT_IS(__VA_ARGS__)
#define TEXT_AS_IT_IS(...) #__VA_ARGS__
static const struct row_text reducers[] = {
#define KRED_WHOLE(name, parameters) {0},
#define KRED(name, parameters, kind, states, init, step, merge, finish)                                                \
  {#name, #kind, TEXT(init), TEXT(step), TEXT(merge), #finish, states},
#include "hpc/kernel/kernel_reducers.def"
#undef KRED
};

static const struct row_text series[] = {
#define KSER_WHOLE(name, parameters) {0},
#define KSER(name, parameters, init, step) {#name, "SUMS", TEXT(init), TEXT(step), NULL, NULL, 1},
#include "hpc/kernel/kernel_series.def"
#undef KSER
};

#pragma pop_macro("bool")
#pragma pop_macro("INFINITY")

static void write_op(struct buffer *out, const struct op_text *op)
{
  static const char *const parameters[] = {"", "T a", "T a, T b", "T a, T b, T c"};
  buffer_printf(out, "DEVICE T FN(op_%s)(%s) { return (T)(%s); }\n", op->name, parameters[op->arity], op->expression);
}

static const char *state_type(const struct row_text *row)
{
  return strcmp(row->kind, "SUMS") == 0 ? "f64" : strcmp(row->kind, "VALUES") == 0 ? "T" : "TINT";
}

static void write_states(struct buffer *out, const struct row_text *row, const char *more)
{
  buffer_printf(out, "  %s s0", state_type(row));
  for (int s = 1; s < row->states; s++)
    buffer_printf(out, ", s%d", s);
  buffer_printf(out, ";\n  %s;\n", more);
}

static void write_reducer(struct buffer *out, const struct row_text *row)
{
  buffer_printf(out, "template <bool ignore, i32 mode> struct FN(reduce_%s) {\n", row->name);
  write_states(out, row, "TINT na");
  buffer_printf(out, "  MEMBER void init()\n  {\n    na = 0;\n    %s;\n  }\n", row->init);
  buffer_printf(out, "  MEMBER void step(T x)\n  {\n    %s;\n    na += IS_NA(x);\n  }\n", row->step);
  buffer_printf(out, "  MEMBER void merge(const FN(reduce_%s) &next)\n  {\n    const %s ", row->name, state_type(row));
  for (int s = 0; s < row->states; s++)
    buffer_printf(out, "%sr%d = next.s%d", s ? ", " : "", s, s);
  buffer_printf(out, ";\n    %s;\n    na += next.na;\n  }\n", row->merge);
  buffer_printf(out, "  MEMBER T finish(const TINT n) const { return (T)(%s); }\n};\n", row->finish);
}

static void write_series(struct buffer *out, const struct row_text *row)
{
  buffer_printf(out, "template <bool ignore> struct FN(series_%s) {\n", row->name);
  write_states(out, row, "bool ended");
  buffer_printf(out, "  MEMBER void init()\n  {\n    ended = false;\n    %s;\n  }\n", row->init);
  buffer_printf(out,
                "  MEMBER T next(T x)\n  {\n    if (!IS_NA(x)) {\n      %s;\n    }\n    ended |= IS_NA(x) && !ignore;\n"
                "    return IS_NA(x) || ended ? NA : FN(quiet)(s0);\n  }\n};\n",
                row->step);
}

void device_write_rows(struct buffer *out)
{
  for (size_t i = 0; i < KOP_COUNT_; i++)
    write_op(out, &ops[i]);
  for (size_t i = 0; i < KRED_COUNT_; i++)
    if (reducers[i].kind)
      write_reducer(out, &reducers[i]);
  for (size_t i = 0; i < KSER_COUNT_; i++)
    if (series[i].kind)
      write_series(out, &series[i]);
}
