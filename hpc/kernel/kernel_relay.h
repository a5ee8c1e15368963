/* Relays: steps that hand values on in vector registers.
 *
 * A step alone is a pass: it reads its operands from memory, be it the first cache, and writes its result there. A
 * relay is a stretch of LOAD, ELEMENT and STORE steps that runs a chunk of lanes through all of them before it takes
 * the next chunk. Each step is a leg: a function that has two values (A and B, as many vectors each as fit) in its
 * arguments, which the calling convention puts in registers, and ends by calling the next leg. Whatever finds no place
 * in A or B lies in memory, in a block of its register: what later steps read, and what is still wanted when A and B
 * have changed. Loads of elements that lanes hold as they are need no leg: others read them where they are.
 *
 * Here it is decided, once a kernel, which steps form relays and where each leg finds its operands (kernel_forms.h);
 * kernel_relay.inc runs them. The bits are those of the steps one after the other. */
#ifndef TWINCUBE_HPC_KERNEL_KERNEL_RELAY_H
#define TWINCUBE_HPC_KERNEL_KERNEL_RELAY_H

#include "hpc/kernel/kernel.h"

/* Lanes of a piece of a kernel that has relays are a multiple of this. */
enum { RELAY_LANES_F32 = 32, RELAY_LANES_F64 = 16 };
enum { RELAY_STEPS = 40 }; /* steps of a relay, at most, beside constants */

/* Sets each step's `leg`, and blocks[register] of registers that only a relay uses: one or none instead of as many as
 * the steps have. Such a register's memory must be its own from the relay's first step to its last, as must that of all
 * others that a relay's steps name. Returns -1 when out of memory; nothing is changed then. */
int kernel_find_relays(struct kernel_step *steps, size_t count, uint32_t *blocks, size_t registers);

#endif
