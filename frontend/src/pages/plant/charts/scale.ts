import type { Limits } from "../../../api/types";
import type { Points, Statistics } from "./rows";
import { statistics } from "./rows";

/** What values of a metric can be, in the unit shown; null where there is no such bound. */
export interface Bounds {
  min: number | null;
  max: number | null;
}

const nothing: Statistics = { min: 0, max: 1, mean: 0.5 };

/**
 * From where to where a chart's scale goes: what was measured, with some air, and the limits if they are near enough
 * not to press it flat.
 */
export function valueRange(
  points: Points, from: number, to: number, limits: Limits, bounds: Bounds, fromZero: boolean,
): [number, number] {
  const measured = statistics(points, from, to);
  const { min, max } = measured ?? nothing;
  let [low, high] = [fromZero ? Math.min(0, min) : min, max];
  const near = Math.max((high - low) * 1.5, Math.abs(high) * 0.15);
  for (const limit of [limits.min, limits.max]) {
    // One that everything is beyond is shown in any case: how far beyond is what one wants to see.
    const isBeyond = (limit === limits.min && typeof limit === "number" && limit > high)
      || (limit === limits.max && typeof limit === "number" && limit < low);
    if (typeof limit !== "number" || !(isBeyond || measured === null || (limit >= low - near && limit <= high + near))) continue;
    low = Math.min(low, limit);
    high = Math.max(high, limit);
  }
  const air = Math.max((high - low) * 0.08, Math.abs(high) * 0.01, 0.05);
  return [
    bounds.min !== null && low - air < bounds.min ? bounds.min : low - air,
    // Room for the marks on top.
    bounds.max !== null && high + air > bounds.max ? bounds.max + air * 0.4 : high + air,
  ];
}

interface Tick {
  v: number;
  label: string;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour,
  day, 2 * day, 3 * day, 5 * day, 7 * day, 14 * day,
];
const monthSteps = [1, 2, 3, 6, 12, 24];

/** Labels of the time axis at round times of the reader's own zone and language. */
export function timeTicks(from: number, to: number, pixels: number, language: string): Tick[] {
  const wanted = (to - from) / Math.max(2, Math.floor(pixels / 76));
  const step = steps.find((one) => one >= wanted);
  if (step === undefined || step > 14 * day) return monthTicks(from, to, wanted / (30.4 * day), language);
  const format = new Intl.DateTimeFormat(language, step < day
    ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" });
  const midnight = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  const ticks: Tick[] = [];
  const at = new Date(from);
  at.setHours(0, 0, 0, 0);
  let start = at.getTime();
  while (start <= to && ticks.length < 100) {
    const isDays = step >= day;
    if (start >= from) {
      const moment = new Date(start);
      const isMidnight = moment.getHours() === 0 && moment.getMinutes() === 0;
      ticks.push({ v: start, label: (isMidnight && !isDays ? midnight : format).format(moment) });
    }
    if (isDays) {
      // Days have 23 hours, or 25, when clocks are changed.
      at.setDate(at.getDate() + Math.round(step / day));
      start = at.getTime();
    } else {
      start += step;
    }
  }
  return ticks;
}

function monthTicks(from: number, to: number, wanted: number, language: string): Tick[] {
  const step = monthSteps.find((one) => one >= wanted) ?? 12 * Math.ceil(wanted / 12);
  const month = new Intl.DateTimeFormat(language, { month: "short" });
  const withYear = new Intl.DateTimeFormat(language, { year: "numeric" });
  const ticks: Tick[] = [];
  const at = new Date(from);
  const months = at.getFullYear() * 12 + at.getMonth();
  for (let index = Math.floor(months / step) * step; ticks.length < 100; index += step) {
    const first = new Date(Math.floor(index / 12), index % 12, 1);
    if (first.getTime() > to) break;
    if (first.getTime() < from) continue;
    ticks.push({ v: first.getTime(), label: (first.getMonth() === 0 ? withYear : month).format(first) });
  }
  return ticks;
}
