// What the API answers (see /api/openapi.json). Times are RFC 3339 in UTC; a metric's unit is in metrics.ts.

export type Role = "viewer" | "member" | "admin";
export type PlantStatus = "ok" | "warning" | "critical" | "stale" | "unknown";
export type DeviceStatus = "disabled" | "provisioning" | "online" | "offline";
export type Severity = "warning" | "critical";
export type Direction = "min" | "max";

export interface Page {
  /** Of all there are, not of this page. */
  total: number;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  correlation_id: string;
  /** Of status 422: JSON pointers into the body, such as /thresholds/soil_moisture/min. */
  errors?: { pointer: string; detail: string }[];
}

export interface Me {
  id: string | null;
  email: string | null;
  role: Role;
  via: "session" | "token" | "disabled";
  auth_mode: "required" | "disabled";
}

export interface Limits {
  min?: number | null;
  max?: number | null;
}

/** By metric. In a change, null clears. */
export type Thresholds = Record<string, Limits>;
export type ThresholdsChange = Record<string, Limits | null>;

export interface LatestTelemetry {
  timestamp: string;
  received_at: string;
  time_source: "device" | "server";
  measured_at: Record<string, string>;
  device_id?: string;
  /** Metrics and extra metrics, by name. */
  [metric: string]: number | string | Record<string, string> | null | undefined;
}

export interface Derived {
  absolute_humidity_g_m3?: number;
  dew_point_celsius?: number;
  dli_mol_m2_d?: number;
  ppfd_umol_m2_s?: number;
  soil_ec_25_us_cm?: number;
  vpd_kpa?: number;
}

/** Of the room's width and depth. */
export interface Position {
  x: number;
  y: number;
}

export type LightSource = "sun" | "metal_halide" | "high_pressure_sodium" | "fluorescent" | "white_led";

export interface Plant {
  id: string;
  name: string;
  species: string | null;
  room: string | null;
  position: Position | null;
  light_source: LightSource;
  thresholds: Thresholds;
  suggested_thresholds: Thresholds | null;
  device_count: number;
  latest_telemetry: LatestTelemetry | null;
  derived: Derived;
  status: PlantStatus;
  snoozed_until: string | null;
  created_at: string;
  updated_at: string;
}

export interface PlantFields {
  name?: string;
  species?: string | null;
  room?: string | null;
  position?: Position | null;
  light_source?: LightSource | null;
  thresholds?: ThresholdsChange | null;
}

export interface Device {
  id: string;
  name: string;
  mac_address: string;
  status: DeviceStatus;
  plant_id: string | null;
  approved: boolean;
  enabled: boolean;
  /** It was seen with credentials that nobody has let in yet, or has lost its own. */
  needs_enrollment: boolean;
  requested_at: string | null;
  requested_from: string | null;
  firmware_version: string | null;
  sensor_types: string[];
  reporting_interval_seconds: number | null;
  expected_interval_seconds: number;
  last_seen_at: string | null;
  battery: number | null;
  rssi: number | null;
  uptime_seconds: number | null;
  free_heap_bytes: number | null;
  created_at: string;
}

/** Shown once: a device's identity at the broker. */
export interface Credentials {
  device_id: string;
  mqtt_client_id: string;
  mqtt_username: string;
  mqtt_password: string;
  mqtt_host: string;
  mqtt_port: number;
  ca_certificate: string | null;
}

export interface DeviceCommand {
  id: string;
  device_id: string;
  command: string;
  args: Record<string, unknown> | null;
  status: "pending" | "sent" | "succeeded" | "failed" | "expired";
  detail: string | null;
  created_at: string;
  sent_at: string | null;
  result_at: string | null;
}

export interface EnrollmentToken {
  id: string;
  label: string;
  max_uses: number;
  uses: number;
  created_at: string;
  expires_at: string;
  /** Only in the answer to making it. */
  token?: string;
}

