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
/* The node with those dimensions as its last, in that order, behind the others in theirs. Sets *out. */
int view_last(struct call *call, const struct node *input, const size_t *dimensions, size_t count,
              const struct node **out);
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

/* ---- result_values.c ----------------------------------------------------------------------------------------------
 */

/* Type and no-data of the cube that `result` computes from the inputs, one per slot of its program: selected values
 * keep their type where an input's no-data value is none that the program can give; everything else is a float with
 * NaN; booleans have 255. */
void cube_set_result_type(struct cube *cube, const struct lanes *result, const struct kernel_input *inputs,
                          size_t count);

/* Scale, offset and unit of the bands describe stored values: they stay where the result selects those, and go where
 * it computes others. Averages of values that are not packed keep the unit. */
int cube_settle_packing(struct call *call, struct cube *cube, const struct program *program,
                        const struct lanes *result);

/* Whether the result is one of the inputs' values, or missing, whatever they are. */
bool program_selects(const struct program *program, const struct lanes *result);

/* Type, no-data and band metadata of a cube whose elements come unchanged from the parts: theirs where they agree; else
 * a float that holds them all, and bands without metadata where packings differ. Nothing changes without parts. */
void cube_set_joint_type(struct cube *cube, const struct node *const *parts, size_t count);

/* Whether stored values of the band are codes of others, by scale and offset. */
bool band_is_packed(const struct band_info *band);
bool cube_is_packed(const struct cube *cube); /* some band of it */
bool band_same_packing(const struct band_info *a, const struct band_info *b);
/* The values are numbers of their own now: no scale, offset and unit. */
void band_set_plain(struct band_info *band);

/* inputs[i] at the output position, by dimension name; out has room for count. */
void kernel_inputs_by_names(const struct cube *cube, const struct node *const *inputs, size_t count,
                            struct kernel_input *out);

/* A kernel node from a cube's elements one by one: inputs[i] are read at the output position by dimension name. */
int kernel_by_names(struct call *call, const struct cube *cube, const struct node *const *inputs, size_t count,
                    const struct program *program, struct lanes result, const struct node **out);

/* Extra callback parameter "context", or null. */
struct value call_context(const struct call *call);

#endif
