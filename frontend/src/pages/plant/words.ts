import type { Plant, PlantEvent } from "../../api/types";
import type { IconName } from "../../drawings/icons";
import type { Format } from "../../format";
import type { Translate } from "../../i18n";
import { fault, isMetric, metrics, unmeasured, valueOf } from "../../metrics";

/** What a metric can be at all, in the unit shown. */
export function metricBounds(metric: string, format: Format): { min: number | null; max: number | null } {
  if (!isMetric(metric)) return { min: null, max: null };
  const { min, max } = metrics[metric];
  return { min: format.shown(min, metric), max: format.shown(max, metric) };
}

export const eventIcons: Record<PlantEvent["kind"], IconName> = {
  watering: "drop", note: "pencil", fertilizing: "spark", repotting: "plant",
};

/** What happened, in one line. */
export function eventWords(event: PlantEvent, format: Format, t: Translate): string {
  const words = [t(`plant.event.${event.kind}`)];
  if (event.amount_ml !== null) words.push(`${format.number(event.amount_ml)}\u00a0ml`);
  if (event.value_before !== null && event.value_after !== null) {
    words.push(t("plant.event.rise", {
      before: format.value(event.value_before, "soil_moisture"), after: format.value(event.value_after, "soil_moisture"),
    }));
  }
  if (event.note !== null) words.push(event.note);
  return words.join(", ");
}

/** Why a plant has its status. `alerts`: what fires, in words. */
export function statusReasons(plant: Plant, alerts: readonly string[], format: Format, t: Translate): string[] {
  if (plant.status === "unknown" && plant.latest_telemetry === null) {
    return [plant.device_count === 0 ? t("plant.reason.no_device") : t("plant.reason.no_values")];
  }
  const reasons: string[] = [];
  const missing = plant.status === "stale" || plant.status === "unknown" ? unmeasured(plant) : [];
  if (missing.length > 0) {
    reasons.push(t("plant.reason.unmeasured", { metrics: missing.map(format.metric).join(", ") }));
  } else if (plant.status === "stale" && plant.latest_telemetry) {
    reasons.push(t("plant.reason.stale", { time: format.relative(plant.latest_telemetry.timestamp) }));
  }
  for (const metric of Object.keys(plant.thresholds)) {
    const value = valueOf(plant.latest_telemetry, metric);
    const direction = fault(plant, metric);
    if (direction === null) continue;
    reasons.push(t(direction === "min" ? "plant.reason.low" : "plant.reason.high", {
      metric: format.metric(metric),
      value: format.value(value, metric), limit: format.value(plant.thresholds[metric]?.[direction], metric),
    }));
  }
  if (reasons.length === 0 && plant.status !== "ok") {
    reasons.push(...alerts);
  }
  if (reasons.length === 0) {
    const reason = plant.status === "ok" ? "ok" : plant.status === "unknown" ? "no_limits" : "other";
    reasons.push(t(`plant.reason.${reason}`));
  }
  return reasons;
}
