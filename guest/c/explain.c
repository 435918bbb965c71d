/* Why tasks find, or do not find, an offer: every check that each offer fails. */

#include <math.h>
#include <stddef.h>

#include "pool.h"

/* The checks that one offer fails: how many, and which the last one is. */
typedef struct {
  uint32_t count;
  enum { DIMENSION, REQUIREMENT, DEVICES } kind;
  size_t at;
} failed_t;

/* Nothing is never missing, so that zero stands for none so far. */
#define LOWER(least, missing) \
  if ((least) == 0 || (missing) < (least)) (least) = (missing)

/* How far a measure is from the bound; 0 where no finite number says it. */
static double distance(const task_table_t *tasks, size_t requirement, const offer_t *offer) {
  if (tasks->requirement_kinds.ptr[requirement] < AT_LEAST) return 0.0;
  double found = tasks->requirement_bounds.ptr[requirement] - offer->measures[tasks->requirement_subjects.ptr[requirement]];
  return isfinite(found) ? fabs(found) : 0.0;
}

/* Whether an offer could serve a task if it were empty. */
static bool is_capable(const pool_t *pool, const task_table_t *tasks, size_t row, const offer_t *offer) {
  task_t task = task_of(tasks, row, pool->shape);
  for (size_t at = 0; at < pool->shape.dimensions; at++)
    if (task.demand[at] > offer->capacity[at]) return false;
  for (size_t at = first_requirement(tasks, row); at < first_requirement(tasks, row + 1); at++)
    if (isinf(weight_of(tasks, at)) && !holds(tasks, at, offer)) return false;
  return ((uint64_t)task.devices + DEVICE - 1) / DEVICE <= offer->device_count;
}

/* Every check that an offer fails, but for the score: counted, and the last one given back. */
static failed_t failed_by(const pool_t *pool, const task_table_t *tasks, size_t row, const offer_t *offer,
                          explanations_t *answer) {
  task_t task = task_of(tasks, row, pool->shape);
  size_t cell = row * pool->shape.dimensions;
  failed_t failed = {0, DIMENSION, 0};
  for (size_t at = 0; at < pool->shape.dimensions; at++) {
    if (task.demand[at] <= offer->available[at]) continue;
    answer->dimension_fails.ptr[cell + at]++;
    failed = (failed_t){failed.count + 1, DIMENSION, at};
  }
  for (size_t at = first_requirement(tasks, row); at < first_requirement(tasks, row + 1); at++) {
    if (holds(tasks, at, offer)) continue;
    answer->requirement_fails.ptr[at]++;
    /* Nothing fails a preference. */
    if (isinf(weight_of(tasks, at))) failed = (failed_t){failed.count + 1, REQUIREMENT, at};
  }
  if (devices_missing(offer, task.devices)) {
    answer->devices_fails.ptr[row]++;
    failed = (failed_t){failed.count + 1, DEVICES, 0};
  }
  return failed;
}

/* Counts an offer that fails one check. */
static void count_alone(failed_t failed, const pool_t *pool, const task_table_t *tasks, size_t row, const offer_t *offer,
                        explanations_t *answer) {
  task_t task = task_of(tasks, row, pool->shape);
  size_t cell = row * pool->shape.dimensions + failed.at;
  switch (failed.kind) {
    case DIMENSION:
      answer->dimension_alone.ptr[cell]++;
      LOWER(answer->dimension_missing.ptr[cell], task.demand[failed.at] - offer->available[failed.at]);
      break;
    case REQUIREMENT:
      answer->requirement_alone.ptr[failed.at]++;
      if (distance(tasks, failed.at, offer) > 0.0)
        LOWER(answer->requirement_missing.ptr[failed.at], distance(tasks, failed.at, offer));
      break;
    case DEVICES:
      answer->devices_alone.ptr[row]++;
      LOWER(answer->devices_missing.ptr[row], devices_missing(offer, task.devices));
      break;
  }
}

/* Counts an offer of the list at every check that it fails. */
static void count(const pool_t *pool, const task_table_t *tasks, size_t row, const offer_t *offer, explanations_t *answer) {
  answer->capable.ptr[row] += is_capable(pool, tasks, row, offer);
  failed_t failed = failed_by(pool, tasks, row, offer, answer);
  if (failed.count == 1) count_alone(failed, pool, tasks, row, offer, answer);
  if (failed.count) return;
  double found = score(pool, tasks, row, offer);
  if (found < pool->max_score) {
    answer->candidates.ptr[row]++;
    return;
  }
  answer->score_fails.ptr[row]++;
  /* An offer at the limit misses nothing, so that infinity stands for none so far. */
  if (found - pool->max_score < answer->score_missing.ptr[row]) answer->score_missing.ptr[row] = found - pool->max_score;
}

/* A column of zeros that goes out. An empty one has no memory: what comes back of it is not freed. */
#define COLUMN(column, count) (column).ptr = ((column).len = (count)) ? items((column).len, sizeof *(column).ptr) : NULL

void explain(const pool_t *pool, const task_table_t *tasks, explanations_t *answer) {
  size_t rows = tasks->rows, cells = rows * pool->shape.dimensions, requirements = tasks->requirement_kinds.len;
  COLUMN(answer->dimension_fails, cells);
  COLUMN(answer->dimension_alone, cells);
  COLUMN(answer->dimension_missing, cells);
  COLUMN(answer->requirement_fails, requirements);
  COLUMN(answer->requirement_alone, requirements);
  COLUMN(answer->requirement_missing, requirements);
  COLUMN(answer->devices_fails, rows);
  COLUMN(answer->devices_alone, rows);
  COLUMN(answer->devices_missing, rows);
  /* No task belongs to a group. */
  COLUMN(answer->together_fails, rows);
  COLUMN(answer->together_alone, rows);
  COLUMN(answer->limit_fails, 0);
  COLUMN(answer->limit_alone, 0);
  COLUMN(answer->score_fails, rows);
  COLUMN(answer->score_missing, rows);
  COLUMN(answer->candidates, rows);
  COLUMN(answer->capable, rows);
  COLUMN(answer->members_placed, tasks->groups.rows);
  for (size_t row = 0; row < rows; row++) {
    answer->score_missing.ptr[row] = INFINITY;
    for (uint32_t place = 0; place < pool->listed; place++)
      count(pool, tasks, row, &pool->offers[pool->list[place]], answer);
    if (isinf(answer->score_missing.ptr[row])) answer->score_missing.ptr[row] = 0.0;
  }
}
