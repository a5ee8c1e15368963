/* twincube catalogue: the collections of a data folder. */
#include "server/commands/command_catalogue.h"

#include "server/commands/command.h"
#include "server/commands/data_dir.h"
#include "server/sources/source_add.h"
#include "server/sources/source_kind.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "twincube catalogue - collections of a data folder\n\n"
    "Usage\n"
    "  twincube catalogue add [OPTION]... PATH       register PATH as a collection\n"
    "  twincube catalogue load [OPTION]... PATH      take STAC items as they are: lines of JSON, documents\n"
    "  twincube catalogue references [OPTION]... INPUT...  netCDF, HDF5 and GRIB files as one Zarr hierarchy\n"
    "  twincube catalogue list [OPTION]...           one line each: id, items, bands, dates, title\n"
    "  twincube catalogue remove [OPTION]... ID      forget a collection; its files stay\n"
    "  twincube catalogue refresh [OPTION]... [ID]...  look again at what was added: new files come, vanished ones go\n"
    "  twincube catalogue sources [OPTION]...        one line each: id, kind, how often, when, where from, how it "
    "went\n"
    "  twincube catalogue index [OPTION]...          properties of items that are found and sorted by at once\n"
    "  twincube catalogue leave [--data DIR]         a copy of a shared catalogue becomes one of its own\n"
    "  twincube catalogue COMMAND --help\n\n"
    "The catalogue holds what was read from the files' heads: grids, types, no-data values, dates, bands. Pixels\n"
    "stay where they are. All commands work while a server serves the same folder.\n\n"
    "Options\n"
    "  --data DIR   the data folder; without it $TWINCUBE_DATA, else $XDG_DATA_HOME/twincube, else\n"
    "               ~/.local/share/twincube\n"
    "  --catalogue URI\n"
    "               PostgreSQL database of a catalogue that several servers share; without it $TWINCUBE_CATALOGUE, "
    "else\n"
    "               the data folder's catalogue is its own. It is then a copy of the shared one, which the command\n"
    "               brings up to date first. A database that has no catalogue yet gets that of the folder\n"
    "  -h, --help   this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n";

