/** What the charts show: a stretch of time (milliseconds since 1970), and whether its end follows the clock. */
export interface View {
  readonly from: number;
  readonly to: number;
  readonly isLive: boolean;
}

export type SpanName = "day" | "week" | "month" | "year";

const hour = 3_600_000;
export const day = 24 * hour;
export const spans: Readonly<Record<SpanName, number>> = { day, week: 7 * day, month: 30 * day, year: 365 * day };
export const spanNames = Object.keys(spans) as SpanName[];

/** Nobody measures finer than this. */
const shortest = 5 * 60_000;
/** Longer, and the API refuses (ten years). */
const longest = 9 * 365 * day;

export function liveView(width: number, now: number): View {
  return { from: now - width, to: now, isLive: true };
}

/** Any stretch asked for, made one that can be shown: not too short or long, nothing of the future. */
export function viewOf(from: number, to: number, now: number): View {
  const width = Math.min(Math.max(to - from, shortest), longest);
  const middle = (from + to) / 2;
  const end = middle + width / 2;
  // Close enough to now is now: whoever pans to the end wants to see what comes.
  if (end >= now - width * 0.01) return liveView(width, now);
  return { from: end - width, to: end, isLive: false };
}

/** By parts of its width: -1 is one whole stretch back. */
export function moved(view: View, parts: number, now: number): View {
  const step = (view.to - view.from) * parts;
  return viewOf(view.from + step, view.to + step, now);
}

/** A factor below 1 shows less of it. What is at `around` stays where it is. */
export function zoomed(view: View, factor: number, now: number, around?: number): View {
  const fixed = around ?? (view.isLive ? view.to : (view.from + view.to) / 2);
  return viewOf(fixed - (fixed - view.from) * factor, fixed + (view.to - fixed) * factor, now);
}

export function spanOf(view: View): SpanName | null {
  const width = view.to - view.from;
  return spanNames.find((name) => Math.abs(spans[name] - width) < 60_000) ?? null;
}

/** What is asked of the API for a view. */
export interface Question {
  from: number;
  to: number;
  resolution: "auto" | "1h" | "1d";
  /** Asked for until now, whenever that is: what follows comes by the live stream. */
  isLive: boolean;
}

/**
 * As fine as a chart can show (some hundred points), with as much again on both sides of what was zoomed into, so that
 * panning shows something at once.
 */
export function questionOf(view: View): Question {
  const width = view.to - view.from;
  const margin = view.isLive ? 0 : width / 2;
  const [from, to] = [view.from - (view.isLive ? width * 0.02 : margin), view.to + margin];
  const days = (to - from) / day;
  // auto answers at most 1000 points: readings, or buckets of five minutes up to this.
  return { from, to, isLive: view.isLive, resolution: days <= 3.4 ? "auto" : days <= 80 ? "1h" : "1d" };
}

/** Whether what was loaded still does for another view. */
export function isCovered(view: View, loaded: Question): boolean {
  const wanted = questionOf(view);
  const loadedWidth = loaded.to - loaded.from;
  const isFineEnough = wanted.resolution === loaded.resolution
    // A fraction of what was loaded is worth asking for anew: it may be answered in finer steps.
    && (wanted.resolution !== "auto" || wanted.to - wanted.from > loadedWidth * 0.6);
  return isFineEnough && view.from >= loaded.from && (view.isLive || view.to <= loaded.to)
    && loadedWidth < (wanted.to - wanted.from) * 3
    // The live stream goes on where a live question ended, and only there. Left open for long, it is asked anew in even steps.
    && (!view.isLive || (loaded.isLive && view.to - loaded.to < (view.to - view.from) / 2));
}
