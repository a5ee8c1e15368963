/* What a user-defined function gives, found before it runs on everything.
 *
 * A script may say so itself, by apply_metadata; its numbers then become doubles. Else it is called once with a small
 * part of the real data, and what it gives there decides about dimensions, labels and type: those that have the labels
 * of the part have all labels of the data later on. Where nothing may be read, or a block's elements are not known
 * before the run, the result is taken to have the data's dimensions and doubles. */
#ifndef TWINCUBE_PROCESSES_UDF_UDF_RESULT_H
#define TWINCUBE_PROCESSES_UDF_UDF_RESULT_H

#include "hpc/stage/udf_stage.h"
#include "processes/process.h"

struct udf_use {
  const struct node *input;
  struct udf *udf;
  size_t array; /* dimension of the input that the result may lack, or have with other labels; SIZE_MAX: none */
  const struct node *model; /* of the same script on other data: the result is like its one; or NULL */
  bool drops;               /* it is to lack that dimension */
  bool is_whole;            /* the result may be anything: dimensions, labels, or a plain value */
};

/* The result's cube, or a plain value as JSON: one of them is NULL. Errors: DataCubePropertiesImmutable where the
 * function changes what it must not; those of the data and of the function. */
int udf_result_find(struct call *call, const struct udf_use *use, const struct cube **cube, const char **value);

#endif