static const char add_help[] =
    "twincube catalogue add - register files as a collection\n\n"
    "Usage\n"
    "  twincube catalogue add [--data DIR] [--catalogue URI] [--id ID] [--datetime REGEX] [--band REGEX]\n"
    "                         [--nodata [BAND=]VALUE]... [--crs EPSG] [--resolution R] [--follow] [--unpack]\n"
    "                         [--title TEXT] [--licence ID] [--provider NAME[=URL]]... [--keyword WORD]...\n"
    "                         [--source KIND] [--remote PREFIX]... [--remote-accounts FILE]\n"
    "                         [--refresh SECONDS] PATH\n\n"
    "PATH is one of\n"
    "  a STAC document    Collection, Catalog, Item or ItemCollection (JSON, version 0.9 to 1.1); links to items and\n"
    "                     children are followed\n"
    "  a netCDF file      with dimensions by the CF conventions; the variables over its commonest dimensions are the\n"
    "                     bands. FILE:VARIABLE takes those over the dimensions of that variable\n"
    "  a GRIB file        the same of editions 1 and 2, its fields being variables\n"
    "  a Zarr hierarchy   the same of a folder of version 2 or 3: a group, or one array alone; or of a document of\n"
    "                     references (.json), as `twincube catalogue references` and Kerchunk write them\n"
    "  a file of features GeoPackage, Shapefile (zipped, too), FlatGeobuf, GeoJSON, CSV with WKT or x and y: a vector\n"
    "                     cube, its properties of numbers the bands. FILE:LAYER takes one of several layers; --crs is\n"
    "                     that of a file that names none\n"
    "  a folder           of rasters (tif, tiff, jp2, png), searched to the bottom. Date and band are part of the\n"
    "                     files' names; files with the same name but for the band are one scene. A folder without\n"
    "                     rasters is one cube of its netCDF and GRIB files, or one of lattice gauge fields (NERSC,\n"
    "                     ILDG, MILC, openQCD), a configuration each; one such file is a collection, too\n"
    "  an address         of another host: one of the sources below. What is added names the files where they lie; a\n"
    "                     server that is to load them needs --remote, too\n"
    "A collection of the same id is replaced, in one step: readers see the old one or the new one. Files that cannot\n"
    "be read are named on standard error and left out.\n\n"
    "Options\n"
    "  --data DIR, --catalogue URI\n"
    "                     the data folder, and the database of a shared catalogue (see twincube catalogue --help)\n"
    "  --id ID            id of the collection: letters, digits and _ - . ~ /   (default: the STAC document's id,\n"
    "                     else the name of the file or folder)\n"
    "  --datetime REGEX   where the date is in a file's path below PATH: a POSIX extended expression with one group.\n"
    "                     The group's digits are read as YYYY, YYYYMM, YYYYDDD, YYYYMMDD or YYYYMMDDhhmmss, with\n"
    "                     any of - _ . / : T between (default: the first date in the name). A folder whose\n"
    "                     files have none becomes a cube without a dimension of time\n"
    "  --band REGEX       where the band is, likewise (default: a part of the name that looks like a band, as B4,\n"
    "                     SCL or VV; else the last part that is no date). Files of several bands name them by their\n"
    "                     descriptions, else B1, B2, …\n"
    "  --nodata [BAND=]VALUE\n"
    "                     the value of pixels without data, for one band or for all others; goes before what the\n"
    "                     files say. May be given many times. `nan` is a value\n"
    "  --crs EPSG         CRS of the collection's grid: an EPSG code, WKT or PROJ text (default: the commonest)\n"
    "  --resolution R     pixel size of the collection's grid in units of its CRS (default: the finest of the bands\n"
    "                     that are loaded)\n"
    "  --follow           take symbolic links too, where they lead to files below PATH\n"
    "  --title TEXT, --licence ID (SPDX, as CC-BY-4.0), --provider NAME[=URL], --keyword WORD\n"
    "                     what clients are told of the collection; goes before what a STAC document says. Providers\n"
    "                     and keywords may be given many times\n"
    "  --unpack           rasters with scale and offset are loaded as what their values stand for, as floats\n"
    "                     (default: as they are stored, scale and offset being metadata of the band; but unpacked\n"
    "                     where the files of a band differ in them)\n"
    "  --source KIND      what an address is, where it does not tell by itself; see below\n"
    "  --remote PREFIX    addresses of other hosts that may be read beside those of PATH's own host; may be repeated\n"
    "  --remote-accounts FILE\n"
    "                     the same by tables [[remote]], with accounts there (`twincube config example` shows them)\n"
    "  --refresh SECONDS  how often `twincube catalogue refresh --due` and `--watch` look at it again (default: when\n"
    "                     it is asked for by its id)\n"
    "  -h, --help         this text\n\n"
    "Sources\n"
    "%s\n"
    "  Listed rasters are taken as those of a folder are. Where there are none, all netCDF and GRIB files are one\n"
    "  cube; or one file of features.\n\n"
    "Grid\n"
    "  Where the scenes that are loaded share a lattice (CRS, resolution, phase), it is the cube's, and their values\n"
    "  come through untouched, unless --crs or --resolution asks for another. Otherwise the collection's grid is "
    "used:\n"
    "  its pixel edges lie at multiples of the resolution from the CRS origin, and scenes are resampled to it once\n"
    "  (nearest).\n\n"
    "Dates\n"
    "  Scenes of one UTC day are one date and mosaic, the first valid pixel in the order of the items. Where scenes "
    "of\n"
    "  one day and different times cover the same ground, every time is a date of its own.\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error, naming the parameter), 2 wrong usage\n\n"
    "Examples\n"
    "  twincube catalogue add --id L8 --nodata 0 --nodata BQA=1 landsat/\n"
    "  twincube catalogue add --datetime '_([0-9]{8})T' --band '_(B[0-9A]+)_10m' S2/\n"
    "  twincube catalogue add --id era5 era5_daily.nc\n"
    "  twincube catalogue add stac/collection.json\n";

enum {
  OPTION_DATA = 256,
  OPTION_ID,
  OPTION_DATETIME,
  OPTION_BAND,
  OPTION_CRS,
  OPTION_TITLE,
  OPTION_LICENCE,
  OPTION_SHARED,
  OPTION_NODATA,
  OPTION_RESOLUTION,
  OPTION_PROVIDER,
  OPTION_KEYWORD,
  OPTION_SOURCE,
  OPTION_REMOTE,
  OPTION_ACCOUNTS,
  OPTION_REFRESH,
  OPTION_FOLLOW,
  OPTION_UNPACK
};

