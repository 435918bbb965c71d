/* A matcher in C: docs/semantics.md as a plain loop, behind the contract in wit/.
 *
 * matcher.h is what wit-bindgen makes of the contract. A table comes as a struct of lists, which belong to the function
 * that is called: it keeps or frees them. An answer is true, an error false. Text that goes out is a copy, because it is
 * freed afterwards.
 *
 *     pool       who takes what?
 *     check_...  are the tables what the contract asks for?
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "matcher.h"

typedef exports_offermatch_matcher_matching_shape_t shape_t;
typedef exports_offermatch_matcher_matching_settings_t settings_t;
typedef exports_offermatch_matcher_matching_offer_table_t offer_table_t;
typedef exports_offermatch_matcher_matching_task_table_t task_table_t;
typedef exports_offermatch_matcher_matching_changes_t changes_t;
typedef exports_offermatch_matcher_matching_assignments_t assignments_t;
typedef exports_offermatch_matcher_matching_explanations_t explanations_t;
typedef exports_offermatch_matcher_matching_error_t error_t;
typedef exports_offermatch_matcher_matching_pool_t pool_t;

enum { WHOLE = 1000, MOST_ROWS = 1 << 24 };

/* What is left of one offer. */
typedef struct {
  uint64_t *available;
  uint32_t *attributes;
  uint32_t *devices;
  uint32_t device_count;
  /* Its place in the list, or NOWHERE. */
  uint32_t place;
} offer_t;

#define NOWHERE UINT32_MAX

/* The offers, and the list whose order decides ties. */
struct exports_offermatch_matcher_matching_pool_t {
  shape_t shape;
  bool exclusive;
  double max_score;
  double *weights;
  double *scales;
  offer_t *offers;
  uint32_t rows;
  uint32_t *list;
  uint32_t listed;
};

/* Memory for so many items, zeroed. A matcher that finds no memory traps: the host opens another pool. */
static void *items(size_t count, size_t size) {
  void *found = calloc(count ? count : 1, size);
  if (!found) abort();
  return found;
}

static void *resized(void *items, size_t count, size_t size) {
  void *found = realloc(items, (count ? count : 1) * size);
  if (!found) abort();
  return found;
}

/* ---- errors ---------------------------------------------------------------------------------------------------- */

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

static bool check_offers(error_t *error, const offer_table_t *offers, shape_t shape) {
  uint64_t cells = (uint64_t)offers->rows * shape.dimensions;
  if (!check_rows(error, offers->rows)) return false;
  if (!check_length(error, "available", offers->available.len, cells)) return false;
  if (!check_length_or_empty(error, "capacity", offers->capacity.len, cells)) return false;
  for (size_t at = 0; at < offers->capacity.len; at++) {
    uint64_t available = offers->available.ptr[at], capacity = offers->capacity.ptr[at];
    if (available > capacity) return out_of_range(error, "available", at / shape.dimensions, available, 0, capacity);
  }
  if (!check_length(error, "attributes", offers->attributes.len, (uint64_t)offers->rows * shape.attributes)) return false;
  if (!check_offsets(error, "device-offsets", &offers->device_offsets, offers->rows, "device-free", offers->device_free.len))
    return false;
  for (size_t at = 0; at < offers->device_free.len; at++)
    if (offers->device_free.ptr[at] > WHOLE)
      return out_of_range(error, "device-free", at, offers->device_free.ptr[at], 0, WHOLE);
  return true;
}

static bool check_tasks(error_t *error, const task_table_t *tasks, shape_t shape) {
  const matcher_list_u32_t *asked = &tasks->requirement_attributes;
  if (!check_rows(error, tasks->rows)) return false;
  if (!check_length(error, "demand", tasks->demand.len, (uint64_t)tasks->rows * shape.dimensions)) return false;
  if (!check_length_or_empty(error, "devices", tasks->devices.len, tasks->rows)) return false;
  for (size_t row = 0; row < tasks->devices.len; row++) {
    uint32_t devices = tasks->devices.ptr[row];
    if (devices <= WHOLE || devices % WHOLE == 0) continue;
    out_of_range(error, "devices", row, devices, 0, UINT32_MAX - UINT32_MAX % WHOLE);
    error->tag = EXPORTS_OFFERMATCH_MATCHER_MATCHING_ERROR_BROKEN_DEVICES;
    return false;
  }
  if (!check_offsets(error, "requirement-offsets", &tasks->requirement_offsets, tasks->rows, "requirement-attributes",
                     asked->len))
    return false;
  if (!check_length(error, "requirement-excludes", tasks->requirement_excludes.len, asked->len)) return false;
  if (!check_offsets(error, "value-offsets", &tasks->value_offsets, asked->len, "values", tasks->values.len)) return false;
  for (size_t at = 0; at < asked->len; at++)
    if (asked->ptr[at] >= shape.attributes)
      return out_of_range(error, "requirement-attributes", at, asked->ptr[at], 0,
                          shape.attributes ? shape.attributes - 1 : 0);
  for (size_t at = 0; at < tasks->values.len; at++)
    if (tasks->values.ptr[at] == 0) return out_of_range(error, "values", at, 0, 1, UINT32_MAX);
  return true;
}

