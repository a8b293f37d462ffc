import type { Thresholds, ThresholdsChange } from "../../../api/types";
import type { Format } from "../../../format";
import type { Translate } from "../../../i18n";
import { metrics, plantMetrics, type Metric } from "../../../metrics";
import { readNumber } from "../../../ui/form";

/** Limits as they are typed, in the unit that is shown. */
export type LimitTexts = Partial<Record<Metric, { min: string; max: string }>>;

const ends = ["min", "max"] as const;

/** Half a unit more than what is shown would be another limit: at most two decimals are shown and kept. */
const rounded = (value: number): number => Math.round(value * 100) / 100;

export function limitTexts(thresholds: Thresholds, format: Format): LimitTexts {
  const text = (value: number | null | undefined, metric: Metric): string =>
    typeof value === "number" ? String(rounded(format.shown(value, metric))) : "";
  return Object.fromEntries(plantMetrics.map((metric) => [
    metric, { min: text(thresholds[metric]?.min, metric), max: text(thresholds[metric]?.max, metric) },
  ]));
}

/** What is no number, or none that the metric can be; names as in the API's errors. */
export function limitMistakes(texts: LimitTexts, format: Format, t: Translate): Record<string, string> {
  const mistakes: Record<string, string> = {};
  for (const metric of plantMetrics) {
    const range = metrics[metric];
    const [low, high] = [format.shown(range.min, metric), format.shown(range.max, metric)];
    for (const end of ends) {
      const value = readNumber(texts[metric]?.[end] ?? "");
      if (value === undefined) mistakes[`thresholds/${metric}/${end}`] = t("form.number");
      else if (value !== null && (value < low || value > high)) {
        mistakes[`thresholds/${metric}/${end}`] = t("form.range", { min: format.number(low), max: format.number(high) });
      }
    }
    const [min, max] = [readNumber(texts[metric]?.min ?? ""), readNumber(texts[metric]?.max ?? "")];
    if (typeof min === "number" && typeof max === "number" && min >= max) {
      mistakes[`thresholds/${metric}/min`] ??= t("settings.species.min_below_max");
    }
  }
  return mistakes;
}

/** Metrics whose limits were changed. Without any the metric follows from light and water again. */
export function limitChanges(texts: LimitTexts, before: Thresholds, format: Format): ThresholdsChange {
  const shownBefore = limitTexts(before, format);
  const changes: ThresholdsChange = {};
  for (const metric of plantMetrics) {
    const [now, then] = [texts[metric], shownBefore[metric]];
    if (!now || (now.min.trim() === then?.min && now.max.trim() === then?.max)) continue;
    const read = (end: "min" | "max"): number | null => {
      // Untouched: exactly as it was, also where the unit shown is another.
      if (now[end].trim() === then?.[end]) return before[metric]?.[end] ?? null;
      const value = readNumber(now[end]);
      return typeof value === "number" ? rounded(format.stored(value, metric)) : null;
    };
    const limits = { min: read("min"), max: read("max") };
    changes[metric] = limits.min === null && limits.max === null ? null : limits;
  }
  return changes;
}