struct arguments {
  const char *data, *shared;
  struct catalogue_add_options add;
  struct catalogue_nodata *nodata;      /* owned; add.nodata */
  struct catalogue_provider *providers; /* owned; add.providers */
  const char **keywords;                /* owned; add.keywords */
  char **names;                         /* band names of nodata and names of providers, owned */
  size_t name_count;
  const char *source;
  struct account_settings remotes;
  int64_t every; /* seconds; 0: on demand */
  bool help;
};

static void arguments_free(struct arguments *arguments)
{
  for (size_t i = 0; i < arguments->name_count; i++)
    free(arguments->names[i]);
  account_settings_free(&arguments->remotes);
  free(arguments->providers);
  free(arguments->keywords);
  free(arguments->names);
  free(arguments->nodata);
}

static int number(const char *text, double *out)
{
  char *end = NULL;
  *out = strtod(text, &end);
  return end == text || *end != '\0' ? -1 : 0;
}

/* "0", "BQA=1". A band's name may hold "=": the value is behind the last one. */
static int take_nodata(struct arguments *arguments, const char *text)
{
  const char *equals = strrchr(text, '=');
  size_t count = arguments->add.nodata_count;
  double value;
  if (number(equals ? equals + 1 : text, &value) != 0 || equals == text)
    return command_usage("catalogue add", "--nodata %s: [BAND=]VALUE is expected, VALUE a number or nan", text);
  char *band = equals ? strndup(text, (size_t)(equals - text)) : NULL;
  arguments->names[arguments->name_count++] = band;
  arguments->nodata[count] = (struct catalogue_nodata){band, value};
  arguments->add.nodata_count++;
  return EXIT_OK;
}

/* "ESA", "ESA=https://…". */
static int take_provider(struct arguments *arguments, const char *text)
{
  const char *equals = strchr(text, '=');
  char *name = equals ? strndup(text, (size_t)(equals - text)) : strdup(text);
  arguments->names[arguments->name_count++] = name;
  if (!name || !*name)
    return command_usage("catalogue add", "--provider %s: NAME or NAME=URL is expected", text);
  arguments->providers[arguments->add.provider_count++] = (struct catalogue_provider){name, equals ? equals + 1 : NULL};
  return EXIT_OK;
}

static int take_resolution(struct arguments *arguments, const char *text)
{
  double *out = &arguments->add.resolution;
  if (number(text, out) != 0 || !isfinite(*out) || !(*out > 0))
    return command_usage("catalogue add", "--resolution %s: a positive number is expected", text);
  return EXIT_OK;
}

static int take_remote(struct arguments *arguments, const char *prefix)
{
  struct error error = {0};
  return account_settings_add_prefix(&arguments->remotes, prefix, &error) == 0
             ? EXIT_OK
             : command_usage("catalogue add", "--remote: %s", error.message);
}

static int take_accounts(struct arguments *arguments, const char *file)
{
  struct error error = {0};
  return account_settings_add_file(&arguments->remotes, file, &error) == 0
             ? EXIT_OK
             : command_usage("catalogue add", "--remote-accounts: %s", error.message);
}

static int take_source(struct arguments *arguments, const char *name)
{
  arguments->source = name;
  return source_kind_named(name)
             ? EXIT_OK
             : command_usage("catalogue add", "--source %s: that is none of the sources that --help lists", name);
}

static int take_refresh(struct arguments *arguments, const char *text)
{
  double seconds;
  if (number(text, &seconds) != 0 || !(seconds >= 1 && seconds <= 1e9))
    return command_usage("catalogue add", "--refresh %s: a number of seconds is expected, at least 1", text);
  arguments->every = (int64_t)seconds;
  return EXIT_OK;
}

