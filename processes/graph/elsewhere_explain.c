/* EXPLAIN of parts that other servers compute: what, for how many bytes, and in place of how many. */
#include "processes/graph/elsewhere.h"

#include <string.h>

/* Bytes as people read them, for what is estimated. */
static void write_about(double bytes, struct buffer *out)
{
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
    bytes /= 1024;
  buffer_printf(out, "%.*f %s", unit > 0 && bytes < 100 ? 1 : 0, bytes, units[unit]);
}

static void explain_share_text(const struct elsewhere_part *part, struct buffer *out)
{
  buffer_printf(out, "node \"%s\": the server of '%s' (%s) computes %s\n  about ", part->node, part->wanted.collection,
                part->server, part->steps);
  write_about(part->wanted.bytes, out);
  buffer_text(out, " come here");
  if (part->bytes_as_loaded > part->wanted.bytes) {
    buffer_text(out, " in place of ");
    write_about(part->bytes_as_loaded, out);
  }
  buffer_printf(out, "%s%s\n", part->bytes_as_loaded > part->wanted.bytes ? "" : ": no step there makes it less",
                part->is_assumed ? "; its collection does not tell all its sizes: usual ones are taken" : "");
}

static void explain_share_json(const struct elsewhere_part *part, struct json_writer *w)
{
  json_write_object(w);
  json_kv_string(w, "node", part->node);
  json_kv_string(w, "collection", part->wanted.collection);
  json_kv_string(w, "server", part->server);
  json_kv_string(w, "steps", part->steps);
  json_kv_number(w, "bytes", part->wanted.bytes);
  json_kv_number(w, "bytes_as_loaded", part->bytes_as_loaded);
  json_kv_bool(w, "is_assumed", part->is_assumed);
  json_kv_bool(w, "is_job", part->is_job);
  json_key(w, "process_graph");
  json_write_raw(w, part->wanted.graph, strlen(part->wanted.graph));
  json_end_object(w);
}

void graph_shares_explain(const struct graph_shares *shares, bool as_json, struct buffer *out)
{
  struct json_writer w = {.out = out};
  for (size_t i = 0; !as_json && i < shares->count; i++)
    explain_share_text(&shares->parts[i], out);
  if (!as_json) {
    buffer_text(out, "the rest is planned when this is here\n");
    return;
  }
  json_write_object(&w);
  json_key(&w, "elsewhere");
  json_write_array(&w);
  for (size_t i = 0; i < shares->count; i++)
    explain_share_json(&shares->parts[i], &w);
  json_end_array(&w);
  json_end_object(&w);
}
