import assert from "node:assert/strict";
import test from "node:test";
import type { Plant } from "../src/api/types";
import { unmeasured } from "../src/metrics";

function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

function plant(minutes: number, values: Record<string, number>, measured: Record<string, string> = {}): Plant {
  const thresholds = { soil_moisture: { min: 20, max: null }, humidity: { min: null, max: 70 }, light_level: { min: null, max: null } };
  return { thresholds, latest_telemetry: { ...values, timestamp: ago(minutes), measured_at: measured } } as unknown as Plant;
}

test("what has a limit and no value is missing; what has no limit is not", () => {
  assert.deepEqual(unmeasured(plant(1, { soil_moisture: 40 })), ["humidity"]);
  assert.deepEqual(unmeasured(plant(1, { soil_moisture: 40, humidity: 50 })), []);
});

test("what was measured long before the newest reading is missing", () => {
  const values = { soil_moisture: 40, humidity: 50 };
  assert.deepEqual(unmeasured(plant(1, values, { soil_moisture: ago(1), humidity: ago(90) })), ["humidity"]);
  assert.deepEqual(unmeasured(plant(1, values, { soil_moisture: ago(1), humidity: ago(30) })), []);
});

test("where nothing is heard of the plant, nothing in particular is missing", () => {
  assert.deepEqual(unmeasured(plant(90, { soil_moisture: 40 })), []);
  assert.deepEqual(unmeasured({ ...plant(1, {}), latest_telemetry: null }), []);
});
