/**
 * Offers and tasks as rows, which the contract has as flat columns; and whether an offer can take a task.
 *
 * It needs nothing of the component, so that a policy is tested by Node.js.
 */

/** Thousandths of a device. */
export const DEVICE = 1000;
/** What a requirement asks. */
export const [IN, NOT_IN, AT_LEAST, AT_MOST] = [0, 1, 2, 3];

/** What an offer has, and what is left of it. An unset attribute is 0, an unset measure NaN; devices in thousandths. */
export class Offer {
    constructor(free, capacity = free, attributes = [], measures = [], devices = []) {
        this.free = free;
        this.capacity = capacity;
        this.attributes = attributes;
        this.measures = measures;
        this.devices = devices;
    }
}

/** A condition on an attribute or a measure; a preference where its weight is finite. */
export class Requirement {
    constructor(kind, subject, values = new Set(), bound = NaN, weight = Infinity) {
        this.kind = kind;
        this.subject = subject;
        this.values = values;
        this.bound = bound;
        this.weight = weight;
    }

    /** Whether it holds. An unset value is in no set, and an unset measure neither more nor less. */
    holds(offer) {
        if (this.kind < AT_LEAST) {
            return this.values.has(offer.attributes[this.subject]) === (this.kind === IN);
        }
        const value = offer.measures[this.subject];
        return this.kind === AT_LEAST ? value >= this.bound : value <= this.bound;
    }

    /** How far a measure is from the bound; 0 where no finite number says it. */
    distance(offer) {
        const distance = this.kind < AT_LEAST ? 0 : Math.abs(this.bound - offer.measures[this.subject]);
        return Number.isFinite(distance) ? distance : 0;
    }
}

/** What a task asks; its devices in thousandths. */
export class Task {
    constructor(demand, devices = 0, requirements = []) {
        this.demand = demand;
        this.devices = devices;
        this.requirements = requirements;
        this.required = requirements.filter(({ weight }) => weight === Infinity);
        this.preferred = requirements.filter(({ weight }) => weight !== Infinity);
    }

    /** Whether an offer can take it, at any score. */
    fits(offer) {
        for (let at = 0; at < this.demand.length; at += 1) {
            if (this.demand[at] > offer.free[at]) {
                return false;
            }
        }
        if (this.required.length > 0 && !this.required.every((one) => one.holds(offer))) {
            return false;
        }
        return this.devices === 0 || this.devicesMissing(offer) <= 0;
    }

    /** The thousandths that devices lack: of one for a share, else of whole ones. None are missing: 0 or less. */
    devicesMissing({ devices }) {
        if (this.devices === 0) {
            return 0;
        }
        if (this.devices < DEVICE) {
            return this.devices - Math.max(0, ...devices);
        }
        return this.devices - DEVICE * devices.filter((free) => free === DEVICE).length;
    }

    /** Subtracts what it uses. */
    take(offer) {
        this.demand.forEach((demand, dimension) => {
            offer.free[dimension] -= demand;
        });
        if (this.devices > 0 && this.devices < DEVICE) {
            // From the tightest device that holds the share, the lowest number among equals.
            const fitting = offer.devices.filter((free) => free >= this.devices);
            const tightest = fitting.reduce((least, free) => Math.min(least, free));
            offer.devices[offer.devices.indexOf(tightest)] -= this.devices;
        } else {
            for (let whole = this.devices; whole > 0; whole -= DEVICE) {
                offer.devices[offer.devices.indexOf(DEVICE)] = 0;
            }
        }
    }
}

/** The rows of a checked table. */
export function offersOf(table, { dimensions, attributes, measures }) {
    const capacity = table.capacity.length > 0 ? table.capacity : table.available;
    return Array.from({ length: table.rows }, (_, row) => new Offer(
        cells(table.available, row, dimensions),
        cells(capacity, row, dimensions),
        cells(table.attributes, row, attributes),
        table.measures.length > 0 ? cells(table.measures, row, measures) : [],
        part(table.deviceFree, table.deviceOffsets, row),
    ));
}

/** The rows of a checked table, one after the other. */
export function* tasksOf(table, { dimensions }) {
    const requirements = Array.from(table.requirementSubjects, (subject, at) => new Requirement(
        table.requirementKinds[at],
        subject,
        new Set(part(table.values, table.valueOffsets, at)),
        // Of an empty column nothing is there, and what is not there has its default.
        table.requirementBounds[at],
        table.requirementWeights[at],
    ));
    for (let row = 0; row < table.rows; row += 1) {
        const mine = part(requirements, table.requirementOffsets, row);
        yield new Task(cells(table.demand, row, dimensions), table.devices[row], mine);
    }
}

/** The cells of one row as an array: typed arrays of a few numbers cost more than what they hold. */
function cells(column, row, width) {
    const found = [];
    for (let at = row * width; at < (row + 1) * width; at += 1) {
        found.push(column[at]);
    }
    return found;
}

/** The part of a flat column that belongs to a row; without offsets, every row has an empty one. */
function part(flat, offsets, row) {
    const found = [];
    for (let at = offsets[row]; at < offsets[row + 1]; at += 1) {
        found.push(flat[at]);
    }
    return found;
}
