/* What rank 0 says to the others about chains and fields, and what they answer: the private language of chain_crew.c,
 * gauge_crew.c and chain_help.c. All ranks run the same program, so it is written as it lies in memory. */
#ifndef TWINCUBE_PROCESSES_LATTICE_CHAIN_ORDERS_H
#define TWINCUBE_PROCESSES_LATTICE_CHAIN_ORDERS_H

#include "processes/lattice/markov_chain.h"

enum chain_order_kind {
  ORDER_OPEN,    /* a crew's chains, a chain_parcel and the model follow */
  ORDER_START,   /* those of the crew, as below */
  ORDER_ADVANCE, /* answered by their numbers, a row and a message each; not where one chain is dealt */
  ORDER_FRAMES,  /* answered by their configurations, or pieces of one, a message each */
  /* A crew for fields one by one (gauge_crew.c): a gauge_parcel and the op's parameters follow */
  ORDER_FIELDS_OPEN,
  /* the elements of this rank's slab follow; answered by a gauge_verdict, too, and where all is well by its result */
  ORDER_FIELDS_COMPUTE,
  ORDER_CLOSE,  /* not answered */
  ORDER_DISMISS /* not answered */
};

struct chain_order {
  uint32_t kind;
  uint32_t crew;       /* its number */
  uint64_t trajectory; /* of START and ADVANCE */
  uint64_t bytes;      /* of OPEN and FIELDS_OPEN: what follows; of FRAMES: each message */
};

struct chain_parcel {
  uint64_t model; /* its number in chain_models */
  uint64_t first, count;
  uint64_t parts, pieces; /* ranks that share one chain, and this one's pieces; else 0 */
  uint64_t sites, grain;
};

struct chain_answer {
  int32_t failed;
  char code[64], message[320]; /* of the error */
};

#endif
