import { ApiError, api } from "../../api/client";
import type { Device, LatestTelemetry } from "../../api/types";
import { useResource } from "../../api/useResource";
import { Icon } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { usePlant } from "../../live/hooks";
import { isMetric, metricNames, metrics, valueOf } from "../../metrics";
import { Loaded } from "../../ui/Notice";
import { Battery, LastSeen, PlantOf, Signal } from "./DeviceParts";
import { useDeviceNews } from "./useDeviceNews";

/** How the device is, and what it measured last. */
export function DeviceNow({ device }: { device: Device }): JSX.Element {
  return (
    <div className="device-now">
      <Facts device={device} />
      {device.last_seen_at === null ? <NoReadings /> : <Readings device={device} />}
    </div>
  );
}

function Facts({ device }: { device: Device }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const plant = usePlant(device.plant_id ?? "");
  return (
    <dl className="facts">
      <dt>{t("devices.plant")}</dt>
      <dd><PlantOf device={device} plant={plant} /></dd>
      <dt>{t("devices.last_seen")}</dt>
      <dd><LastSeen at={device.last_seen_at} /></dd>
      <dt>{t("devices.expected")}</dt>
      <dd>
        {t("devices.every", { duration: format.duration(device.expected_interval_seconds) })}
        {device.reporting_interval_seconds === null && <span className="soft"> {t("devices.expected_learned")}</span>}
      </dd>
      <dt>{t("metric.battery")}</dt>
      <dd><Battery percent={device.battery} /></dd>
      <dt>{t("metric.rssi")}</dt>
      <dd><Signal rssi={device.rssi} /></dd>
      <dt>{t("devices.firmware")}</dt>
      <dd>{device.firmware_version ?? <span className="soft">{t("devices.not_known")}</span>}</dd>
      {device.uptime_seconds !== null && (
        <>
          <dt>{t("devices.uptime")}</dt>
          <dd>{format.duration(device.uptime_seconds)}</dd>
        </>
      )}
      {device.free_heap_bytes !== null && (
        <>
          <dt>{t("devices.memory")}</dt>
          <dd>{format.bytes(device.free_heap_bytes)}</dd>
        </>
      )}
      {device.sensor_types.length > 0 && (
        <>
          <dt>{t("devices.sensors")}</dt>
          <dd>{device.sensor_types.map((name) => format.metric(name)).join(", ")}</dd>
        </>
      )}
      <dt>{t("devices.since")}</dt>
      <dd>{format.date(device.created_at)}</dd>
      <dt>{t("devices.id")}</dt>
      <dd><code className="small">{device.id}</code></dd>
    </dl>
  );
}

function Readings({ device }: { device: Device }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const latest = useResource(`latest ${device.id}`, (signal) => latestTelemetry(device.id, signal));
  useDeviceNews(device.id, latest.reload);
  return (
    <section>
      <h3>{t("devices.latest")}</h3>
      <Loaded resource={latest}>
        {(telemetry) => telemetry === null ? <NoReadings /> : (
          <dl className="device-readings">
            {names(telemetry).map((name) => {
              const at = telemetry.measured_at[name];
              return (
                <div key={name}>
                  <dt><Icon name={isMetric(name) ? metrics[name].icon : "chart"} /> {format.metric(name)}</dt>
                  <dd>
                    <span className="figure">{format.value(valueOf(telemetry, name), name)}</span>
                    {at !== undefined && (
                      <time className="soft small" dateTime={at} title={format.dateTime(at)}>{format.relative(at, now)}</time>
                    )}
                  </dd>
                </div>
              );
            })}
          </dl>
        )}
      </Loaded>
    </section>
  );
}

function NoReadings(): JSX.Element {
  const t = useT();
  return <p className="soft">{t("devices.no_readings")}</p>;
}

/** The known ones in their order, then whatever else it measures. */
function names(telemetry: LatestTelemetry): string[] {
  const has = Object.keys(telemetry.measured_at);
  return [...metricNames.filter((name) => has.includes(name)), ...has.filter((name) => !isMetric(name)).sort()];
}

async function latestTelemetry(id: string, signal: AbortSignal): Promise<LatestTelemetry | null> {
  try {
    return await api<LatestTelemetry>("GET", `/devices/${id}/telemetry/latest`, { signal });
  } catch (error) {
    // It has been heard of, but by a heartbeat only.
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
