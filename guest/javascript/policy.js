/** The policy: best-fit, the tightest offer wins. */

/** What the matcher says of itself. */
export const name = 'best-fit-javascript';
export const version = '0.1.0';
export const policy = 'best-fit';

/**
 * The score of an offer that can take the task; the lowest wins.
 *
 * Quantities are BigInts. Subtracted as such, then as doubles weighed and divided: `Number(free - demand)` rounds to nearest
 * once, as the contract does, where `Number(free) - Number(demand)` would round twice.
 */
export function score(ranking, task, offer) {
    const { weights, scales } = ranking;
    const last = task.demand.length;
    let sum = 0;
    for (let at = 0; at < last; at += 1) {
        sum += (weights[at] * Number(offer.free[at] - task.demand[at])) / scales[at];
    }
    let devices = 0;
    for (const free of offer.devices) {
        devices += free;
    }
    return sum + (weights[last] * (devices - task.devices)) / scales[last];
}
