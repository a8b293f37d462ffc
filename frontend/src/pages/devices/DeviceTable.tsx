import type { MouseEvent } from "react";
import { Link } from "../../app/Link";
import { navigate } from "../../app/router";
import { Icon } from "../../drawings/icons";
import { useT, type MessageKey } from "../../i18n";
import { DeviceBadge } from "../../ui/Badges";
import type { DeviceOrder, PlacedDevice } from "./deviceList";
import { Battery, LastSeen, PlantOf, Signal } from "./DeviceParts";

/** Where a device is shown on top of the list. */
export function devicePath(id: string): string {
  const query = new URLSearchParams(window.location.search);
  query.set("device", id);
  return `/devices?${query.toString()}`;
}

const columns: readonly { order: DeviceOrder; label: MessageKey }[] = [
  { order: "name", label: "devices.name" },
  { order: "status", label: "devices.status" },
  { order: "plant", label: "devices.plant" },
  { order: "battery", label: "metric.battery" },
  { order: "signal", label: "metric.rssi" },
  { order: "seen", label: "devices.last_seen" },
];

interface Props {
  devices: readonly PlacedDevice[];
  order: DeviceOrder;
  isReversed: boolean;
  onOrder: (order: DeviceOrder) => void;
}

export function DeviceTable({ devices, order, isReversed, onOrder }: Props): JSX.Element {
  const t = useT();
  return (
    <div className="card device-table">
      <table>
        <caption className="visually-hidden">{t("nav.devices")}</caption>
        <thead>
          <tr>
            {columns.map((column) => {
              const isCurrent = column.order === order;
              return (
                <th key={column.order} scope="col"
                  aria-sort={isCurrent ? (isReversed ? "descending" : "ascending") : undefined}>
                  <button type="button" className="sort-button" onClick={() => onOrder(column.order)}>
                    {t(column.label)}
                    <Icon name={isCurrent ? (isReversed ? "chevron-down" : "chevron-up") : "sort"} size={14} />
                  </button>
                </th>
              );
            })}
            <th scope="col">{t("devices.firmware")}</th>
          </tr>
        </thead>
        <tbody>
          {devices.map((one) => <Row key={one.device.id} {...one} />)}
        </tbody>
      </table>
    </div>
  );
}

function Row({ device, plant }: PlacedDevice): JSX.Element {
  // The name is the link; that all of the row can be pressed is only a larger target for a mouse.
  function open(event: MouseEvent<HTMLTableRowElement>): void {
    const isText = (window.getSelection()?.toString() ?? "") !== "";
    if (isText || (event.target as HTMLElement).closest("a, button")) return;
    navigate(devicePath(device.id));
  }
  return (
    <tr onClick={open}>
      <th scope="row"><Link className="device-name" to={devicePath(device.id)}>{device.name}</Link></th>
      <td><DeviceBadge status={device.status} /></td>
      <td><PlantOf device={device} plant={plant} /></td>
      <td><Battery percent={device.battery} /></td>
      <td><Signal rssi={device.rssi} /></td>
      <td><LastSeen at={device.last_seen_at} /></td>
      <td className="small soft device-firmware">{device.firmware_version ?? "–"}</td>
    </tr>
  );
}

/** The same for a narrow screen. */
export function DeviceCards({ devices }: { devices: readonly PlacedDevice[] }): JSX.Element {
  return (
    <ul className="device-cards">
      {devices.map(({ device, plant }) => (
        <li key={device.id} className="card device-card">
          <div className="device-card-head">
            <h2><Link className="device-name" to={devicePath(device.id)}>{device.name}</Link></h2>
            <DeviceBadge status={device.status} />
          </div>
          <PlantOf device={device} plant={plant} />
          <div className="device-card-levels">
            <Battery percent={device.battery} />
            <Signal rssi={device.rssi} />
            <LastSeen at={device.last_seen_at} />
          </div>
        </li>
      ))}
    </ul>
  );
}