static int by_number(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

static bool check_changes(error_t *error, const changes_t *changes, const pool_t *pool) {
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
  return true;
}

/* ---- offers and the list --------------------------------------------------------------------------------------- */

/* Gives an offer the values of a row of a checked table. */
static void set_offer(offer_t *offer, const offer_table_t *table, size_t row, shape_t shape) {
  uint32_t begin = 0, end = 0;
  if (table->device_offsets.len) {
    begin = table->device_offsets.ptr[row];
    end = table->device_offsets.ptr[row + 1];
  }
  offer->available = resized(offer->available, shape.dimensions, sizeof *offer->available);
  offer->attributes = resized(offer->attributes, shape.attributes, sizeof *offer->attributes);
  offer->devices = resized(offer->devices, end - begin, sizeof *offer->devices);
  for (size_t at = 0; at < shape.dimensions; at++) offer->available[at] = table->available.ptr[row * shape.dimensions + at];
  for (size_t at = 0; at < shape.attributes; at++) offer->attributes[at] = table->attributes.ptr[row * shape.attributes + at];
  for (size_t at = begin; at < end; at++) offer->devices[at - begin] = table->device_free.ptr[at];
  offer->device_count = end - begin;
}

static void list(pool_t *pool, uint32_t row) {
  pool->offers[row].place = pool->listed;
  pool->list[pool->listed++] = row;
}

/* Takes an offer out of the list, if it is there: the last one moves into its place. */
static void unlist(pool_t *pool, uint32_t row) {
  uint32_t place = pool->offers[row].place;
  if (place == NOWHERE) return;
  uint32_t last = pool->list[--pool->listed];
  pool->list[place] = last;
  pool->offers[last].place = place;
  pool->offers[row].place = NOWHERE;
}

static void append(pool_t *pool, const offer_table_t *table) {
  size_t rows = (size_t)pool->rows + table->rows;
  pool->offers = resized(pool->offers, rows, sizeof *pool->offers);
  pool->list = resized(pool->list, rows, sizeof *pool->list);
  for (uint32_t row = 0; row < table->rows; row++) {
    offer_t *offer = &pool->offers[pool->rows];
    memset(offer, 0, sizeof *offer);
    set_offer(offer, table, row, pool->shape);
    list(pool, pool->rows++);
  }
}

/* ---- what a task asks ------------------------------------------------------------------------------------------- */

static uint32_t devices_asked(const task_table_t *tasks, size_t row) { return tasks->devices.len ? tasks->devices.ptr[row] : 0; }

/* The first dimension in which the offer has too little, or their number. */
static size_t too_short(const pool_t *pool, const offer_t *offer, const task_table_t *tasks, size_t row) {
  const uint64_t *demand = tasks->demand.ptr + row * pool->shape.dimensions;
  size_t dimension = 0;
  while (dimension < pool->shape.dimensions && demand[dimension] <= offer->available[dimension]) dimension++;
  return dimension;
}

/* Whether an offer fails a requirement. An unset value is 0, and 0 is in no set. */
static bool refuses(const offer_t *offer, const task_table_t *tasks, size_t requirement) {
  uint32_t value = offer->attributes[tasks->requirement_attributes.ptr[requirement]];
  bool is_in = false;
  if (tasks->value_offsets.len)
    for (size_t at = tasks->value_offsets.ptr[requirement]; at < tasks->value_offsets.ptr[requirement + 1]; at++)
      is_in |= tasks->values.ptr[at] == value;
  return is_in == tasks->requirement_excludes.ptr[requirement];
}

/* The first requirement of a task that the offer fails, or where they end. */
static size_t refusing(const offer_t *offer, const task_table_t *tasks, size_t row) {
  if (!tasks->requirement_offsets.len) return 0;
  size_t at = tasks->requirement_offsets.ptr[row], end = tasks->requirement_offsets.ptr[row + 1];
  while (at < end && !refuses(offer, tasks, at)) at++;
  return at;
}

static size_t requirements_end(const task_table_t *tasks, size_t row) {
  return tasks->requirement_offsets.len ? tasks->requirement_offsets.ptr[row + 1] : 0;
}

/* Whether one device has the share that is asked, or enough devices are entirely free. */
static bool devices_serve(const offer_t *offer, uint32_t asked) {
  if (asked == 0) return true;
  uint32_t serving = 0;
  for (uint32_t at = 0; at < offer->device_count; at++) serving += offer->devices[at] >= (asked < WHOLE ? asked : WHOLE);
  return asked < WHOLE ? serving > 0 : serving >= asked / WHOLE;
}

/* The score of an offer that can take the task, term by term in the order of the contract. */
static double score(const pool_t *pool, const offer_t *offer, const task_table_t *tasks, size_t row) {
  const uint64_t *demand = tasks->demand.ptr + row * pool->shape.dimensions;
  double sum = 0.0;
  size_t last = pool->shape.dimensions;
  for (size_t at = 0; at < last; at++)
    sum += pool->weights[at] * (double)(offer->available[at] - demand[at]) / pool->scales[at];
  uint64_t free_thousandths = 0;
  for (uint32_t at = 0; at < offer->device_count; at++) free_thousandths += offer->devices[at];
  return sum + pool->weights[last] * (double)(free_thousandths - devices_asked(tasks, row)) / pool->scales[last];
}

static void take(const pool_t *pool, offer_t *offer, const task_table_t *tasks, size_t row) {
  const uint64_t *demand = tasks->demand.ptr + row * pool->shape.dimensions;
  for (size_t at = 0; at < pool->shape.dimensions; at++) offer->available[at] -= demand[at];
  uint32_t asked = devices_asked(tasks, row);
  if (asked >= WHOLE) {
    uint32_t left = asked / WHOLE;
    for (uint32_t at = 0; left > 0; at++)
      if (offer->devices[at] == WHOLE) {
        offer->devices[at] = 0;
        left--;
      }
  } else if (asked > 0) {
    /* From the tightest device that holds the share, the lowest number among equals. */
    uint32_t tightest = NOWHERE;
    for (uint32_t at = 0; at < offer->device_count; at++)
      if (offer->devices[at] >= asked && (tightest == NOWHERE || offer->devices[at] < offer->devices[tightest])) tightest = at;
    offer->devices[tightest] -= asked;
  }
}

/* ---- the contract ---------------------------------------------------------------------------------------------- */

void exports_offermatch_matcher_matching_describe(exports_offermatch_matcher_matching_description_t *ret) {
  matcher_string_dup(&ret->name, "best-fit-c");
  matcher_string_dup(&ret->version, "0.1.0");
  matcher_string_dup(&ret->policy, "best-fit");
  matcher_string_dup(&ret->contract, "0.2.0");
  ret->modes.len = 2;
  ret->modes.ptr = items(2, sizeof *ret->modes.ptr);
  ret->modes.ptr[0] = EXPORTS_OFFERMATCH_MATCHER_MATCHING_MODE_EXCLUSIVE;
  ret->modes.ptr[1] = EXPORTS_OFFERMATCH_MATCHER_MATCHING_MODE_SHARED;
}

/* The largest capacity in a dimension, or, behind the last dimension, of devices. */
static uint64_t largest(const pool_t *pool, const offer_table_t *offers, size_t at) {
  const matcher_list_u64_t *capacity = offers->capacity.len ? &offers->capacity : &offers->available;
  size_t width = pool->shape.dimensions;
  uint64_t most = 0;
  for (size_t row = 0; row < offers->rows; row++) {
    uint64_t has = at < width ? capacity->ptr[row * width + at] : (uint64_t)WHOLE * pool->offers[row].device_count;
    if (has > most) most = has;
  }
  return most;
}

/* This matcher tells of no spans, whether calls are traced or not. */
void exports_offermatch_matcher_matching_set_traced(bool traced) { (void)traced; }

bool exports_offermatch_matcher_matching_static_pool_open(shape_t *shape, offer_table_t *offers, settings_t *settings,
                                                          exports_offermatch_matcher_matching_own_pool_t *ret, error_t *err) {
  uint64_t terms = (uint64_t)shape->dimensions + 1;
  bool good = check_usable(err, "max-score", &settings->max_score, 1) &&
              check_length_or_empty(err, "weights", settings->weights.len, terms) &&
              check_length_or_empty(err, "scales", settings->scales.len, terms) &&
              check_usable(err, "weights", settings->weights.ptr, settings->weights.len) && check_offers(err, offers, *shape);
  if (good) {
    pool_t *pool = items(1, sizeof *pool);
    pool->shape = *shape;
    pool->exclusive = settings->mode == EXPORTS_OFFERMATCH_MATCHER_MATCHING_MODE_EXCLUSIVE;
    pool->max_score = settings->max_score;
    append(pool, offers);
    pool->weights = items(terms, sizeof *pool->weights);
    pool->scales = items(terms, sizeof *pool->scales);
    for (size_t at = 0; at < terms; at++) {
      uint64_t scale = settings->scales.len ? settings->scales.ptr[at] : 0;
      if (scale == 0) scale = largest(pool, offers, at);
      pool->scales[at] = (double)(scale ? scale : 1);
      pool->weights[at] = settings->weights.len ? settings->weights.ptr[at] : 1.0;
    }
    *ret = exports_offermatch_matcher_matching_pool_new(pool);
  }
  exports_offermatch_matcher_matching_offer_table_free(offers);
  exports_offermatch_matcher_matching_settings_free(settings);
  return good;
}

bool exports_offermatch_matcher_matching_method_pool_assign(pool_t *pool, task_table_t *tasks, assignments_t *ret,
                                                            error_t *err) {
  bool good = check_tasks(err, tasks, pool->shape);
  if (good) {
    ret->tasks.ptr = items(tasks->rows, sizeof *ret->tasks.ptr);
    ret->offers.ptr = items(tasks->rows, sizeof *ret->offers.ptr);
    ret->scores.ptr = items(tasks->rows, sizeof *ret->scores.ptr);
    size_t placed = 0;
    for (uint32_t row = 0; row < tasks->rows; row++) {
      uint32_t best = NOWHERE;
      double lowest = pool->max_score;
      for (uint32_t place = 0; place < pool->listed; place++) {
        const offer_t *offer = &pool->offers[pool->list[place]];
        if (too_short(pool, offer, tasks, row) < pool->shape.dimensions ||
            refusing(offer, tasks, row) < requirements_end(tasks, row) || !devices_serve(offer, devices_asked(tasks, row)))
          continue;
        double found = score(pool, offer, tasks, row);
        if (found < lowest) {
          best = pool->list[place];
          lowest = found;
        }
      }
      if (best == NOWHERE) continue;
      ret->tasks.ptr[placed] = row;
      ret->offers.ptr[placed] = best;
      ret->scores.ptr[placed++] = lowest;
      if (pool->exclusive)
        unlist(pool, best);
      else
        take(pool, &pool->offers[best], tasks, row);
    }
    ret->tasks.len = ret->offers.len = ret->scores.len = placed;
  }
  exports_offermatch_matcher_matching_task_table_free(tasks);
  return good;
}

bool exports_offermatch_matcher_matching_method_pool_update(pool_t *pool, changes_t *changes, error_t *err) {
  bool good = check_changes(err, changes, pool);
  if (good) {
    for (size_t at = 0; at < changes->removed.len; at++) unlist(pool, changes->removed.ptr[at]);
    for (size_t at = 0; at < changes->changed_rows.len; at++) {
      uint32_t row = changes->changed_rows.ptr[at];
      set_offer(&pool->offers[row], &changes->changed, at, pool->shape);
      if (pool->offers[row].place == NOWHERE) list(pool, row);
    }
    append(pool, &changes->added);
  }
  exports_offermatch_matcher_matching_changes_free(changes);
  return good;
}

/* A column of zeros that goes out. An empty one has no memory: what comes back of it is not freed. */
static void zeros(matcher_list_u32_t *column, size_t count) {
  column->len = count;
  column->ptr = count ? items(count, sizeof *column->ptr) : NULL;
}

bool exports_offermatch_matcher_matching_method_pool_explain(pool_t *pool, task_table_t *tasks, explanations_t *ret,
                                                             error_t *err) {
  bool good = check_tasks(err, tasks, pool->shape);
  if (good) {
    size_t width = pool->shape.dimensions;
    zeros(&ret->by_dimension, tasks->rows * width);
    zeros(&ret->by_requirement, tasks->requirement_attributes.len);
    zeros(&ret->by_devices, tasks->rows);
    zeros(&ret->by_score, tasks->rows);
    zeros(&ret->candidates, tasks->rows);
    for (uint32_t row = 0; row < tasks->rows; row++) {
      for (uint32_t place = 0; place < pool->listed; place++) {
        const offer_t *offer = &pool->offers[pool->list[place]];
        size_t dimension = too_short(pool, offer, tasks, row), requirement = refusing(offer, tasks, row);
        if (dimension < width)
          ret->by_dimension.ptr[row * width + dimension]++;
        else if (requirement < requirements_end(tasks, row))
          ret->by_requirement.ptr[requirement]++;
        else if (!devices_serve(offer, devices_asked(tasks, row)))
          ret->by_devices.ptr[row]++;
        else if (!(score(pool, offer, tasks, row) < pool->max_score))
          ret->by_score.ptr[row]++;
        else
          ret->candidates.ptr[row]++;
      }
    }
  }
  exports_offermatch_matcher_matching_task_table_free(tasks);
  return good;
}

void exports_offermatch_matcher_matching_pool_destructor(pool_t *pool) {
  for (uint32_t row = 0; row < pool->rows; row++) {
    free(pool->offers[row].available);
    free(pool->offers[row].attributes);
    free(pool->offers[row].devices);
  }
  free(pool->offers);
  free(pool->list);
  free(pool->weights);
  free(pool->scales);
  free(pool);
}
