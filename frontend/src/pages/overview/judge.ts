import type { Limits, Plant } from "../../api/types";
import type { Format } from "../../format";
import type { Translate } from "../../i18n";
import { fault, isMetric, metrics, plantMetrics, unmeasured, valueOf, type Metric } from "../../metrics";

/** How far beyond its limits, as a part of the span between them. */
function distance(plant: Plant, metric: string): number {
  const value = valueOf(plant.latest_telemetry, metric);
  const { min, max } = plant.thresholds[metric] ?? {};
  if (value === null) return 0;
  const span = typeof min === "number" && typeof max === "number" ? max - min : Math.abs(min ?? max ?? 1);
  const far = Math.max(typeof min === "number" ? min - value : 0, typeof max === "number" ? value - max : 0);
  return far / (span || 1);
}

/** Metrics beyond their limits, the worst first. */
export function faults(plant: Plant): string[] {
  return Object.keys(plant.thresholds).filter((metric) => fault(plant, metric) !== null)
    .sort((a, b) => distance(plant, b) - distance(plant, a));
}

/** The metrics that say most, in the order of all: those beyond a limit, those with limits, those with a value. */
export function telling(plant: Plant, count: number): string[] {
  const weigh = (metric: string): number => {
    const hasValue = valueOf(plant.latest_telemetry, metric) !== null;
    if (fault(plant, metric) !== null) return 4;
    if (metric === "soil_moisture" && hasValue) return 3;
    const { min, max } = plant.thresholds[metric] ?? {};
    if (hasValue) return typeof min === "number" || typeof max === "number" ? 2 : 1;
    return 0;
  };
  const extra = faults(plant).filter((metric) => !isMetric(metric));
  const all: string[] = [...plantMetrics, ...extra];
  const chosen = new Set(all.map((metric, index) => ({ metric, index, weight: weigh(metric) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || a.index - b.index)
    .slice(0, count).map(({ metric }) => metric));
  return all.filter((metric) => chosen.has(metric));
}

/** From where to where a metric's bar goes. Null: nothing to draw it by. */
export function scaleOf(metric: string, { min, max }: Limits, value: number): [number, number] | null {
  const range: { unit: string; min: number; max: number } | null = isMetric(metric) ? metrics[metric as Metric] : null;
  if (range?.unit === "%") return [0, 100];
  const clamp = (low: number, high: number): [number, number] =>
    [Math.max(low, range?.min ?? -Infinity), Math.min(high, range?.max ?? Infinity)];
  if (typeof min === "number" && typeof max === "number") {
    const margin = (max - min) * 0.6 || 1;
    return clamp(min - margin, max + margin);
  }
  const isTemperature = range?.unit === "°C";
  if (typeof min === "number") return isTemperature ? clamp(min - 10, min + 25) : clamp(Math.min(0, value), min * 2.5 || 1);
  if (typeof max === "number") return isTemperature ? clamp(max - 25, max + 10) : clamp(Math.min(0, value), max * 1.5 || 1);
  return isTemperature ? [0, 40] : null;
}

/** Why the plant has its status, in a few words. */
export function reason(plant: Plant, t: Translate, format: Format): string {
  const latest = plant.latest_telemetry;
  if (latest === null) return t(plant.device_count === 0 ? "overview.no_device" : "overview.no_reading");
  const [worst, ...others] = faults(plant);
  if (worst !== undefined) {
    const limits = plant.thresholds[worst] ?? {};
    const isLow = fault(plant, worst) === "min";
    const limit = format.value(isLow ? limits.min : limits.max, worst);
    const text = t("overview.fault", {
      metric: format.metric(worst), value: format.value(valueOf(latest, worst), worst),
      limit: t(isLow ? "limit.below" : "limit.above", { limit }),
    });
    return others.length === 0 ? text : t("overview.fault_and_more", { fault: text, count: others.length });
  }
  const missing = plant.status === "stale" || plant.status === "unknown" ? unmeasured(plant) : [];
  if (missing.length > 0) return t("overview.unmeasured", { metrics: missing.map(format.metric).join(", ") });
  if (plant.status === "stale") return t("overview.stale", { time: format.dateTime(latest.timestamp) });
  if (plant.status === "unknown") return t("overview.no_limits");
  return t("overview.fine");
}
