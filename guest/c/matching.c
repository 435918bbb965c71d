/* A matcher in C: docs/semantics.md as a plain loop, behind the contract in wit/. pool.h says what is in which file. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

/* ---- offers and the list --------------------------------------------------------------------------------------- */

/* Raises a scale that was not given to the largest capacity there has been. */
static void raise_scale(pool_t *pool, size_t at, uint64_t capacity) {
  if (pool->largest[at] == GIVEN || capacity <= pool->largest[at]) return;
  pool->largest[at] = capacity;
  pool->scales[at] = (double)capacity;
}

/* Gives an offer the values of a row of a checked table. */
static void set_offer(pool_t *pool, uint32_t number, const offer_table_t *table, size_t row) {
  offer_t *offer = &pool->offers[number];
  shape_t shape = pool->shape;
  uint32_t begin = 0, end = 0;
  if (table->device_offsets.len) {
    begin = table->device_offsets.ptr[row];
    end = table->device_offsets.ptr[row + 1];
  }
  const matcher_list_u64_t *capacity = table->capacity.len ? &table->capacity : &table->available;
  offer->available = resized(offer->available, shape.dimensions, sizeof *offer->available);
  offer->capacity = resized(offer->capacity, shape.dimensions, sizeof *offer->capacity);
  offer->attributes = resized(offer->attributes, shape.attributes, sizeof *offer->attributes);
  offer->measures = resized(offer->measures, shape.measures, sizeof *offer->measures);
  offer->devices = resized(offer->devices, end - begin, sizeof *offer->devices);
  for (size_t at = 0; at < shape.dimensions; at++) {
    offer->available[at] = table->available.ptr[row * shape.dimensions + at];
    offer->capacity[at] = capacity->ptr[row * shape.dimensions + at];
    raise_scale(pool, at, offer->capacity[at]);
  }
  for (size_t at = 0; at < shape.attributes; at++) offer->attributes[at] = table->attributes.ptr[row * shape.attributes + at];
  for (size_t at = 0; at < shape.measures; at++)
    offer->measures[at] = table->measures.len ? table->measures.ptr[row * shape.measures + at] : NAN;
  for (size_t at = begin; at < end; at++) offer->devices[at - begin] = table->device_free.ptr[at];
  offer->device_count = end - begin;
  raise_scale(pool, shape.dimensions, (uint64_t)DEVICE * offer->device_count);
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
    memset(&pool->offers[pool->rows], 0, sizeof *pool->offers);
    set_offer(pool, pool->rows, table, row);
    list(pool, pool->rows++);
  }
}

/* ---- the contract ---------------------------------------------------------------------------------------------- */

void exports_offermatch_matcher_matching_describe(exports_offermatch_matcher_matching_description_t *ret) {
  matcher_string_dup(&ret->name, matcher_name);
  matcher_string_dup(&ret->version, matcher_version);
  matcher_string_dup(&ret->policy, policy_name);
  matcher_string_dup(&ret->contract, "0.3.0");
  ret->modes.len = ret->rules.len = 2;
  ret->modes.ptr = items(2, sizeof *ret->modes.ptr);
  ret->modes.ptr[0] = EXPORTS_OFFERMATCH_MATCHER_MATCHING_MODE_EXCLUSIVE;
  ret->modes.ptr[1] = EXPORTS_OFFERMATCH_MATCHER_MATCHING_MODE_SHARED;
  ret->rules.ptr = items(2, sizeof *ret->rules.ptr);
  ret->rules.ptr[0] = EXPORTS_OFFERMATCH_MATCHER_MATCHING_RULE_MEASURES;
  ret->rules.ptr[1] = EXPORTS_OFFERMATCH_MATCHER_MATCHING_RULE_PREFERENCES;
  ret->parameters.len = 0;
  ret->parameters.ptr = NULL;
}

/* This matcher tells of no spans, whether calls are traced or not. */
void exports_offermatch_matcher_matching_set_traced(bool traced) { (void)traced; }

