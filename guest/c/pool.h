/* A pool, and what the parts of the matcher ask one another.
 *
 * matcher.h is what wit-bindgen makes of the contract. A table comes as a struct of lists, which belong to the function
 * that is called: it keeps or frees them. An answer is true, an error false. Text that goes out is a copy, because it is
 * freed afterwards.
 *
 *     policy.c    what makes an offer good: the file to change
 *     matching.c  who takes what?
 *     tasks.c     whether an offer can take a task, and what it uses
 *     checks.c    are the tables what the contract asks for?
 *     explain.c   why does a task find no offer?
 */

#ifndef POOL_H
#define POOL_H

#include "matcher.h"
#include "policy.h"

typedef exports_offermatch_matcher_matching_shape_t shape_t;
typedef exports_offermatch_matcher_matching_settings_t settings_t;
typedef exports_offermatch_matcher_matching_offer_table_t offer_table_t;
typedef exports_offermatch_matcher_matching_task_table_t task_table_t;
typedef exports_offermatch_matcher_matching_changes_t changes_t;
typedef exports_offermatch_matcher_matching_assignments_t assignments_t;
typedef exports_offermatch_matcher_matching_explanations_t explanations_t;
typedef exports_offermatch_matcher_matching_error_t error_t;
typedef exports_offermatch_matcher_matching_pool_t pool_t;

/* What a requirement asks. */
enum { IN, NOT_IN, AT_LEAST, AT_MOST };

/* The place of an offer that has left the list, and no row. */
#define NOWHERE UINT32_MAX

/* No capacity that scales follow. */
#define GIVEN 0

/* The offers, and the list whose order decides ties. */
struct exports_offermatch_matcher_matching_pool_t {
  shape_t shape;
  bool exclusive;
  double max_score;
  ranking_t ranking;
  double *weights;
  double *scales;
  /* The largest capacities there have been, or GIVEN for a scale that the settings give. */
  uint64_t *largest;
  offer_t *offers;
  uint32_t rows;
  uint32_t *list;
  uint32_t listed;
};

/* ---- tasks.c ---- */

/* Memory for so many items, zeroed. A matcher that finds no memory traps: the host opens another pool. */
void *items(uint64_t count, size_t size);
void *resized(void *items, size_t count, size_t size);

task_t task_of(const task_table_t *tasks, size_t row, shape_t shape);
/* Where the requirements and preferences of a task begin, and those of the next one. */
size_t first_requirement(const task_table_t *tasks, size_t row);
/* What it costs where it does not hold; infinite for a requirement. */
double weight_of(const task_table_t *tasks, size_t requirement);
bool holds(const task_table_t *tasks, size_t requirement, const offer_t *offer);
/* The thousandths that the devices of an offer lack: of one for a share, else of whole ones. */
uint32_t devices_missing(const offer_t *offer, uint32_t asked);
bool can_take(const pool_t *pool, const task_table_t *tasks, size_t row, const offer_t *offer);
/* The policy's score and then, in order, what each preference costs that does not hold. */
double score(const pool_t *pool, const task_table_t *tasks, size_t row, const offer_t *offer);
void take(const pool_t *pool, const task_table_t *tasks, size_t row, offer_t *offer);

/* ---- checks.c ---- */

bool check_settings(error_t *error, const settings_t *settings, shape_t shape);
bool check_offers(error_t *error, const offer_table_t *offers, shape_t shape);
bool check_tasks(error_t *error, const task_table_t *tasks, shape_t shape);
bool check_changes(error_t *error, const changes_t *changes, const pool_t *pool);

/* ---- explain.c ---- */

void explain(const pool_t *pool, const task_table_t *tasks, explanations_t *answer);

#endif
