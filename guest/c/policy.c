/* The policy: best-fit, the tightest offer wins. */

#include "policy.h"

const char *const matcher_name = "best-fit-c", *const matcher_version = "0.1.0", *const policy_name = "best-fit";

/* Subtracted in integers, then as doubles weighed and divided, term by term in the order of the contract. */
double policy_score(const ranking_t *ranking, const task_t *task, const offer_t *offer) {
  double sum = 0.0;
  uint32_t last = ranking->dimensions;
  for (uint32_t at = 0; at < last; at++)
    sum += ranking->weights[at] * (double)(offer->available[at] - task->demand[at]) / ranking->scales[at];
  uint64_t free_thousandths = 0;
  for (uint32_t at = 0; at < offer->device_count; at++) free_thousandths += offer->devices[at];
  return sum + ranking->weights[last] * (double)(free_thousandths - task->devices) / ranking->scales[last];
}
