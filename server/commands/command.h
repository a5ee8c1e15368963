/* What the subcommands of the program share: reading options, reporting errors, exit statuses. */
#ifndef TWINCUBE_SERVER_COMMANDS_COMMAND_H
#define TWINCUBE_SERVER_COMMANDS_COMMAND_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <stddef.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Subcommands: argv[0] is the subcommand's name. Each returns the exit status. */
int command_serve(int argc, char **argv);
int command_run(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_devices(int argc, char **argv);
int command_user(int argc, char **argv);
int command_job(int argc, char **argv);
int command_store(int argc, char **argv);
int command_config(int argc, char **argv);

/* Prints `Code: node "n", parameter "p": message` as one line on standard error. Returns EXIT_FAILED. */
int command_fail(const struct error *error);
/* Prints "twincube COMMAND: message" and where help is found. Returns EXIT_USAGE. */
int command_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The option that getopt has just refused (an unknown one, or one without its value); in the command's words. */
const char *command_refused_option(char *const *argv);
int command_option_usage(const char *command, char *const *argv);

/* "512M", "2G", "1.5g", "4096": bytes. 0, or -1 where the text is no size of at least 1 MiB. */
int command_size(const char *text, size_t *out);
/* "90", "90s", "15m", "12h", "7d": seconds. 0, or -1 where the text is no time of at least a second. */
int command_duration(const char *text, double *out);
/* An integer within [minimum, maximum]. 0 or -1. */
int command_integer(const char *text, long minimum, long maximum, long *out);

/* Reads a whole file, "-" for standard input. Error code FileNotFound, or ProcessGraphComplexity past the limit. */
int command_read_file(const char *path, size_t limit, struct buffer *out, struct error *error);

#endif
