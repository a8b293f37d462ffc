import type { History } from "../../../api/types";

/** Points of one metric over time, in the unit shown. */
export interface Points {
  readonly time: readonly number[];
  readonly mean: readonly (number | null)[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

export interface LivePoint {
  readonly time: number;
  readonly value: number;
}

export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** How long a device may be silent before the line is broken there: three times the usual, at least three minutes. */
const unusual = 3;
const leastGap = 180_000;

/** A series of the history, continued by what came since it was loaded. */
export function pointsOf(
  history: History | undefined, metric: string, live: readonly LivePoint[], shown: (value: number) => number,
): Points {
  const series = history?.series[metric];
  const convert = (value: number | null | undefined): number | null => typeof value === "number" ? shown(value) : null;
  const time = series && history ? history.time.map((text) => Date.parse(text)) : [];
  const mean = series ? series.avg.map(convert) : [];
  const low = series ? series.min.map(convert) : [];
  const high = series ? series.max.map(convert) : [];
  const step = Math.max(usualStep(time) * unusual, leastGap);
  for (const point of live) {
    const last = time[time.length - 1];
    if (last !== undefined && point.time <= last) continue;
    if (last !== undefined && point.time - last > step) {
      time.push(last + 1);
      mean.push(null);
      low.push(null);
      high.push(null);
    }
    const value = shown(point.value);
    time.push(point.time);
    mean.push(value);
    low.push(value);
    high.push(value);
  }
  return { time, mean, low, high };
}

/** The median distance: buckets are even, readings nearly. */
function usualStep(time: readonly number[]): number {
  if (time.length < 2) return 0;
  const steps = time.slice(1).map((at, index) => at - (time[index] ?? at)).sort((a, b) => a - b);
  return steps[(steps.length - 1) >> 1] ?? 0;
}

/** The points of a stretch: indices of the first and after the last. */
export function range(points: Points, from: number, to: number): [number, number] {
  return [firstFrom(points.time, from), firstFrom(points.time, to + 1)];
}

function firstFrom(time: readonly number[], at: number): number {
  let [low, high] = [0, time.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((time[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function statistics(points: Points, from: number, to: number): Statistics | null {
  const [start, end] = range(points, from, to);
  let [min, max, sum, count] = [Infinity, -Infinity, 0, 0];
  for (let index = start; index < end; index++) {
    const value = points.mean[index];
    if (typeof value !== "number") continue;
    min = Math.min(min, points.low[index] ?? value);
    max = Math.max(max, points.high[index] ?? value);
    sum += value;
    count += 1;
  }
  return count === 0 ? null : { min, max, mean: sum / count };
}

/** The nearest point that has a value, within `reach` milliseconds. */
export function nearest(points: Points, at: number, reach: number): number | null {
  const start = firstFrom(points.time, at);
  let best: number | null = null;
  let distance = reach;
  for (const step of [-1, 1]) {
    for (let index = step < 0 ? start - 1 : start; index >= 0 && index < points.time.length; index += step) {
      const away = Math.abs((points.time[index] ?? 0) - at);
      if (away > distance) break;
      if (typeof points.mean[index] === "number") {
        best = index;
        distance = away;
        break;
      }
    }
  }
  return best;
}
