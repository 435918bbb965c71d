/** The policy @NAME@: the offer wins that, in the dimension of which it has most left over, has least left over. */

/** What the matcher says of itself. */
export const name = '@NAME@';
export const version = '0.1.0';
export const policy = '@NAME@';

/**
 * The largest of weight * (free - demand) / scale over all dimensions; the lowest score wins.
 *
 * Quantities are BigInts: subtract them as such, and turn to a number then.
 */
export function score({ weights, scales }, task, offer) {
    let largest = 0;
    for (let at = 0; at < task.demand.length; at += 1) {
        const share = (weights[at] * Number(offer.free[at] - task.demand[at])) / scales[at];
        if (share > largest) {
            largest = share;
        }
    }
    return largest;
}