export type AlertKind =
  | "threshold" | "device_offline" | "battery_low" | "sensor_stuck"
  | "certificate_expiring" | "disk_filling" | "ingest_stalled" | "dead_letters";

export interface Alert {
  id: string;
  kind: AlertKind;
  plant_id: string | null;
  plant_name: string | null;
  device_id: string | null;
  device_name: string | null;
  metric: string | null;
  direction: Direction | null;
  severity: Severity;
  state: "pending" | "firing" | "resolved";
  value: number | null;
  limit: number | null;
  unit: string | null;
  detail: string | null;
  started_at: string;
  fired_at: string | null;
  resolved_at: string | null;
  duration_seconds: number;
  resolution: "recovered" | "limit_removed" | "device_removed" | "plant_deleted" | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
}

export interface AlertNotification {
  at: string;
  event: "fired" | "escalated" | "reminder" | "resolved";
  state: "waiting" | "sent" | "failed" | "cancelled" | "skipped";
  channel: string;
  channel_id: string;
  attempts: number;
  error: string | null;
  sent_at: string | null;
}

export interface History {
  plant_id: string;
  from: string;
  to: string;
  resolution: "raw" | "5m" | "1h" | "1d";
  time: string[];
  series: Record<string, HistorySeries>;
}

export interface HistorySeries {
  unit: string | null;
  avg: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
}

export interface Sparklines extends Page {
  metric: string;
  unit: string | null;
  from: string;
  to: string;
  step_seconds: number;
  plants: { id: string; values: (number | null)[] }[];
}

export interface PlantEvent {
  id: string;
  plant_id: string;
  device_id: string | null;
  kind: "watering" | "note" | "fertilizing" | "repotting";
  source: "entered" | "detected";
  at: string;
  amount_ml: number | null;
  note: string | null;
  value_before: number | null;
  value_after: number | null;
  unit: string | null;
  created_at: string;
  created_by: string | null;
}

export interface Forecast {
  plant_id: string;
  metric: string;
  value: number | null;
  minimum: number | null;
  unit: string;
  measured_at: string | null;
  reaches_min_at: string | null;
  low: string | null;
  high: string | null;
  basis: { kind: string; cycles: number; residual: number; since: string; text: string } | null;
  reason: { code: string; text: string } | null;
}

export interface HealthCheck {
  plant_id: string;
  checked_at: string;
  status: PlantStatus;
  summary: string;
  issues: {
    kind: string; severity: Severity | "info"; text: string; metric: string | null;
    value: number | null; limit: number | null; unit: string | null; since: string | null;
  }[];
  trends: {
    metric: string; unit: string | null; direction: "rising" | "falling" | "steady" | "unknown"; text: string;
    now: number | null; mean: number; min: number; max: number; change: number | null; change_hours: number | null;
  }[];
}

export type CareItem = "plan" | "watering" | "light" | "humidity" | "temperature";
export type CareFeedback = "done" | "not_helpful";

export interface CareRange {
  current: string;
  ideal: string;
  recommendation: string;
}

export interface CarePlanSummary {
  id: string;
  plant_id: string;
  summary: string;
  watering: { frequency: string; amount: string; next_date: string | null };
  light: CareRange;
  humidity: CareRange;
  temperature: CareRange;
  alerts: string[];
  tips: string[];
  changes: string[];
  feedback: { item: CareItem; feedback: CareFeedback; at: string; by: string | null }[];
  generated_at: string;
  source: "anthropic" | "openai" | "builtin";
  model: string | null;
  note: string | null;
  reason: "requested" | "weekly" | "changed" | "first";
}

export interface CarePlan extends CarePlanSummary {
  evidence: {
    id: string; topic: string; kind: string; metric: string | null; value: number | null; text: string | null;
    unit: string | null; time: string | null; hours: number | null;
  }[];
  /** Of the answer to analyze: nothing had changed. */
  cached?: boolean;
}

export interface Replay {
  days: number;
  would_have_fired: number;
  by_metric: Record<string, number>;
  episodes: { metric: string; direction: Direction; severity: Severity; from: string; to: string | null }[];
}