/* `word` is the option as it was written. */
static int take_option(struct arguments *arguments, int option, const char *word, const char *command)
{
  bool adding = strcmp(command, "catalogue add") == 0;
  const char **const texts[] = {[OPTION_DATA - OPTION_DATA] = &arguments->data,
                                [OPTION_ID - OPTION_DATA] = &arguments->add.id,
                                [OPTION_DATETIME - OPTION_DATA] = &arguments->add.datetime_regex,
                                [OPTION_BAND - OPTION_DATA] = &arguments->add.band_regex,
                                [OPTION_CRS - OPTION_DATA] = &arguments->add.crs,
                                [OPTION_TITLE - OPTION_DATA] = &arguments->add.title,
                                [OPTION_LICENCE - OPTION_DATA] = &arguments->add.licence,
                                [OPTION_SHARED - OPTION_DATA] = &arguments->shared};
  if (option == 'h') {
    arguments->help = true;
    return EXIT_OK;
  }
  if (option < OPTION_DATA)
    return command_usage(command, "the option '%s' is not known, or lacks its value", word);
  if (option != OPTION_DATA && option != OPTION_SHARED && !adding)
    return command_usage(command, "only --data and --catalogue are options here");
  if (option == OPTION_NODATA)
    return take_nodata(arguments, optarg);
  if (option == OPTION_UNPACK) {
    arguments->add.unpack = true;
    return EXIT_OK;
  }
  if (option == OPTION_RESOLUTION)
    return take_resolution(arguments, optarg);
  if (option == OPTION_PROVIDER)
    return take_provider(arguments, optarg);
  if (option == OPTION_SOURCE)
    return take_source(arguments, optarg);
  if (option == OPTION_REMOTE)
    return take_remote(arguments, optarg);
  if (option == OPTION_REFRESH)
    return take_refresh(arguments, optarg);
  if (option == OPTION_ACCOUNTS)
    return take_accounts(arguments, optarg);
  if (option == OPTION_KEYWORD)
    arguments->keywords[arguments->add.keyword_count++] = optarg;
  else if (option == OPTION_FOLLOW)
    arguments->add.follow = true;
  else
    *texts[option - OPTION_DATA] = optarg;
  return EXIT_OK;
}

