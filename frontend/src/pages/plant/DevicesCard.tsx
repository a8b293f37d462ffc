import type { Device, Plant } from "../../api/types";
import { Link } from "../../app/Link";
import { BatteryIcon, Icon, SignalIcon } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { useDevices } from "../../live/hooks";
import { DeviceBadge } from "../../ui/Badges";
import { Card } from "../../ui/Page";

/** What measures in this pot. */
export function DevicesCard({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const devices = useDevices().filter((device) => device.plant_id === plant.id);
  return (
    <Card title={t("plant.devices")} actions={<Link to="/devices">{t("plant.to_devices")}</Link>}>
      {devices.length === 0
        ? <p className="soft">{t("plant.no_devices")}</p>
        : <ul className="plain-list">{devices.map((device) => <DeviceLine key={device.id} device={device} />)}</ul>}
    </Card>
  );
}

function DeviceLine({ device }: { device: Device }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  return (
    <li className="device-line">
      <div className="device-line-name"><strong>{device.name}</strong><DeviceBadge status={device.status} /></div>
      <ul className="device-line-facts small soft">
        <li>
          <BatteryIcon percent={device.battery} />
          <span className="visually-hidden">{t("metric.battery")} </span>{format.value(device.battery, "battery")}
        </li>
        <li>
          <SignalIcon rssi={device.rssi} />
          <span className="visually-hidden">{t("metric.rssi")} </span>{format.value(device.rssi, "rssi")}
        </li>
        <li>
          <Icon name="clock" />
          {device.last_seen_at === null ? t("plant.never_seen")
            : t("plant.seen", { time: format.relative(device.last_seen_at, now) })}
        </li>
      </ul>
    </li>
  );
}
