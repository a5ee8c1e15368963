/* What PROJ has been asked before. A look-up takes it milliseconds, and one request asks for the same few again and
 * again; so facts about EPSG codes are remembered, and of each transformation a copy to make others of, which is a
 * hundred times faster. Both are bounded and safe from any thread. */
#ifndef TWINCUBE_DATACUBE_CRS_MEMORY_H
#define TWINCUBE_DATACUBE_CRS_MEMORY_H

#include <proj.h>
#include <stdbool.h>
#include <stdint.h>

enum crs_fact_set { CRS_AXES = 1, CRS_CANONICAL = 2 }; /* what is known of a code */

struct crs_facts {
  unsigned known; /* of enum crs_fact_set; CRS_AXES: */
  bool has_axes;  /* … there is such a CRS, and it has the following */
  bool geographic;
  bool starts_north;  /* its own first axis */
  double si;          /* unit of the first axis: metres, or radians */
  uint32_t canonical; /* CRS_CANONICAL: code of the canonical form */
};

/* The number of "EPSG:n" in any case; 0: the text is no such code. */
uint32_t crs_epsg_number(const char *text);
/* What is remembered of a code; all zero where that is nothing. */
struct crs_facts crs_facts_recall(uint32_t code);
/* Adds what is `known` in the facts to what is remembered of the code. */
void crs_facts_keep(uint32_t code, const struct crs_facts *facts);

/* A copy, in the context, of the transformation between two CRSs; NULL: none is remembered. */
PJ *crs_transform_recall(PJ_CONTEXT *context, const char *from, const char *to);
/* Remembers a copy of the transformation. */
void crs_transform_keep(const PJ *transform, const char *from, const char *to);

#endif
