/* What cube processes share: copies of descriptions, views, and the type of a computed cube. */
#ifndef TWINCUBE_PROCESSES_CUBE_SHAPE_H
#define TWINCUBE_PROCESSES_CUBE_SHAPE_H

#include "hpc/plan/node.h"
#include "processes/process.h"

/* Copy to be changed, NULL when out of memory. */
struct cube *cube_copy(struct arena *arena, const struct cube *cube);
/* Drops dimension d from the description; band metadata goes with the bands. */
void cube_remove_dimension(struct cube *cube, size_t d);

/* Identity view: every dimension becomes the output dimension of the same index. */
struct view_dimension *view_identity(struct arena *arena, const struct cube *input);
/* The node with only the given indexes of dimension d, in that order; its cube follows. Sets result. */
int view_pick(struct call *call, const struct node *input, size_t d, const size_t *indexes, size_t count,
              struct value *result);

/* The node without dimension d, at its label `index`. Sets *out. */
int view_drop(struct call *call, const struct node *input, size_t d, size_t index, const struct node **out);
/* The node whose dimension d has the labels of `labels`: element indexes[i] (or a hole, NO_INDEX) at label i. indexes
 * are borrowed. Sets *out. */
int view_spread(struct call *call, const struct node *input, size_t d, const struct dimension *labels,
                const size_t *indexes, const struct node **out);
/* The node with y and x as its last dimensions, in this order. It has both. Sets *out. */
int view_plane_last(struct call *call, const struct node *input, const struct node **out);
/* The node in a type that has room for missing elements: before a view with holes. Sets *out. */
int node_admit_missing(struct call *call, const struct node *input, const struct node **out);
/* Makes room for missing elements: an integer type without a no-data value becomes a float, floats have NaN. */
void cube_admit_missing(struct cube *cube);

struct node_origin call_origin(const struct call *call);

/* A scalar (or, with is_array, an array) result of a callback as lanes of the program. what: for the message. */
int callback_lanes(struct call *call, struct program *program, const struct value *value, bool is_array,
                   const char *parameter, struct lanes *out);

/* Type and no-data of the cube that `result` computes from the inputs: selected values keep their type where a no-data
 * value is there for them; everything else is a float with NaN; booleans have 255. */
void cube_set_result_type(struct cube *cube, const struct lanes *result, const struct kernel_input *inputs,
                          size_t count);

/* Scale, offset and unit of the bands describe stored values: they stay where the result picks or averages those, and
 * go where it computes others. */
int cube_settle_packing(struct call *call, struct cube *cube, const struct program *program,
                        const struct lanes *result);

/* inputs[i] at the output position, by dimension name; out has room for count. */
void kernel_inputs_by_names(const struct cube *cube, const struct node *const *inputs, size_t count,
                            struct kernel_input *out);

/* A kernel node from a cube's elements one by one: inputs[i] are read at the output position by dimension name. */
int kernel_by_names(struct call *call, const struct cube *cube, const struct node *const *inputs, size_t count,
                    const struct program *program, struct lanes result, const struct node **out);

/* Extra callback parameter "context", or null. */
struct value call_context(const struct call *call);

#endif