export interface QuietHours {
  from: string;
  to: string;
  time_zone: string;
}

export interface AlertSettings {
  for_seconds: number;
  cooldown_minutes: number;
  hysteresis_percent: number;
  quiet_hours: QuietHours | null;
  digest: boolean;
  time_zone: string;
}

export interface Channel {
  id: string;
  kind: "discord" | "webhook";
  name: string;
  /** Masked. */
  url: string;
  /** Masked, but in the answer that made it. */
  secret: string | null;
  min_severity: Severity;
  plant_ids: string[] | null;
  rooms: string[] | null;
  quiet_hours: QuietHours | null;
  inherits_quiet_hours: boolean;
  digest: boolean | null;
  enabled: boolean;
  delivery: {
    waiting: number; failed: number; last_delivered_at: string | null;
    last_error: string | null; last_error_at: string | null;
  };
  created_at: string;
  updated_at: string;
}

export interface LLMSettings {
  provider: "anthropic" | "openai" | null;
  model: string | null;
  base_url: string | null;
  api_key_set: boolean;
  api_key_masked: string | null;
  automatic: boolean;
  monthly_token_budget: number | null;
  defaults: { anthropic: string; openai: string };
  last_error: { at: string; text: string } | null;
  usage: { month: string; requests: number; input_tokens: number; output_tokens: number; resets_at: string };
  updated_at: string | null;
}

export interface Species {
  /** null: built in. */
  id: string | null;
  scientific_name: string;
  common_name: string | null;
  source: "builtin" | "own";
  light: "shade" | "partial" | "full" | null;
  water: "low" | "moderate" | "high" | null;
  usda_zone_min: number | null;
  thresholds: Thresholds;
  own_thresholds: Thresholds | null;
}

export interface Storage {
  taken_at: string;
  database_bytes: number;
  growth_bytes_per_day: number | null;
  growth_basis: "samples" | "estimate" | "unknown";
  days_until_full: number | null;
  disk: { path: string; total_bytes: number; free_bytes: number } | null;
  readings: {
    kind: "timescale" | "native"; oldest_at: string | null; newest_at: string | null;
    compression: { before_bytes: number; after_bytes: number } | null;
  };
  retention: { raw_days: number | null; raw_from: string | null };
  tables: { name: string; bytes: number; rows_estimate: number | null }[];
}

export interface Health {
  status: "healthy" | "degraded" | "unhealthy";
  timestamp: string;
  version: string;
  uptime_seconds: number;
  memory_bytes: number;
  components: {
    database: { status: "connected" | "disconnected"; message?: string };
    mqtt: { status: "connected" | "disconnected"; message?: string };
    ingest: { last_commit_at: string | null; lag_seconds: number };
    certificate: { days_left: number | null; message?: string };
  };
}

/** How devices and people reach this installation. */
export interface SystemConnection {
  mqtt_host: string;
  mqtt_port: number;
  /** PEM; null where a well-known authority has signed. */
  ca_certificate: string | null;
  /** Without a path; null when nobody set it. */
  public_url: string | null;
  enrollment_mode: "token" | "approval" | "open";
  sign_in_required: boolean;
  time_zone: string;
  broker_certificate_expires_at: string | null;
  version: string;
}

export interface User {
  id: string;
  email: string;
  role: Role;
  last_sign_in_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface ApiToken {
  id: string;
  name: string;
  role: Role;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  /** Only in the answer to making it. */
  token?: string;
}

export interface AuditEntry {
  id: string;
  at: string;
  action: string;
  actor: { kind: string; id: string | null; name: string | null };
  subject: { kind: string; id: string | null; name: string | null } | null;
  address: string | null;
  correlation_id: string | null;
  details: Record<string, unknown>;
}

export interface Reject {
  id: string;
  received_at: string;
  topic: string;
  device_id: string | null;
  reason: string;
  detail: string;
  advice: string | null;
  payload: string;
  payload_bytes: number;
}
