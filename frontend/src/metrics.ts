import type { LightSource, Plant, Thresholds } from "./api/types";
import type { IconName } from "./drawings/icons";

/** Of contract and species library, in the order in which they are shown. */
export const metrics = {
  soil_moisture: { unit: "%", decimals: 0, icon: "drop", min: 0, max: 100 },
  temperature: { unit: "°C", decimals: 1, icon: "thermometer", min: -40, max: 85 },
  humidity: { unit: "%", decimals: 0, icon: "humidity", min: 0, max: 100 },
  light_level: { unit: "lx", decimals: 0, icon: "sun", min: 0, max: 200_000 },
  soil_temperature: { unit: "°C", decimals: 1, icon: "soil-thermometer", min: -40, max: 85 },
  soil_ec: { unit: "µS/cm", decimals: 0, icon: "ec", min: 0, max: 20_000 },
  co2: { unit: "ppm", decimals: 0, icon: "co2", min: 0, max: 40_000 },
  pressure: { unit: "hPa", decimals: 0, icon: "pressure", min: 300, max: 1100 },
  battery: { unit: "%", decimals: 0, icon: "battery", min: 0, max: 100 },
  battery_voltage: { unit: "V", decimals: 2, icon: "battery", min: 0, max: 30 },
  rssi: { unit: "dBm", decimals: 0, icon: "signal", min: -127, max: 0 },
} as const;

export type Metric = keyof typeof metrics;

/** What is derived from them, as `derived` of a plant and as series of its history. */
export const derivedMetrics = {
  vpd_kpa: { unit: "kPa", decimals: 2 },
  dew_point_celsius: { unit: "°C", decimals: 1 },
  absolute_humidity_g_m3: { unit: "g/m³", decimals: 1 },
  ppfd_umol_m2_s: { unit: "µmol/m²/s", decimals: 0 },
  dli_mol_m2_d: { unit: "mol/m²/d", decimals: 1 },
  soil_ec_25_us_cm: { unit: "µS/cm", decimals: 0 },
} as const;

export type DerivedMetric = keyof typeof derivedMetrics;

export const metricNames = Object.keys(metrics) as Metric[];
/** Those that say how a plant is; the others say how a device is. */
export const plantMetrics = metricNames.filter(
  (metric) => metric !== "battery" && metric !== "battery_voltage" && metric !== "rssi",
);

export function isMetric(name: string): name is Metric {
  return Object.prototype.hasOwnProperty.call(metrics, name);
}

export function isDerivedMetric(name: string): name is DerivedMetric {
  return Object.prototype.hasOwnProperty.call(derivedMetrics, name);
}

export function metricIcon(name: string): IconName {
  if (isMetric(name)) return metrics[name].icon;
  if (name === "dew_point_celsius") return "drop";
  if (name.startsWith("ppfd") || name.startsWith("dli")) return "sun";
  return name.startsWith("soil_ec") ? metrics.soil_ec.icon : "chart";
}

/** What may light a plant, the usual ones first. */
export const lightSources: readonly LightSource[] = ["sun", "white_led", "fluorescent", "metal_halide", "high_pressure_sodium"];

/** A plant's newest value of a metric, also of an extra one. */
export function valueOf(telemetry: object | null, metric: string): number | null {
  const value: unknown = telemetry ? (telemetry as Record<string, unknown>)[metric] : null;
  return typeof value === "number" ? value : null;
}

/** How long before the newest value another one may have been measured and still be judged (milliseconds). */
const sameTime = 3_600_000;

/**
 * Which limit a plant's newest value is beyond, by the rules of its status: what is old is not judged, and light only by
 * the sum of a day, of which alerts tell.
 */
export function fault(plant: Plant, metric: string): "min" | "max" | null {
  const latest = plant.latest_telemetry;
  if (latest === null || metric === "light_level" || plant.status === "stale" || plant.status === "unknown") return null;
  const measured = latest.measured_at[metric];
  if (measured && new Date(latest.timestamp).getTime() - new Date(measured).getTime() > sameTime) return null;
  return beyond(valueOf(latest, metric), plant.thresholds, metric);
}

function beyond(value: number | null, thresholds: Thresholds, metric: string): "min" | "max" | null {
  const limits = thresholds[metric];
  if (value === null || !limits) return null;
  if (typeof limits.min === "number" && value < limits.min) return "min";
  if (typeof limits.max === "number" && value > limits.max) return "max";
  return null;
}

const hour = 3_600_000;

/**
 * What has limits and is not measured although the plant is heard of: there is no sensor for it, or it has failed. Empty
 * where nothing was heard at all for long.
 */
export function unmeasured({ thresholds, latest_telemetry: latest }: Plant): string[] {
  if (latest === null || Date.now() - Date.parse(latest.timestamp) > hour) return [];
  return Object.keys(thresholds).filter((metric) => {
    const { min, max } = thresholds[metric] ?? {};
    if (typeof min !== "number" && typeof max !== "number") return false;
    const measured = latest.measured_at[metric];
    const isOld = measured !== undefined && Date.parse(latest.timestamp) - Date.parse(measured) > hour;
    return isOld || valueOf(latest, metric) === null;
  });
}
