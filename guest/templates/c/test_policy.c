/* The policy, by hand. */

#include <stdio.h>

#include "policy.h"

static int expect(const char *what, double expected, double found) {
  printf("%s %s\n", expected == found ? "ok" : "FAILED", what);
  return expected != found;
}

/* Two dimensions: the first offer leaves 1 of 8 and 7 of 8, the second 4 of 8 in both. */
int main(void) {
  double weights[] = {1.0, 1.0, 1.0}, scales[] = {8.0, 8.0, 1.0};
  uint64_t demand[] = {1, 1}, uneven[] = {2, 8}, even[] = {5, 5};
  ranking_t ranking = {2, weights, scales};
  task_t task = {demand, 0};
  offer_t first = {.available = uneven}, second = {.available = even};
  return expect("an uneven offer", 0.875, policy_score(&ranking, &task, &first)) +
         expect("an even offer", 0.5, policy_score(&ranking, &task, &second));
}