/* argv[0] is add, list or remove. The index of the first operand is in optind. */
static int read_arguments(struct arguments *arguments, const char *command, int argc, char **argv)
{
  static const struct option options[] = {{"data", required_argument, NULL, OPTION_DATA},
                                          {"catalogue", required_argument, NULL, OPTION_SHARED},
                                          {"id", required_argument, NULL, OPTION_ID},
                                          {"datetime", required_argument, NULL, OPTION_DATETIME},
                                          {"band", required_argument, NULL, OPTION_BAND},
                                          {"nodata", required_argument, NULL, OPTION_NODATA},
                                          {"crs", required_argument, NULL, OPTION_CRS},
                                          {"resolution", required_argument, NULL, OPTION_RESOLUTION},
                                          {"title", required_argument, NULL, OPTION_TITLE},
                                          {"licence", required_argument, NULL, OPTION_LICENCE},
                                          {"license", required_argument, NULL, OPTION_LICENCE},
                                          {"provider", required_argument, NULL, OPTION_PROVIDER},
                                          {"keyword", required_argument, NULL, OPTION_KEYWORD},
                                          {"source", required_argument, NULL, OPTION_SOURCE},
                                          {"remote", required_argument, NULL, OPTION_REMOTE},
                                          {"remote-accounts", required_argument, NULL, OPTION_ACCOUNTS},
                                          {"refresh", required_argument, NULL, OPTION_REFRESH},
                                          {"follow", no_argument, NULL, OPTION_FOLLOW},
                                          {"unpack", no_argument, NULL, OPTION_UNPACK},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  int status = EXIT_OK, option;
  arguments->nodata = calloc((size_t)argc, sizeof *arguments->nodata);
  arguments->names = calloc((size_t)argc, sizeof *arguments->names);
  arguments->providers = calloc((size_t)argc, sizeof *arguments->providers);
  arguments->keywords = calloc((size_t)argc, sizeof *arguments->keywords);
  arguments->add.nodata = arguments->nodata;
  arguments->add.providers = arguments->providers;
  arguments->add.keywords = arguments->keywords;
  if (!arguments->nodata || !arguments->names || !arguments->providers || !arguments->keywords)
    return command_fail(&(struct error){.code = "Internal", .message = "out of memory"});
  optind = 0;
  opterr = 0;
  while (status == EXIT_OK && (option = getopt_long(argc, argv, "h", options, NULL)) != -1)
    status = take_option(arguments, option, argv[optind - 1], command);
  return status;
}

static int add(struct catalogue *catalogue, struct arguments *arguments, const char *path, struct buffer *out,
               struct error *error)
{
  char data[DATA_DIR_SIZE];
  if (data_dir_find(arguments->data, data, error) != 0)
    return -1;
  const struct source_spec spec = {.kind = arguments->source,
                                   .address = path,
                                   .options = &arguments->add,
                                   .remotes = &arguments->remotes,
                                   .data = data};
  struct source_outcome outcome;
  return source_add(catalogue, &spec, &outcome, out, error) == 0
             ? source_keep(catalogue, &spec, &outcome, arguments->every, out->data, error)
             : -1;
}

int catalogue_place_open(const char *folder, const char *database, bool writes, struct catalogue **out,
                         struct error *error)
{
  const char *shared;
  char data[DATA_DIR_SIZE];
  if (shared_catalogue_find(database, &shared, error) != 0)
    return -1;
  if (!writes && !shared)
    return data_dir_find(folder, data, error) == 0 ? catalogue_open(data, false, out, error) : -1;
  return data_dir_make(folder, data, error) == 0 ? catalogue_open_shared(data, shared, out, error) : -1;
}

static int leave(const char *folder, struct error *error)
{
  struct catalogue *catalogue = NULL;
  char data[DATA_DIR_SIZE];
  if (data_dir_make(folder, data, error) != 0 || catalogue_open(data, true, &catalogue, error) != 0)
    return -1;
  const int status = catalogue_leave(catalogue, error);
  catalogue_close(catalogue);
  return status;
}

static int act(const char *action, struct arguments *arguments, const char *operand, struct buffer *out,
               struct error *error)
{
  struct catalogue *catalogue = NULL;
  const bool writes = strcmp(action, "list") != 0;
  if (strcmp(action, "leave") == 0)
    return leave(arguments->data, error);
  if (catalogue_place_open(arguments->data, arguments->shared, writes, &catalogue, error) != 0)
    return -1;
  int result;
  if (strcmp(action, "add") == 0)
    result = add(catalogue, arguments, operand, out, error);
  else if (writes)
    result = catalogue_remove(catalogue, operand, error);
  else
    result = catalogue_list(catalogue, out, error);
  catalogue_close(catalogue);
  return result;
}

static int run_action(const char *action, struct arguments *arguments, const char *operand)
{
  struct buffer out = {0};
  struct error error = {0};
  int result = act(action, arguments, operand, &out, &error);
  if (result == 0 && out.length)
    fwrite(out.data, 1, out.length, stdout);
  buffer_free(&out);
  return result == 0 ? EXIT_OK : command_fail(&error);
}

static int print(const char *text)
{
  fputs(text, stdout);
  return EXIT_OK;
}

static int print_add_help(void)
{
  struct buffer sources = {0};
  for (size_t i = 0; source_kind_at(i); i++)
    buffer_printf(&sources, "  %-9s %s\n", source_kind_at(i)->name, source_kind_at(i)->what);
  printf(add_help, sources.data);
  buffer_free(&sources);
  return EXIT_OK;
}

int command_catalogue(int argc, char **argv)
{
  const char *action = argc > 1 ? argv[1] : "";
  if (strcmp(action, "--help") == 0 || strcmp(action, "-h") == 0)
    return print(help_text);
  if (strcmp(action, "references") == 0)
    return command_catalogue_references(argc - 1, argv + 1);
  if (strcmp(action, "load") == 0)
    return command_catalogue_load(argc - 1, argv + 1);
  if (strcmp(action, "index") == 0)
    return command_catalogue_index(argc - 1, argv + 1);
  if (strcmp(action, "refresh") == 0 || strcmp(action, "sources") == 0)
    return command_catalogue_refresh(argc - 1, argv + 1);
  bool adding = strcmp(action, "add") == 0, removing = strcmp(action, "remove") == 0;
  bool leaving = strcmp(action, "leave") == 0;
  if (!adding && !removing && !leaving && strcmp(action, "list") != 0)
    return command_usage("catalogue", "wants add, load, references, list, remove, refresh, sources, index or leave");
  const char *command = adding     ? "catalogue add"
                        : removing ? "catalogue remove"
                        : leaving  ? "catalogue leave"
                                   : "catalogue list";
  struct arguments arguments = {0};
  int status = read_arguments(&arguments, command, argc - 1, argv + 1);
  int operands = argc - 1 - optind;
  if (status == EXIT_OK && arguments.help)
    status = adding ? print_add_help() : print(help_text);
  else if (status == EXIT_OK && operands != (adding || removing ? 1 : 0))
    status = command_usage(command, "wants %s", adding ? "one PATH" : removing ? "one ID" : "no argument");
  else if (status == EXIT_OK)
    status = run_action(action, &arguments, operands == 1 ? argv[1 + optind] : NULL);
  arguments_free(&arguments);
  return status;
}
