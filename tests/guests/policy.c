/* A policy that misbehaves as the demand says: what the host makes of it is in tests/test_misbehaving_guests.py. */

#include <stdlib.h>

#include "policy.h"

const char *const matcher_name = "misbehaving", *const matcher_version = "0.1.0", *const policy_name = "misbehaving";

static double calls;
static volatile uint64_t none;

double policy_score(const ranking_t *ranking, const task_t *task, const offer_t *offer) {
  (void)ranking;
  switch (task->demand[0]) {
    case 9001:
      abort();
    case 9002:
      __builtin_trap();
    case 9003:
      return (double)(offer->available[0] / none);
    case 9004:
      return *(volatile double *)UINTPTR_MAX;
    case 9005:
      return ++calls;
    default:
      return 0.0;
  }
}
