import type { Limits, Plant, Thresholds, ThresholdsChange } from "../../../api/types";
import type { Format } from "../../../format";
import type { Translate } from "../../../i18n";
import { isMetric, metrics, plantMetrics } from "../../../metrics";
import { readNumber, type FieldErrors } from "../../../ui/form";
import { extraMetricsOf } from "../measured";

/** As somebody types it, in the unit shown. */
export interface Draft {
  min: string;
  max: string;
}

export type Drafts = Readonly<Record<string, Draft>>;

/** For metrics that are not of the contract. */
const anything = { min: -1e12, max: 1e12 };

/** Metrics that get a line: limited, measured, or with a suggestion. The rest can be added. */
export function limitMetrics(plant: Plant): { shown: string[]; others: string[] } {
  const isUsual = (name: string): boolean =>
    plant.thresholds[name] !== undefined || plant.suggested_thresholds?.[name] !== undefined
    || typeof plant.latest_telemetry?.[name] === "number";
  const more = Object.keys(plant.thresholds).filter((name) => !(plantMetrics as string[]).includes(name));
  const shown = [...new Set([...plantMetrics.filter(isUsual), ...extraMetricsOf(plant), ...more])];
  return { shown, others: plantMetrics.filter((name) => !shown.includes(name)) };
}

export function textOf(value: number | null | undefined, metric: string, format: Format): string {
  if (typeof value !== "number") return "";
  const comma = format.number(1.5, 1).includes(",");
  const text = String(Math.round(format.shown(value, metric) * 100) / 100);
  return comma ? text.replace(".", ",") : text;
}

export function draftOf(limits: Limits | undefined, metric: string, format: Format): Draft {
  return { min: textOf(limits?.min, metric, format), max: textOf(limits?.max, metric, format) };
}

export function draftsOf(thresholds: Thresholds, metrics: readonly string[], format: Format): Drafts {
  return Object.fromEntries(metrics.map((metric) => [metric, draftOf(thresholds[metric], metric, format)]));
}

export interface ReadDrafts {
  /** What they say, without metrics that have no limit. */
  thresholds: Thresholds;
  /** Named as in the answers of the API: thresholds/co2/max. */
  errors: FieldErrors;
}

export function readDrafts(drafts: Drafts, saved: Thresholds, format: Format, t: Translate): ReadDrafts {
  const thresholds: Thresholds = {};
  const errors: Record<string, string> = {};
  for (const [metric, draft] of Object.entries(drafts)) {
    const limits: Limits = { min: null, max: null };
    for (const side of ["min", "max"] as const) {
      const before = saved[metric]?.[side];
      if (draft[side] === textOf(before, metric, format)) {
        // As it was: not moved by rounding.
        limits[side] = before ?? null;
        continue;
      }
      const value = readNumber(draft[side]);
      const bounds = isMetric(metric) ? metrics[metric] : anything;
      if (value === undefined) errors[`thresholds/${metric}/${side}`] = t("form.number");
      else if (value !== null) {
        const stored = Math.round(format.stored(value, metric) * 1e4) / 1e4;
        if (stored < bounds.min || stored > bounds.max) {
          errors[`thresholds/${metric}/${side}`] = t("form.range", {
            min: textOf(bounds.min, metric, format), max: textOf(bounds.max, metric, format),
          });
        }
        limits[side] = stored;
      }
    }
    const { min, max } = limits;
    if (typeof min === "number" && typeof max === "number" && min >= max) {
      errors[`thresholds/${metric}/min`] ??= t("plant.limits.order");
    }
    if (min !== null || max !== null) thresholds[metric] = limits;
  }
  return { thresholds, errors };
}

function isSame(a: Limits | undefined, b: Limits | undefined): boolean {
  return (a?.min ?? null) === (b?.min ?? null) && (a?.max ?? null) === (b?.max ?? null);
}

/** Only what differs; null takes a metric's limits away. */
export function changeOf(saved: Thresholds, wanted: Thresholds): ThresholdsChange {
  const change: ThresholdsChange = {};
  for (const metric of new Set([...Object.keys(saved), ...Object.keys(wanted)])) {
    if (isSame(saved[metric], wanted[metric])) continue;
    const limits = wanted[metric];
    change[metric] = limits ? { min: limits.min ?? null, max: limits.max ?? null } : null;
  }
  return change;
}
