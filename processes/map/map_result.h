/* The cube that a graph gives, if a map can show it. */
#ifndef TWINCUBE_PROCESSES_MAP_MAP_RESULT_H
#define TWINCUBE_PROCESSES_MAP_MAP_RESULT_H

#include "processes/map/map.h"

/* The result node's cube as it is. Errors as map_open. */
int map_stored_result(struct arena *arena, const struct map_request *request, const struct node **out,
                      struct error *error);
/* The same, unpacked; whatever its save_result asks for, a map paints it itself. Errors as map_open. */
int map_result(struct arena *arena, const struct map_request *request, const struct node **out, struct error *error);

/* Whether a cube has regular x and y, a CRS, and numbers: FormatUnsuitable says what it lacks. */
int map_cube_check(struct arena *arena, const struct cube *cube, struct error *error);

#endif
