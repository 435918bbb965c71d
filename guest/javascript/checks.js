/** Are the tables what the contract asks for? What is not is refused before anything is touched. */

import { AT_LEAST, AT_MOST, DEVICE } from './rows.js';

/** The most rows of a pool, and of one task table. */
const MOST_ROWS = 1 << 24;
/** The largest number of a `u32` column. */
const LARGEST = 2 ** 32 - 1;

/** Refuses settings that a pool of this shape cannot use. */
export function checkSettings(settings, shape) {
    const terms = shape.dimensions + 1;
    if (settings.maxScore !== undefined) {
        checkUsable('max-score', [settings.maxScore]);
    }
    checkLengthOrEmpty('weights', settings.weights, BigInt(terms));
    checkLengthOrEmpty('scales', settings.scales, BigInt(terms));
    checkUsable('weights', settings.weights);
    checkServed('workload', settings.workload !== undefined);
    // This matcher takes none.
    checkLength('parameters', settings.parameters, 0n);
}

/** Refuses columns that do not fit together, and numbers out of their range. */
export function checkOffers(offers, shape) {
    checkRows(offers.rows);
    const cells = BigInt(offers.rows) * BigInt(shape.dimensions);
    checkLength('available', offers.available, cells);
    checkLengthOrEmpty('capacity', offers.capacity, cells);
    const over = offers.capacity.findIndex((capacity, at) => offers.available[at] > capacity);
    if (over >= 0) {
        outOfRange('available', Math.floor(over / shape.dimensions), offers.available[over], 0, offers.capacity[over]);
    }
    checkLength('attributes', offers.attributes, BigInt(offers.rows) * BigInt(shape.attributes));
    checkLengthOrEmpty('measures', offers.measures, BigInt(offers.rows) * BigInt(shape.measures));
    checkOffsets('device-offsets', offers.deviceOffsets, offers.rows, 'device-free', offers.deviceFree);
    checkRange('device-free', offers.deviceFree, 0, DEVICE);
}

/** Refuses columns that do not fit together, and numbers out of their range. */
export function checkTasks(tasks, shape) {
    checkRows(tasks.rows);
    checkLength('demand', tasks.demand, BigInt(tasks.rows) * BigInt(shape.dimensions));
    checkLengthOrEmpty('devices', tasks.devices, BigInt(tasks.rows));
    const broken = tasks.devices.findIndex((asked) => asked > DEVICE && asked % DEVICE !== 0);
    if (broken >= 0) {
        refuse('broken-devices', cell('devices', broken, tasks.devices[broken], 0, LARGEST - (LARGEST % DEVICE)));
    }
    checkRequirements(tasks, shape);
    checkLengthOrEmpty('group-of', tasks.groupOf, BigInt(tasks.rows));
    checkServed('groups', tasks.groupOf.some((group) => group > 0));
}

function checkRequirements(tasks, shape) {
    const subjects = tasks.requirementSubjects;
    const count = BigInt(subjects.length);
    checkOffsets('requirement-offsets', tasks.requirementOffsets, tasks.rows, 'requirement-subjects', subjects);
    checkLength('requirement-kinds', tasks.requirementKinds, count);
    checkLengthOrEmpty('requirement-bounds', tasks.requirementBounds, count);
    checkLengthOrEmpty('requirement-weights', tasks.requirementWeights, count);
    checkOffsets('value-offsets', tasks.valueOffsets, subjects.length, 'values', tasks.values);
    tasks.requirementKinds.forEach((kind, at) => {
        if (kind > AT_MOST) {
            outOfRange('requirement-kinds', at, kind, 0, AT_MOST);
        }
        const columns = kind >= AT_LEAST ? shape.measures : shape.attributes;
        if (subjects[at] >= columns) {
            outOfRange('requirement-subjects', at, subjects[at], 0, Math.max(columns - 1, 0));
        }
        if (kind >= AT_LEAST) {
            checkLength('requirement-bounds', tasks.requirementBounds, count);
            checkNumber('requirement-bounds', at, tasks.requirementBounds[at], -Infinity);
        }
    });
    tasks.requirementWeights.forEach((weight, at) => checkNumber('requirement-weights', at, weight, 0));
    checkRange('values', tasks.values, 1, LARGEST);
}

