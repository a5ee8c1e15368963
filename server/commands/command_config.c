/* twincube config: an operator's configuration file, looked at before the server does. */
#include "server/commands/command.h"
#include "server/commands/serve_options.h"

#include <string.h>

static const char help_text[] =
    "twincube config - configuration files of twincube serve\n\n"
    "Usage\n"
    "  twincube config check FILE    print what a server with this file would do, defaults among it; or what is "
    "wrong,\n"
    "                                as FILE:LINE: reason\n"
    "  twincube config example       print a file with every key, its default and what it means\n\n"
    "Options\n"
    "  -h, --help    this text\n\n"
    "Exit status\n"
    "  0 success, 1 there is something wrong (one line on standard error), 2 wrong usage\n\n"
    "Example\n"
    "  twincube config example >twincube.toml && twincube config check twincube.toml\n";

static int check_file(const char *path)
{
  struct serve_options options;
  struct oidc_settings *providers = NULL;
  struct error error = {0};
  int status = EXIT_OK;
  struct tls *tls = NULL;
  if (serve_options_read_file(path, &options, &error) == 0 &&
      serve_options_providers(&options, &providers, &error) == 0 && serve_options_tls(&options, &tls, &error) == 0)
    serve_options_print(&options, stdout);
  else
    status = EXIT_FAILED;
  if (status != EXIT_OK)
    fprintf(stderr, "%s\n", error.message);
  tls_free(tls);
  oidc_settings_free(providers);
  serve_options_free(&options);
  return status;
}

int command_config(int argc, char **argv)
{
  const char *action = argc > 1 ? argv[1] : "";
  if (strcmp(action, "--help") == 0 || strcmp(action, "-h") == 0) {
    fputs(help_text, stdout);
    return EXIT_OK;
  }
  if (strcmp(action, "check") == 0 && argc == 3)
    return check_file(argv[2]);
  if (strcmp(action, "example") == 0 && argc == 2) {
    serve_options_example(stdout);
    return EXIT_OK;
  }
  return command_usage("config", "wants check FILE, or example");
}
