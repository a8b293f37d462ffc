import { Link } from "../../app/Link";
import type { Device, Plant } from "../../api/types";
import { BatteryIcon, SignalIcon, signalBars } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";

export function Battery({ percent }: { percent: number | null }): JSX.Element {
  const format = useFormat();
  const t = useT();
  if (percent === null) return <Unknown what={t("metric.battery")} />;
  // As the alerts see it: below 20 % low, below 10 % critical.
  const tone = percent < 10 ? "critical" : percent < 20 ? "warning" : "fine";
  return (
    <span className={`device-level device-level-${tone}`}>
      <BatteryIcon percent={percent} />
      <span className="visually-hidden">{t("metric.battery")} </span>
      <span className="figure">{format.value(percent, "battery")}</span>
      {tone !== "fine" && <span className="small">{t(`devices.battery_${tone}`)}</span>}
    </span>
  );
}

export function Signal({ rssi }: { rssi: number | null }): JSX.Element {
  const format = useFormat();
  const t = useT();
  if (rssi === null) return <Unknown what={t("metric.rssi")} />;
  return (
    <span className="device-level" title={t(`devices.signal_${signalBars(rssi)}`)}>
      <SignalIcon rssi={rssi} />
      <span className="visually-hidden">{t("metric.rssi")} {t(`devices.signal_${signalBars(rssi)}`)}, </span>
      <span className="figure">{format.value(rssi, "rssi")}</span>
    </span>
  );
}

/** How long ago, and when exactly. */
export function LastSeen({ at }: { at: string | null }): JSX.Element {
  const format = useFormat();
  const t = useT();
  const now = useNow();
  if (at === null) return <span className="soft">{t("time.never")}</span>;
  return (
    <time dateTime={at} className="device-seen">
      <span>{format.relative(at, now)}</span>
      <span className="soft small figure">{format.dateTime(at)}</span>
    </time>
  );
}

export function PlantOf({ device, plant }: { device: Device; plant: Plant | undefined }): JSX.Element {
  const t = useT();
  if (device.plant_id === null || !plant) return <span className="soft">{t("devices.no_plant")}</span>;
  return (
    <span className="device-plant">
      <Link to={`/plants/${plant.id}`}>{plant.name}</Link>
      {plant.room !== null && <span className="soft small">{plant.room}</span>}
    </span>
  );
}

function Unknown({ what }: { what: string }): JSX.Element {
  const t = useT();
  return (
    <span className="soft">
      <span aria-hidden="true">–</span>
      <span className="visually-hidden">{what}: {t("devices.not_known")}</span>
    </span>
  );
}
