/* twincube explain: the plan of a graph as text; nothing is run. */
#include "server/commands/command.h"
#include "server/commands/command_graph.h"

#include <stdio.h>

static const char help_text[] =
    "twincube explain - print the plan of a process graph\n\n"
    "Usage\n"
    "  twincube explain [OPTION]... GRAPH.json\n\n"
    "Prints, stage by stage, what `twincube run` would do: the cube's shape and type, how boxes map from one\n"
    "stage to the next, the kernel's steps, the tile grid, the bytes to read and the peak memory. No pixel is\n"
    "read. GRAPH.json as for twincube run; - reads it from standard input.\n\n"
    "Options\n"
    "  -o, --output OUT        plan for this output, as for twincube run (its format may shape the tiles)\n"
    "  --parameter NAME=JSON   value for {\"from_parameter\": NAME} at the top level; may be repeated\n"
    "  --data DIR              folder with the catalogue (see twincube catalogue --help for the default)\n"
    "  --files DIR             folder that load_uploaded_files reads from (default: the current one)\n"
    "  --workspaces DIR        folder whose folders are the workspaces of export_workspace (default: none)\n"
    "  --remote PREFIX         other hosts that load_stac may read from: what addresses of documents and data begin\n"
    "                          with, such as https://example.org/data/ or s3://BUCKET/START; may be repeated\n"
    "                          (default: none)\n"
    "  --remote-accounts FILE  the same by tables [[remote]], with accounts there (`twincube config example` shows "
    "them)\n"
    "  --udf-python PROGRAM    Python for run_udf, with numpy, pandas and xarray (default: the system's python3)\n"
    "  --memory SIZE           memory to plan with, such as 512M or 2G (default 2G)\n"
    "  --threads N             workers to plan with (default: as many as the machine has cores)\n"
    "  --device NAME           where kernels run: auto (default: on devices where that is faster), cpu, cuda (on all\n"
    "                          of them, wherever they can) or cuda:N; see twincube devices\n"
    "  --device-memory SIZE    of each device, at most (default: four fifths of what is free)\n"
    "  --json                  as JSON: hash, bytes read, elements computed, stages and phases\n"
    "  --cuda                  the kernels as CUDA C++, as NVRTC takes them\n"
    "  -h, --help              this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n";

static int explain_graph(const struct graph_arguments *arguments, struct execution *execution, struct error *error)
{
  (void)arguments;
  struct buffer text = {0};
  int status = execute_explain(execution, &text, error);
  if (status == 0 && text.length > 0)
    fwrite(text.data, 1, text.length, stdout);
  buffer_free(&text);
  return status;
}

int command_explain(int argc, char **argv)
{
  struct graph_arguments arguments = {0};
  int status = graph_arguments_read(argc, argv, "explain", help_text, &arguments);
  if (status < 0)
    status = graph_arguments_execute(&arguments, NULL, explain_graph);
  graph_arguments_free(&arguments);
  return status;
}
