/* What a policy is asked, and what it answers. It needs nothing of the component, so that a policy is tested by any compiler. */

#ifndef POLICY_H
#define POLICY_H

#include <stdint.h>

/* Thousandths of a device. */
#define DEVICE 1000

/* What scores are made of: one weight and one scale (at least 1) a dimension, and those of devices last. */
typedef struct {
  uint32_t dimensions;
  const double *weights;
  const double *scales;
} ranking_t;

/* What a task asks: one quantity a dimension, and device thousandths. */
typedef struct {
  const uint64_t *demand;
  uint32_t devices;
} task_t;

/* What an offer has, and what is left of it. */
typedef struct {
  uint64_t *available;
  uint64_t *capacity;
  /* Interned values; 0 is unset. */
  uint32_t *attributes;
  /* NaN is unset. */
  double *measures;
  /* The free thousandths of each device. */
  uint32_t *devices;
  uint32_t device_count;
  /* Its place in the list of the pool. */
  uint32_t place;
} offer_t;

/* What the matcher says of itself. */
extern const char *const matcher_name, *const matcher_version, *const policy_name;

/* The score of an offer that can take the task; the lowest wins. */
double policy_score(const ranking_t *ranking, const task_t *task, const offer_t *offer);

#endif
