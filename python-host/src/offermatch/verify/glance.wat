;; What `glance.py` asks of a whole answer. Addresses and counts are those of columns that lie in the memory: rows are 32-bit
;; numbers, quantities 64-bit ones, scores doubles, and marks bytes. Each function answers 1 for yes, and 0 at the first no.
;; All is asked in one call, since a call from Python takes as long as the walk over some thousand rows.
(module
  (memory (export "memory") 1)

  ;; Whether an answer holds. What tasks ask and what is left of offers are columns of all rows, one dimension behind the other.
  (func (export "holds")
    (param $tasks i32) (param $offers i32) (param $scores i32) (param $count i32)
    (param $all_tasks i32) (param $all_offers i32) (param $max_score f64) (param $marks i32) (param $mark i32)
    (param $asked i32) (param $left i32) (param $dimensions i32) (result i32)
    (if (i32.eqz (call $rise (local.get $tasks) (local.get $count) (local.get $all_tasks)))
      (then (return (i32.const 0))))
    (if (i32.eqz (call $unmarked
          (local.get $offers) (local.get $count) (local.get $all_offers) (local.get $marks) (local.get $mark)))
      (then (return (i32.const 0))))
    (if (i32.eqz (call $below (local.get $scores) (local.get $count) (local.get $max_score)))
      (then (return (i32.const 0))))
    (loop $next
      (if (local.get $dimensions) (then
        (if (i32.eqz (call $take
              (local.get $tasks) (local.get $offers) (local.get $count) (local.get $asked) (local.get $left)))
          (then (return (i32.const 0))))
        (local.set $asked (i32.add (local.get $asked) (i32.mul (local.get $all_tasks) (i32.const 8))))
        (local.set $left (i32.add (local.get $left) (i32.mul (local.get $all_offers) (i32.const 8))))
        (local.set $dimensions (i32.sub (local.get $dimensions) (i32.const 1)))
        (br $next))))
    (i32.const 1))

  ;; Whether rows rise, from 0 at the least to below the limit.
  (func $rise (param $rows i32) (param $count i32) (param $limit i32) (result i32)
    (local $end i32) (local $row i64) (local $least i64)
    (local.set $end (i32.add (local.get $rows) (i32.mul (local.get $count) (i32.const 4))))
    (loop $next
      (if (i32.lt_u (local.get $rows) (local.get $end)) (then
        (local.set $row (i64.load32_u (local.get $rows)))
        (if (i64.lt_u (local.get $row) (local.get $least)) (then (return (i32.const 0))))
        (local.set $least (i64.add (local.get $row) (i64.const 1)))
        (local.set $rows (i32.add (local.get $rows) (i32.const 4)))
        (br $next))))
    (i64.le_u (local.get $least) (i64.extend_i32_u (local.get $limit))))

  ;; Whether rows are below the limit and none of them is marked when its turn comes. Each gets the mark, which may be 0 for none.
  (func $unmarked
    (param $rows i32) (param $count i32) (param $limit i32) (param $marks i32) (param $mark i32) (result i32)
    (local $end i32) (local $row i32)
    (local.set $end (i32.add (local.get $rows) (i32.mul (local.get $count) (i32.const 4))))
    (loop $next
      (if (i32.lt_u (local.get $rows) (local.get $end)) (then
        (local.set $row (i32.load (local.get $rows)))
        (if (i32.ge_u (local.get $row) (local.get $limit)) (then (return (i32.const 0))))
        (local.set $row (i32.add (local.get $marks) (local.get $row)))
        (if (i32.load8_u (local.get $row)) (then (return (i32.const 0))))
        (i32.store8 (local.get $row) (local.get $mark))
        (local.set $rows (i32.add (local.get $rows) (i32.const 4)))
        (br $next))))
    (i32.const 1))

  ;; Whether scores are finite and below the limit, which is finite.
  (func $below (param $scores i32) (param $count i32) (param $limit f64) (result i32)
    (local $end i32) (local $score f64)
    (local.set $end (i32.add (local.get $scores) (i32.mul (local.get $count) (i32.const 8))))
    (loop $next
      (if (i32.lt_u (local.get $scores) (local.get $end)) (then
        (local.set $score (f64.load (local.get $scores)))
        ;; Neither holds of what is no number.
        (if (i32.eqz (f64.lt (local.get $score) (local.get $limit))) (then (return (i32.const 0))))
        (if (i32.eqz (f64.gt (local.get $score) (f64.const -inf))) (then (return (i32.const 0))))
        (local.set $scores (i32.add (local.get $scores) (i32.const 8)))
        (br $next))))
    (i32.const 1))

  ;; Whether what is left of each offer is enough for its tasks, one after the other; it is taken. All rows are known to be in range.
  (func $take
    (param $tasks i32) (param $offers i32) (param $count i32) (param $asked i32) (param $left i32) (result i32)
    (local $end i32) (local $place i32) (local $has i64) (local $takes i64)
    (local.set $end (i32.add (local.get $tasks) (i32.mul (local.get $count) (i32.const 4))))
    (loop $next
      (if (i32.lt_u (local.get $tasks) (local.get $end)) (then
        (local.set $takes
          (i64.load (i32.add (local.get $asked) (i32.mul (i32.load (local.get $tasks)) (i32.const 8)))))
        (local.set $place (i32.add (local.get $left) (i32.mul (i32.load (local.get $offers)) (i32.const 8))))
        (local.set $has (i64.load (local.get $place)))
        (if (i64.lt_u (local.get $has) (local.get $takes)) (then (return (i32.const 0))))
        (i64.store (local.get $place) (i64.sub (local.get $has) (local.get $takes)))
        (local.set $tasks (i32.add (local.get $tasks) (i32.const 4)))
        (local.set $offers (i32.add (local.get $offers) (i32.const 4)))
        (br $next))))
    (i32.const 1)))