bool exports_offermatch_matcher_matching_static_pool_open(shape_t *shape, offer_table_t *offers, settings_t *settings,
                                                          exports_offermatch_matcher_matching_own_pool_t *ret, error_t *err) {
  bool good = check_settings(err, settings, *shape) && check_offers(err, offers, *shape);
  if (good) {
    uint64_t terms = (uint64_t)shape->dimensions + 1;
    pool_t *pool = items(1, sizeof *pool);
    pool->shape = *shape;
    pool->exclusive = settings->mode == EXPORTS_OFFERMATCH_MATCHER_MATCHING_MODE_EXCLUSIVE;
    pool->max_score = settings->max_score.is_some ? settings->max_score.val : INFINITY;
    pool->weights = items(terms, sizeof *pool->weights);
    pool->scales = items(terms, sizeof *pool->scales);
    pool->largest = items(terms, sizeof *pool->largest);
    for (size_t at = 0; at < terms; at++) {
      uint64_t scale = settings->scales.len ? settings->scales.ptr[at] : 0;
      pool->largest[at] = scale ? GIVEN : 1;
      pool->scales[at] = (double)(scale ? scale : 1);
      pool->weights[at] = settings->weights.len ? settings->weights.ptr[at] : 1.0;
    }
    pool->ranking = (ranking_t){shape->dimensions, pool->weights, pool->scales};
    append(pool, offers);
    *ret = exports_offermatch_matcher_matching_pool_new(pool);
  }
  exports_offermatch_matcher_matching_offer_table_free(offers);
  exports_offermatch_matcher_matching_settings_free(settings);
  return good;
}

/* The row of the listed offer with the lowest score, the first among equals, or NOWHERE. */
static uint32_t best(const pool_t *pool, const task_table_t *tasks, size_t row, double *lowest) {
  uint32_t found = NOWHERE;
  *lowest = pool->max_score;
  for (uint32_t place = 0; place < pool->listed; place++) {
    const offer_t *offer = &pool->offers[pool->list[place]];
    if (!can_take(pool, tasks, row, offer)) continue;
    double its = score(pool, tasks, row, offer);
    if (its < *lowest) {
      found = pool->list[place];
      *lowest = its;
    }
  }
  return found;
}

bool exports_offermatch_matcher_matching_method_pool_assign(pool_t *pool, task_table_t *tasks, assignments_t *ret,
                                                            error_t *err) {
  bool good = check_tasks(err, tasks, pool->shape);
  if (good) {
    size_t placed = 0;
    ret->tasks.ptr = items(tasks->rows, sizeof *ret->tasks.ptr);
    ret->offers.ptr = items(tasks->rows, sizeof *ret->offers.ptr);
    ret->scores.ptr = items(tasks->rows, sizeof *ret->scores.ptr);
    for (uint32_t row = 0; row < tasks->rows; row++) {
      double lowest;
      uint32_t offer = best(pool, tasks, row, &lowest);
      if (offer == NOWHERE) continue;
      ret->tasks.ptr[placed] = row;
      ret->offers.ptr[placed] = offer;
      ret->scores.ptr[placed++] = lowest;
      if (pool->exclusive)
        unlist(pool, offer);
      else
        take(pool, tasks, row, &pool->offers[offer]);
    }
    ret->tasks.len = ret->offers.len = ret->scores.len = placed;
    if (placed == 0) {
      /* An empty list has no memory: what comes back of it is not freed. */
      free(ret->tasks.ptr);
      free(ret->offers.ptr);
      free(ret->scores.ptr);
    }
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
      set_offer(pool, row, &changes->changed, at);
      if (pool->offers[row].place == NOWHERE) list(pool, row);
    }
    append(pool, &changes->added);
  }
  exports_offermatch_matcher_matching_changes_free(changes);
  return good;
}

bool exports_offermatch_matcher_matching_method_pool_explain(pool_t *pool, task_table_t *tasks, explanations_t *ret,
                                                             error_t *err) {
  bool good = check_tasks(err, tasks, pool->shape);
  if (good) explain(pool, tasks, ret);
  exports_offermatch_matcher_matching_task_table_free(tasks);
  return good;
}

void exports_offermatch_matcher_matching_pool_destructor(pool_t *pool) {
  for (uint32_t row = 0; row < pool->rows; row++) {
    free(pool->offers[row].available);
    free(pool->offers[row].capacity);
    free(pool->offers[row].attributes);
    free(pool->offers[row].measures);
    free(pool->offers[row].devices);
  }
  free(pool->offers);
  free(pool->list);
  free(pool->weights);
  free(pool->scales);
  free(pool->largest);
  free(pool);
}
