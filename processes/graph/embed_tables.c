/* Each table is written after the tables that it points to; its name is a number. */
#include "processes/graph/embed_tables.h"

#include "processes/graph/compile.h"
#include "processes/graph/json.h"

#include <stdlib.h>
#include <string.h>

int embed_compile(struct arena *arena, const char *text, size_t length, bool has_row, struct process_entry *out,
                  struct error *error)
{
  json_t *json;
  if (!has_row)
    return process_define(arena, text, length, out, error);
  if (json_read(text, length, false, &json, error) != 0)
    return -1;
  const char *id = json_string_value(json_object_get(json, "id"));
  *out = (struct process_entry){.id = arena_strdup(arena, id == NULL ? "" : id)};
  int status = out->id == NULL ? error_memory(error)
                               : signature_compile(arena, json_object_get(json, "parameters"), &out->signature, error);
  json_decref(json);
  return status;
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

static void write_text(struct table_writer *w, const char *text)
{
  if (text == NULL) {
    fputs("NULL", w->out);
    return;
  }
  fputc('"', w->out);
  for (const unsigned char *c = (const unsigned char *)text; *c; c++)
    if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\' || *c == '?')
      fprintf(w->out, "\\%03o", *c);
    else
      fputc(*c, w->out);
  fputc('"', w->out);
}

/* The numbers of the tables that the items of a table point to; there is nothing to go on with without memory. */
static unsigned *new_numbers(size_t count)
{
  unsigned *numbers = calloc(count + 1, sizeof *numbers);
  if (numbers == NULL)
    abort();
  return numbers;
}

static unsigned write_texts(struct table_writer *w, const char *const *texts, size_t count)
{
  if (count == 0)
    return 0;
  fprintf(w->out, "static const char *const table_%u[] = {", ++w->names);
  for (size_t i = 0; i < count; i++) {
    write_text(w, texts[i]);
    fputs(", ", w->out);
  }
  fputs("};\n", w->out);
  return w->names;
}

/* ".member = table_n, " unless there is no table. */
static void write_reference(struct table_writer *w, const char *member, unsigned table)
{
  if (table != 0)
    fprintf(w->out, ".%s = table_%u, ", member, table);
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static unsigned write_values(struct table_writer *w, const struct value *values, size_t count);

/* `items`, `keys`: tables of the value's parts, written before. */
static void write_value(struct table_writer *w, const struct value *value, unsigned items, unsigned keys)
{
  fprintf(w->out, "{.kind = %d, .boolean = %d, .number = %a, .count = %zu, .weight = %zu, ", (int)value->kind,
          value->boolean, value->number, value->count, value->weight);
  if (value->text != NULL) {
    fputs(".text = ", w->out);
    write_text(w, value->text);
    fputs(", ", w->out);
  }
  write_reference(w, "items", items);
  write_reference(w, "keys", keys);
  fputs("}", w->out);
}

static unsigned write_keys(struct table_writer *w, const struct value *value)
{
  return value->kind == VALUE_OBJECT ? write_texts(w, value->keys, value->count) : 0;
}

static unsigned write_values(struct table_writer *w, const struct value *values, size_t count)
{
  unsigned *items = new_numbers(count), *keys = new_numbers(count), table = 0;
  for (size_t i = 0; i < count; i++) {
    items[i] = write_values(w, values[i].items, values[i].count);
    keys[i] = write_keys(w, &values[i]);
  }
  if (count > 0) {
    table = ++w->names;
    fprintf(w->out, "static const struct value table_%u[] = {", table);
    for (size_t i = 0; i < count; i++) {
      write_value(w, &values[i], items[i], keys[i]);
      fputs(", ", w->out);
    }
    fputs("};\n", w->out);
  }
  free(items);
  free(keys);
  return table;
}

/* ---- schemas ---------------------------------------------------------------------------------------------------- */

struct schema_tables {
  unsigned enumeration, required, items, alternatives;
};

static void write_schema(struct table_writer *w, const struct schema *s, const struct schema_tables *tables)
{
  fprintf(w->out, "{.types = %u, .subtype = ", s->types);
  write_text(w, s->subtype);
  fprintf(w->out, ", .takes_graph = %d, .takes_cube = %d, .takes_labelled = %d, .takes_geojson = %d, ", s->takes_graph,
          s->takes_cube, s->takes_labelled, s->takes_geojson);
  fprintf(w->out, ".bounds = %u, .bound = {", s->bounds);
  for (size_t i = 0; i < BOUND_COUNT; i++)
    fprintf(w->out, "%a, ", s->bound[i]);
  fprintf(w->out,
          "}, .least = %zu, .most = %zu, .enumeration_count = %zu, .required_count = %zu, .alternative_count = %zu, ",
          s->least, s->most, s->enumeration_count, s->required_count, s->alternative_count);
  write_reference(w, "enumeration", tables->enumeration);
  write_reference(w, "required", tables->required);
  write_reference(w, "items", tables->items);
  write_reference(w, "alternatives", tables->alternatives);
  fputs("}", w->out);
}

static unsigned write_schemas(struct table_writer *w, const struct schema *schemas, size_t count)
{
  struct schema_tables *tables = calloc(count + 1, sizeof *tables);
  if (tables == NULL)
    abort();
  for (size_t i = 0; i < count; i++)
    tables[i] = (struct schema_tables){
        .enumeration = write_values(w, schemas[i].enumeration, schemas[i].enumeration_count),
        .required = write_texts(w, schemas[i].required, schemas[i].required_count),
        .items = write_schemas(w, schemas[i].items, schemas[i].items != NULL),
        .alternatives = write_schemas(w, schemas[i].alternatives, schemas[i].alternative_count),
    };
  unsigned table = count > 0 ? ++w->names : 0;
  if (count > 0)
    fprintf(w->out, "static const struct schema table_%u[] = {", table);
  for (size_t i = 0; i < count; i++) {
    write_schema(w, &schemas[i], &tables[i]);
    fputs(i + 1 < count ? ", " : "};\n", w->out);
  }
  free(tables);
  return table;
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

struct parameter_tables {
  unsigned schema, names, items, keys;
};

static void write_parameter(struct table_writer *w, const struct parameter *p, const struct parameter_tables *tables)
{
  fputs("  {.name = ", w->out);
  write_text(w, p->name);
  fprintf(w->out,
          ", .optional = %d, .has_default = %d, .cost = %zu, .callback_parameter_count = %zu, .default_value = ",
          p->optional, p->has_default, p->cost, p->callback_parameter_count);
  write_value(w, &p->default_value, tables->items, tables->keys);
  fputs(", ", w->out);
  write_reference(w, "schema", tables->schema);
  write_reference(w, "callback_parameters", tables->names);
  fputs("},\n", w->out);
}

static void write_parameters(struct table_writer *w, const char *id, const struct signature *signature)
{
  struct parameter_tables *tables = calloc(signature->count + 1, sizeof *tables);
  if (tables == NULL)
    abort();
  for (size_t i = 0; i < signature->count; i++) {
    const struct parameter *p = &signature->parameters[i];
    tables[i] = (struct parameter_tables){
        .schema = write_schemas(w, p->schema, p->schema != NULL),
        .names = write_texts(w, p->callback_parameters, p->callback_parameter_count),
        .items = write_values(w, p->default_value.items, p->default_value.count),
        .keys = write_keys(w, &p->default_value),
    };
  }
  fprintf(w->out, "static const struct parameter parameters_%s[] = {\n", id);
  for (size_t i = 0; i < signature->count; i++)
    write_parameter(w, &signature->parameters[i], &tables[i]);
  fputs("  {.name = NULL}};\n", w->out); /* C has no empty tables */
  free(tables);
}

/* ---- graphs ----------------------------------------------------------------------------------------------------- */

static unsigned write_graph(struct table_writer *w, const struct graph *graph);

struct expression_tables {
  unsigned items, keys, graph, value_items, value_keys;
};

static void write_expression(struct table_writer *w, const struct expression *e, const struct expression_tables *tables)
{
  fprintf(w->out, "{.kind = %d, .count = %zu, .callback = %zu, .name = ", (int)e->kind, e->count, e->callback);
  write_text(w, e->name);
  fputs(", .value = ", w->out);
  write_value(w, &e->value, tables->value_items, tables->value_keys);
  fputs(", ", w->out);
  write_reference(w, "items", tables->items);
  write_reference(w, "keys", tables->keys);
  if (tables->graph != 0)
    fprintf(w->out, ".graph = &table_%u, ", tables->graph);
  fputs("}", w->out);
}

static unsigned write_expressions(struct table_writer *w, const struct expression *list, size_t count)
{
  struct expression_tables *tables = calloc(count + 1, sizeof *tables);
  if (tables == NULL)
    abort();
  for (size_t i = 0; i < count; i++)
    tables[i] = (struct expression_tables){
        .items = write_expressions(w, list[i].items, list[i].count),
        .keys = list[i].kind == EXPRESSION_OBJECT ? write_texts(w, list[i].keys, list[i].count) : 0,
        .graph = list[i].kind == EXPRESSION_GRAPH ? write_graph(w, list[i].graph) : 0,
        .value_items = write_values(w, list[i].value.items, list[i].value.count),
        .value_keys = write_keys(w, &list[i].value),
    };
  unsigned table = count > 0 ? ++w->names : 0;
  if (count > 0)
    fprintf(w->out, "static const struct expression table_%u[] = {", table);
  for (size_t i = 0; i < count; i++) {
    write_expression(w, &list[i], &tables[i]);
    fputs(i + 1 < count ? ", " : "};\n", w->out);
  }
  free(tables);
  return table;
}

static void write_node(struct table_writer *w, const struct graph_node *node, unsigned arguments, unsigned names)
{
  fputs("{.id = ", w->out);
  write_text(w, node->id);
  fputs(", .process = ", w->out);
  write_text(w, node->process);
  fputs(", .space = ", w->out);
  write_text(w, node->space);
  fprintf(w->out, ", .argument_count = %zu, .callback_count = %zu, .result = %d, ", node->argument_count,
          node->callback_count, node->result);
  write_reference(w, "arguments", arguments);
  write_reference(w, "names", names);
  fputs("}", w->out);
}

/* A graph that is not the one of a spec has no id and no parameters. */
static unsigned write_graph(struct table_writer *w, const struct graph *graph)
{
  unsigned *arguments = new_numbers(graph->count), *names = new_numbers(graph->count);
  for (size_t i = 0; i < graph->count; i++) {
    arguments[i] = write_expressions(w, graph->nodes[i].arguments, graph->nodes[i].argument_count);
    names[i] = write_texts(w, graph->nodes[i].names, graph->nodes[i].argument_count);
  }
  unsigned nodes = ++w->names, sorted = ++w->names, table = ++w->names;
  fprintf(w->out, "static const struct graph_node table_%u[] = {", nodes);
  for (size_t i = 0; i < graph->count; i++) {
    write_node(w, &graph->nodes[i], arguments[i], names[i]);
    fputs(i + 1 < graph->count ? ", " : "};\n", w->out);
  }
  fprintf(w->out, "static const size_t table_%u[] = {", sorted);
  for (size_t i = 0; i < graph->count; i++)
    fprintf(w->out, "%zu, ", graph->by_id[i]);
  fprintf(w->out, "};\nstatic const struct graph table_%u = {.count = %zu, .nodes = table_%u, .by_id = table_%u};\n",
          table, graph->count, nodes, sorted);
  free(arguments);
  free(names);
  return table;
}

void embed_tables(struct table_writer *w, const struct process_entry *entry)
{
  write_parameters(w, entry->id, &entry->signature);
  if (entry->body != NULL) {
    unsigned table = write_graph(w, entry->body);
    fprintf(w->out, "#define body_%s &table_%u\n", entry->id, table);
  }
}
