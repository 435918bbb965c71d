/* The policy @NAME@: the offer wins that, in the dimension of which it has most left over, has least left over. */

#include "policy.h"

const char *const matcher_name = "@NAME@", *const matcher_version = "0.1.0", *const policy_name = "@NAME@";

/* The largest of weight * (available - demand) / scale over all dimensions; the lowest score wins. */
double policy_score(const ranking_t *ranking, const task_t *task, const offer_t *offer) {
  double largest = 0.0;
  for (uint32_t at = 0; at < ranking->dimensions; at++) {
    double share = ranking->weights[at] * (double)(offer->available[at] - task->demand[at]) / ranking->scales[at];
    if (share > largest) largest = share;
  }
  return largest;
}
