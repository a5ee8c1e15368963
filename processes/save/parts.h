/* One save_result, several files: one for each date, each band, or each of both. */
#ifndef TWINCUBE_PROCESSES_SAVE_PARTS_H
#define TWINCUBE_PROCESSES_SAVE_PARTS_H

#include "processes/graph/graph.h"

/* Whether the options separate_dates or separate_bands ask for it. Error ProcessParameterInvalid. */
int parts_wanted(struct call *call, const struct outcome_output *output, bool *dates, bool *bands);
/* Saves each part of the cube under "<stem>_<date>_<band>"; the stem is the option filename_prefix, or the node. */
int parts_save(struct call *call, const struct outcome_output *whole, bool dates, bool bands);

#endif
