import type { Limits } from "../../api/types";
import { isMetric, metrics } from "../../metrics";

/** Where a value stands to its limits: an ornament beside the words. */
export function Scale({ metric, value, limits }: { metric: string; value: number | null; limits: Limits }): JSX.Element {
  const bounds = isMetric(metric) ? metrics[metric] : null;
  const min = typeof limits.min === "number" ? limits.min : null;
  const max = typeof limits.max === "number" ? limits.max : null;
  // The span between the limits takes the middle half; with one limit, what is known of the metric helps.
  const width = min !== null && max !== null ? max - min : Math.max(Math.abs(min ?? max ?? 1), 1);
  let [low, high] = [(min ?? (max ?? 0) - width) - width / 2, (max ?? (min ?? 0) + width) + width / 2];
  if (bounds) [low, high] = [Math.max(low, bounds.min), Math.min(high, bounds.max)];
  if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const part = (at: number): number => high > low ? ((at - low) / (high - low)) * 100 : 50;
  const [start, end] = [part(min ?? low), part(max ?? high)];
  return (
    <span className="scale" aria-hidden="true">
      <span className="scale-inside" style={{ left: `${start}%`, width: `${Math.max(end - start, 1)}%` }} />
      {value !== null && <span className="scale-value" style={{ left: `${part(value)}%` }} />}
    </span>
  );
}
