/* The cube that a graph gives, if a map can show it. */
#ifndef TWINCUBE_PROCESSES_MAP_MAP_RESULT_H
#define TWINCUBE_PROCESSES_MAP_MAP_RESULT_H

#include "processes/map/map.h"

/* The result node's cube, unpacked; whatever its save_result asks for, a map paints it itself. Errors as map_open. */
int map_result(struct arena *arena, const struct map_request *request, const struct node **out, struct error *error);

#endif
