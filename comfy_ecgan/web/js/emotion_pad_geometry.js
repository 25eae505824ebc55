// Where emotions lie on the pad, and what a place on it means. Plain values in and out: no page, no ComfyUI.
//
// Neutral is the origin, and each emotion is a corner at distance 1 from it: the first at the top, the others clockwise
// (y points down, as on the screen). A mix lies at the sum of the corners, each times its weight; read the other way
// round, a place is a mix of the two neighbouring corners that it lies between. The strength of such a mix is the sum
// of its weights: 0 is neutral, 1 is on the straight line from corner to corner.

/** The strongest mix that the pad makes by itself; more can be typed. */
export const MOST = 1.5;

/** @typedef {{x: number, y: number}} Place */
/** @typedef {{emotion: string, weight: number}} Pair */

/** The corners of `count` emotions. @returns {Place[]} */
export function cornersOf(count) {
  return Array.from({ length: count }, (_, index) => {
    const angle = (2 * Math.PI * index) / count;
    return { x: Math.sin(angle), y: -Math.cos(angle) };
  });
}

/** Where a mix lies. @param {number[]} weights one for each corner @param {Place[]} corners @returns {Place} */
export function placeOf(weights, corners) {
  const sum = (axis) => corners.reduce((total, corner, index) => total + weights[index] * corner[axis], 0);
  return { x: sum("x"), y: sum("y") };
}

/** The mix at a place: a weight for each corner, at most two of them above 0 and none below. @returns {number[]} */
export function weightsAt(place, corners) {
  // One or two corners make a line, not a plane: only the way along it counts.
  if (corners.length < 3) return corners.map((corner) => Math.max(0, place.x * corner.x + place.y * corner.y));
  const weights = corners.map(() => 0);
  for (const [index, corner] of corners.entries()) {
    const next = (index + 1) % corners.length;
    const area = cross(corner, corners[next]);
    const here = cross(place, corners[next]) / area;
    const there = cross(corner, place) / area;
    if (here < -1e-9 || there < -1e-9) continue;
    weights[index] = Math.max(0, here);
    weights[next] = Math.max(0, there);
    break;
  }
  return weights;
}

function cross(a, b) {
  return a.x * b.y - a.y * b.x;
}

/** How strong a mix is. A weight below 0 counts, too: away from an emotion is a change like any other. */
export function strengthOf(weights) {
  return weights.reduce((total, weight) => total + Math.abs(weight), 0);
}

/** The same direction, no stronger than `most`. @returns {Place} */
export function within(place, corners, most = MOST) {
  const strength = strengthOf(weightsAt(place, corners));
  const shrink = strength > most ? most / strength : 1;
  return { x: place.x * shrink, y: place.y * shrink };
}

/**
 * The names in the order of their corners. Only neighbours can be mixed by hand, so the emotions of the node's pairs
 * come first, side by side, those with a weight before the idle ones. @returns {string[]}
 */
export function arranged(names, pairs) {
  const chosen = [...pairs.filter(({ weight }) => weight !== 0), ...pairs].map(({ emotion }) => emotion);
  return [...new Set([...chosen.filter((name) => names.includes(name)), ...names])];
}

/** The weight of each of `names` in the node's pairs; a name that two pairs have counts twice. @returns {number[]} */
export function weightsIn(pairs, names) {
  return names.map((name) => pairs.reduce((sum, pair) => sum + (pair.emotion === name ? pair.weight : 0), 0));
}

/**
 * The node's pairs with a new mix in them. An emotion that has a pair already keeps it, so that nothing jumps about
 * while the handle is dragged; a new one takes the first pair that the mix leaves idle.
 *
 * @param {Pair[]} pairs @param {string[]} names @param {number[]} weights one for each name @returns {Pair[]}
 */
export function pairsWith(pairs, names, weights) {
  const mix = new Map(names.map((name, index) => [name, round(weights[index])]).filter(([, weight]) => weight !== 0));
  const placed = pairs.map(({ emotion }) => {
    const weight = mix.get(emotion) ?? 0;
    mix.delete(emotion);
    return { emotion, weight };
  });
  for (const [emotion, weight] of mix) {
    const idle = placed.find((pair) => pair.weight === 0);
    if (idle) Object.assign(idle, { emotion, weight });
  }
  return placed;
}

/** To the two digits that the node's sliders show. */
function round(weight) {
  return Math.round(weight * 100) / 100;
}
