/* The subcommand `twincube catalogue`. */
#ifndef TWINCUBE_SERVER_COMMANDS_COMMAND_CATALOGUE_H
#define TWINCUBE_SERVER_COMMANDS_COMMAND_CATALOGUE_H

#include "stac/catalogue.h"

/* The catalogue of --data and --catalogue, or of what stands for them (data_dir.h). */
int catalogue_place_open(const char *folder, const char *database, bool writes, struct catalogue **out,
                         struct error *error);

/* argv[0] is "catalogue". Returns the exit status. */
int command_catalogue(int argc, char **argv);
/* Its part "load"; argv[0] is that word. */
int command_catalogue_load(int argc, char **argv);
/* Its part "references", likewise. */
int command_catalogue_references(int argc, char **argv);
/* Its parts "refresh" and "sources", likewise. */
int command_catalogue_refresh(int argc, char **argv);

/* Its part "index", likewise. */
int command_catalogue_index(int argc, char **argv);

#endif
