/* Whether an offer can take a task, and what the task uses. */

#include <math.h>
#include <stdlib.h>

#include "pool.h"

void *items(uint64_t count, size_t size) {
  void *found = count <= SIZE_MAX ? calloc(count ? (size_t)count : 1, size) : NULL;
  if (!found) abort();
  return found;
}

void *resized(void *items, size_t count, size_t size) {
  void *found = realloc(items, (count ? count : 1) * size);
  if (!found) abort();
  return found;
}

task_t task_of(const task_table_t *tasks, size_t row, shape_t shape) {
  return (task_t){tasks->demand.ptr + row * shape.dimensions, tasks->devices.len ? tasks->devices.ptr[row] : 0};
}

size_t first_requirement(const task_table_t *tasks, size_t row) {
  return tasks->requirement_offsets.len ? tasks->requirement_offsets.ptr[row] : 0;
}

double weight_of(const task_table_t *tasks, size_t requirement) {
  return tasks->requirement_weights.len ? tasks->requirement_weights.ptr[requirement] : INFINITY;
}

bool holds(const task_table_t *tasks, size_t requirement, const offer_t *offer) {
  uint32_t kind = tasks->requirement_kinds.ptr[requirement], subject = tasks->requirement_subjects.ptr[requirement];
  /* An unset measure is NaN, which is neither more nor less. */
  if (kind == AT_LEAST) return offer->measures[subject] >= tasks->requirement_bounds.ptr[requirement];
  if (kind == AT_MOST) return offer->measures[subject] <= tasks->requirement_bounds.ptr[requirement];
  /* An unset attribute is 0, and 0 is in no set. */
  bool is_in = false;
  if (tasks->value_offsets.len)
    for (size_t at = tasks->value_offsets.ptr[requirement]; at < tasks->value_offsets.ptr[requirement + 1]; at++)
      is_in |= tasks->values.ptr[at] == offer->attributes[subject];
  return is_in == (kind == IN);
}

uint32_t devices_missing(const offer_t *offer, uint32_t asked) {
  if (asked == 0) return 0;
  uint32_t most = 0, whole = 0;
  for (uint32_t at = 0; at < offer->device_count; at++) {
    if (offer->devices[at] > most) most = offer->devices[at];
    whole += offer->devices[at] == DEVICE;
  }
  if (asked < DEVICE) return asked > most ? asked - most : 0;
  return asked / DEVICE > whole ? asked - whole * DEVICE : 0;
}

bool can_take(const pool_t *pool, const task_table_t *tasks, size_t row, const offer_t *offer) {
  task_t task = task_of(tasks, row, pool->shape);
  for (size_t at = 0; at < pool->shape.dimensions; at++)
    if (task.demand[at] > offer->available[at]) return false;
  for (size_t at = first_requirement(tasks, row); at < first_requirement(tasks, row + 1); at++)
    if (isinf(weight_of(tasks, at)) && !holds(tasks, at, offer)) return false;
  return devices_missing(offer, task.devices) == 0;
}

double score(const pool_t *pool, const task_table_t *tasks, size_t row, const offer_t *offer) {
  task_t task = task_of(tasks, row, pool->shape);
  double sum = policy_score(&pool->ranking, &task, offer);
  for (size_t at = first_requirement(tasks, row); at < first_requirement(tasks, row + 1); at++)
    if (!isinf(weight_of(tasks, at)) && !holds(tasks, at, offer)) sum += weight_of(tasks, at);
  return sum;
}

void take(const pool_t *pool, const task_table_t *tasks, size_t row, offer_t *offer) {
  task_t task = task_of(tasks, row, pool->shape);
  for (size_t at = 0; at < pool->shape.dimensions; at++) offer->available[at] -= task.demand[at];
  if (task.devices >= DEVICE) {
    uint32_t left = task.devices / DEVICE;
    for (uint32_t at = 0; left > 0; at++)
      if (offer->devices[at] == DEVICE) {
        offer->devices[at] = 0;
        left--;
      }
  } else if (task.devices > 0) {
    /* From the tightest device that holds the share, the lowest number among equals. */
    uint32_t tightest = NOWHERE;
    for (uint32_t at = 0; at < offer->device_count; at++)
      if (offer->devices[at] >= task.devices && (tightest == NOWHERE || offer->devices[at] < offer->devices[tightest]))
        tightest = at;
    offer->devices[tightest] -= task.devices;
  }
}
