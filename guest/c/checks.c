/* Are the tables what the contract asks for? What is not is refused before anything is touched. */

#include <math.h>
#include <stdlib.h>

#include "pool.h"

enum { MOST_ROWS = 1 << 24 };

static bool out_of_range(error_t *error, const char *column, size_t row, uint64_t value, uint64_t least, uint64_t most) {
  error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_OUT_OF_RANGE;
  matcher_string_dup(&error->val.out_of_range.column, column);
  error->val.out_of_range.row = (uint32_t)row;
  error->val.out_of_range.value = value;
  error->val.out_of_range.minimum = least;
  error->val.out_of_range.maximum = most;
  return false;
}

static bool check_length(error_t *error, const char *column, size_t found, uint64_t expected) {
  if (found == expected) return true;
  error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_COLUMN_LENGTH;
  matcher_string_dup(&error->val.column_length.column, column);
  error->val.column_length.expected = expected;
  error->val.column_length.found = found;
  return false;
}

static bool check_length_or_empty(error_t *error, const char *column, size_t found, uint64_t expected) {
  return found == 0 || check_length(error, column, found, expected);
}

static bool check_rows(error_t *error, uint64_t asked) {
  if (asked <= MOST_ROWS) return true;
  error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_TOO_MANY_ROWS;
  error->val.too_many_rows.asked = asked;
  error->val.too_many_rows.limit = MOST_ROWS;
  return false;
}

static bool check_usable(error_t *error, const char *setting, const double *values, size_t count) {
  for (size_t at = 0; at < count; at++) {
    if (isfinite(values[at]) && values[at] >= 0.0) continue;
    error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_BAD_SETTING;
    matcher_string_dup(&error->val.bad_setting.setting, setting);
    error->val.bad_setting.position = (uint32_t)at;
    error->val.bad_setting.value = values[at];
    return false;
  }
  return true;
}

/* NaN is not within anything. */
static bool check_number(error_t *error, const char *column, size_t row, double value, double least) {
  if (value >= least) return true;
  error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_BAD_NUMBER;
  matcher_string_dup(&error->val.bad_number.column, column);
  error->val.bad_number.row = (uint32_t)row;
  error->val.bad_number.value = value;
  error->val.bad_number.minimum = least;
  error->val.bad_number.maximum = INFINITY;
  return false;
}

static bool check_served(error_t *error, uint8_t rule, bool is_used) {
  if (!is_used) return true;
  error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_UNSUPPORTED_RULE;
  error->val.unsupported_rule = rule;
  return false;
}

/* Refuses offsets that fall, begin above zero or do not end at the length of their column. */
static bool check_offsets(error_t *error, const char *column, const matcher_list_u32_t *offsets, uint64_t rows,
                          const char *flat_column, size_t flat) {
  if (offsets->len == 0) return check_length(error, flat_column, flat, 0);
  if (!check_length(error, column, offsets->len, rows + 1)) return false;
  uint32_t least = 0, most = 0;
  for (size_t at = 0; at < offsets->len; at++) {
    uint32_t offset = offsets->ptr[at];
    if (offset < least || offset > most) return out_of_range(error, column, at, offset, least, most);
    least = offset;
    most = UINT32_MAX;
  }
  return check_length(error, flat_column, flat, least);
}

bool check_settings(error_t *error, const settings_t *settings, shape_t shape) {
  uint64_t terms = (uint64_t)shape.dimensions + 1;
  return (!settings->max_score.is_some || check_usable(error, "max-score", &settings->max_score.val, 1)) &&
         check_length_or_empty(error, "weights", settings->weights.len, terms) &&
         check_length_or_empty(error, "scales", settings->scales.len, terms) &&
         check_usable(error, "weights", settings->weights.ptr, settings->weights.len) &&
         check_served(error, EXPORTS_OFFERMATCH_MATCHER_MATCHING_RULE_WORKLOAD, settings->workload.is_some) &&
         /* This matcher takes none. */
         check_length(error, "parameters", settings->parameters.len, 0);
}

bool check_offers(error_t *error, const offer_table_t *offers, shape_t shape) {
  uint64_t cells = (uint64_t)offers->rows * shape.dimensions;
  if (!check_rows(error, offers->rows)) return false;
  if (!check_length(error, "available", offers->available.len, cells)) return false;
  if (!check_length_or_empty(error, "capacity", offers->capacity.len, cells)) return false;
  for (size_t at = 0; at < offers->capacity.len; at++) {
    uint64_t available = offers->available.ptr[at], capacity = offers->capacity.ptr[at];
    if (available > capacity) return out_of_range(error, "available", at / shape.dimensions, available, 0, capacity);
  }
  if (!check_length(error, "attributes", offers->attributes.len, (uint64_t)offers->rows * shape.attributes)) return false;
  if (!check_length_or_empty(error, "measures", offers->measures.len, (uint64_t)offers->rows * shape.measures)) return false;
  if (!check_offsets(error, "device-offsets", &offers->device_offsets, offers->rows, "device-free", offers->device_free.len))
    return false;
  for (size_t at = 0; at < offers->device_free.len; at++)
    if (offers->device_free.ptr[at] > DEVICE)
      return out_of_range(error, "device-free", at, offers->device_free.ptr[at], 0, DEVICE);
  return true;
}