/** Refuses changes that a pool with so many rows cannot apply. */
export function checkChanges(changes, shape, rows) {
    checkOffers(changes.changed, shape);
    checkOffers(changes.added, shape);
    checkLength('changed-rows', changes.changedRows, BigInt(changes.changed.rows));
    checkRows(rows + changes.added.rows);
    for (const [column, named] of [['removed', changes.removed], ['changed-rows', changes.changedRows]]) {
        const unknown = named.findIndex((row) => row >= rows);
        if (unknown >= 0) {
            outOfRange(column, unknown, named[unknown], 0, Math.max(rows - 1, 0));
        }
    }
    const named = new Uint32Array(changes.removed.length + changes.changedRows.length);
    named.set(changes.removed);
    named.set(changes.changedRows, changes.removed.length);
    named.sort();
    const repeated = named.findIndex((row, at) => at > 0 && row === named[at - 1]);
    if (repeated >= 0) {
        refuse('repeated-row', named[repeated]);
    }
    checkServed('workload', changes.workload !== undefined);
}

/** Refuses the call: what is thrown is the contract's `error`. */
function refuse(tag, val) {
    throw { tag, val };
}

function cell(column, row, value, minimum, maximum) {
    return { column, row, value: BigInt(value), minimum: BigInt(minimum), maximum: BigInt(maximum) };
}

function outOfRange(column, row, value, minimum, maximum) {
    refuse('out-of-range', cell(column, row, value, minimum, maximum));
}

function checkServed(rule, isUsed) {
    if (isUsed) {
        refuse('unsupported-rule', rule);
    }
}

/** NaN is not at least anything. */
function checkNumber(column, row, value, minimum) {
    if (!(value >= minimum)) {
        refuse('bad-number', { column, row, value, minimum, maximum: Infinity });
    }
}

function checkUsable(setting, values) {
    const position = values.findIndex((value) => !(Number.isFinite(value) && value >= 0));
    if (position >= 0) {
        refuse('bad-setting', { setting, position, value: values[position] });
    }
}

function checkRows(asked) {
    if (asked > MOST_ROWS) {
        refuse('too-many-rows', { asked: BigInt(asked), limit: BigInt(MOST_ROWS) });
    }
}

/** Expected lengths are BigInts: rows times columns may be above 2^53, where numbers have gaps. */
function checkLength(column, values, expected) {
    if (BigInt(values.length) !== expected) {
        refuse('column-length', { column, expected, found: BigInt(values.length) });
    }
}

function checkLengthOrEmpty(column, values, expected) {
    if (values.length > 0) {
        checkLength(column, values, expected);
    }
}

function checkRange(column, values, minimum, maximum) {
    const at = values.findIndex((value) => value < minimum || value > maximum);
    if (at >= 0) {
        outOfRange(column, at, values[at], minimum, maximum);
    }
}

/** Refuses offsets that fall, begin above zero or do not end at the length of their column. */
function checkOffsets(column, offsets, rows, flatColumn, flat) {
    if (offsets.length === 0) {
        checkLength(flatColumn, flat, 0n);
        return;
    }
    checkLength(column, offsets, BigInt(rows) + 1n);
    const falls = offsets.findIndex((offset, at) => (at === 0 ? offset > 0 : offset < offsets[at - 1]));
    if (falls >= 0) {
        const [least, most] = falls === 0 ? [0, 0] : [offsets[falls - 1], LARGEST];
        outOfRange(column, falls, offsets[falls], least, most);
    }
    checkLength(flatColumn, flat, BigInt(offsets[rows]));
}
