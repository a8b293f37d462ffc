import type { Plant } from "../../api/types";
import { derivedMetrics, isMetric, plantMetrics } from "../../metrics";

const aboutDevices = new Set(["battery", "battery_voltage", "rssi"]);

/** What devices measure that is no metric of the contract, by its own name. */
export function extraMetricsOf(plant: Plant): string[] {
  const telemetry = plant.latest_telemetry;
  if (!telemetry) return [];
  return Object.keys(telemetry.measured_at ?? {})
    .filter((name) => !isMetric(name) && !aboutDevices.has(name) && typeof telemetry[name] === "number").sort();
}

export function derivedMetricsOf(plant: Plant): string[] {
  return Object.keys(derivedMetrics).filter((name) => typeof (plant.derived as Record<string, unknown>)[name] === "number");
}

/** Everything there is, or should be, to see of a plant: measured or limited, extra, derived. */
export function metricsOf(plant: Plant): string[] {
  const measured = plantMetrics.filter(
    (name) => typeof plant.latest_telemetry?.[name] === "number" || plant.thresholds[name] !== undefined,
  );
  const derived = derivedMetricsOf(plant);
  // There is light of a day as soon as there was light for a day, also while today's is not known yet.
  if (derived.includes("ppfd_umol_m2_s") && !derived.includes("dli_mol_m2_d")) derived.push("dli_mol_m2_d");
  return [...measured, ...extraMetricsOf(plant), ...derived];
}