static bool check_requirements(error_t *error, const task_table_t *tasks, shape_t shape) {
  size_t count = tasks->requirement_subjects.len;
  if (!check_offsets(error, "requirement-offsets", &tasks->requirement_offsets, tasks->rows, "requirement-subjects", count) ||
      !check_length(error, "requirement-kinds", tasks->requirement_kinds.len, count) ||
      !check_length_or_empty(error, "requirement-bounds", tasks->requirement_bounds.len, count) ||
      !check_length_or_empty(error, "requirement-weights", tasks->requirement_weights.len, count) ||
      !check_offsets(error, "value-offsets", &tasks->value_offsets, count, "values", tasks->values.len))
    return false;
  for (size_t at = 0; at < count; at++) {
    uint32_t kind = tasks->requirement_kinds.ptr[at], subject = tasks->requirement_subjects.ptr[at];
    if (kind > AT_MOST) return out_of_range(error, "requirement-kinds", at, kind, 0, AT_MOST);
    uint32_t columns = kind >= AT_LEAST ? shape.measures : shape.attributes;
    if (subject >= columns) return out_of_range(error, "requirement-subjects", at, subject, 0, columns ? columns - 1 : 0);
    if (kind >= AT_LEAST && (!check_length(error, "requirement-bounds", tasks->requirement_bounds.len, count) ||
                             !check_number(error, "requirement-bounds", at, tasks->requirement_bounds.ptr[at], -INFINITY)))
      return false;
  }
  for (size_t at = 0; at < tasks->requirement_weights.len; at++)
    if (!check_number(error, "requirement-weights", at, tasks->requirement_weights.ptr[at], 0.0)) return false;
  for (size_t at = 0; at < tasks->values.len; at++)
    if (tasks->values.ptr[at] == 0) return out_of_range(error, "values", at, 0, 1, UINT32_MAX);
  return true;
}

bool check_tasks(error_t *error, const task_table_t *tasks, shape_t shape) {
  if (!check_rows(error, tasks->rows) ||
      !check_length(error, "demand", tasks->demand.len, (uint64_t)tasks->rows * shape.dimensions) ||
      !check_length_or_empty(error, "devices", tasks->devices.len, tasks->rows))
    return false;
  for (size_t row = 0; row < tasks->devices.len; row++) {
    uint32_t devices = tasks->devices.ptr[row];
    if (devices <= DEVICE || devices % DEVICE == 0) continue;
    out_of_range(error, "devices", row, devices, 0, UINT32_MAX - UINT32_MAX % DEVICE);
    error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_BROKEN_DEVICES;
    return false;
  }
  if (!check_requirements(error, tasks, shape) || !check_length_or_empty(error, "group-of", tasks->group_of.len, tasks->rows))
    return false;
  for (size_t row = 0; row < tasks->group_of.len; row++)
    if (!check_served(error, EXPORTS_OFFERMATCH_MATCHER_MATCHING_RULE_GROUPS, tasks->group_of.ptr[row] > 0)) return false;
  return true;
}

static int by_number(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

bool check_changes(error_t *error, const changes_t *changes, const pool_t *pool) {
  const matcher_list_u32_t *named[] = {&changes->removed, &changes->changed_rows};
  static const char *const columns[] = {"removed", "changed-rows"};
  if (!check_offers(error, &changes->changed, pool->shape) || !check_offers(error, &changes->added, pool->shape)) return false;
  if (!check_length(error, "changed-rows", changes->changed_rows.len, changes->changed.rows)) return false;
  if (!check_rows(error, (uint64_t)pool->rows + changes->added.rows)) return false;
  for (int which = 0; which < 2; which++)
    for (size_t at = 0; at < named[which]->len; at++)
      if (named[which]->ptr[at] >= pool->rows)
        return out_of_range(error, columns[which], at, named[which]->ptr[at], 0, pool->rows ? pool->rows - 1 : 0);
  size_t count = named[0]->len + named[1]->len;
  uint32_t *rows = items(count, sizeof *rows);
  /* Of an empty list nothing is copied: its pointer is none. */
  for (size_t at = 0; at < count; at++)
    rows[at] = at < named[0]->len ? named[0]->ptr[at] : named[1]->ptr[at - named[0]->len];
  qsort(rows, count, sizeof *rows, by_number);
  for (size_t at = 1; at < count; at++) {
    if (rows[at] != rows[at - 1]) continue;
    error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_REPEATED_ROW;
    error->val.repeated_row = rows[at];
    free(rows);
    return false;
  }
  free(rows);
  return check_served(error, EXPORTS_OFFERMATCH_MATCHER_MATCHING_RULE_WORKLOAD, changes->workload.is_some);
}
