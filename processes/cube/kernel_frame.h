/* Callbacks over lanes that make stages on their way: what a callback has computed so far becomes a cube, a stage makes
 * another cube of it (run_udf), and the callback goes on with lanes of that one. The cube process around it gives its
 * kernel the cubes that were added, as further inputs. */
#ifndef TWINCUBE_PROCESSES_CUBE_KERNEL_FRAME_H
#define TWINCUBE_PROCESSES_CUBE_KERNEL_FRAME_H

#include "processes/cube/shape.h"

enum { FRAME_MOST = 32 };

struct kernel_frame {
  const struct node *data; /* input 0 of the program; NULL: there is none yet */
  bool lacks_data;         /* the callback failed for want of it */
  int array_dimension;     /* of data: the program sees it as an array; NO_DIMENSION: the elements */
  bool wants_single;       /* the callback's result is to be one value */
  struct program *program;
  const struct node *added[FRAME_MOST]; /* inputs 1 … count */
  int added_array[FRAME_MOST];          /* dimension of it that the program sees as an array, or NO_DIMENSION */
  size_t count;
  unsigned callbacks;               /* that its callback is in, itself included */
  const struct kernel_frame *model; /* of the same callback with other data: what it added tells what is added here */
};

/* Runs the callback; the program is the frame's. */
int frame_run(struct call *call, struct kernel_frame *frame, const struct callback *callback,
              const struct argument *parameters, size_t count, struct value *result);
/* The frame of the callback that the call is in; NULL: there is none, or the call is in another callback inside. */
struct kernel_frame *frame_of(const struct call *call);
/* Lanes of a node that is added: its elements by the names of dimensions, along `array_dimension` as an array. Error
 * ProcessGraphComplexity where there are too many. */
int frame_add(struct call *call, struct kernel_frame *frame, const struct node *node, int array_dimension,
              struct lanes *out);
/* The node whose elements the value is, all and in order; NULL: it is computed from several, or from the data. */
const struct node *frame_whole(const struct kernel_frame *frame, const struct value *value);
/* The data's cube, to be changed; where nodes were added, without the bands' packing: their values have none. NULL: out
 * of memory, and the error is set. */
struct cube *frame_cube(struct call *call, const struct kernel_frame *frame);
/* The inputs of the kernel that gives `cube`: 1 + count, of which the first is the caller's to fill in. NULL: out of
 * memory, and the error is set. */
struct kernel_input *frame_inputs(struct call *call, const struct kernel_frame *frame, const struct cube *cube);

#endif
