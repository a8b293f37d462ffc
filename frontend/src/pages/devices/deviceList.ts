import type { Device, DeviceStatus, Plant } from "../../api/types";

export type DeviceFilter = "all" | DeviceStatus | "no_plant";
export type DeviceOrder = "name" | "status" | "plant" | "battery" | "signal" | "seen";

export const filters: readonly DeviceFilter[] = ["all", "online", "offline", "provisioning", "disabled", "no_plant"];
export const orders: readonly DeviceOrder[] = ["name", "status", "plant", "battery", "signal", "seen"];

/** A device and the plant it stands in. */
export interface PlacedDevice {
  device: Device;
  plant: Plant | undefined;
}

/** Somebody has to say yes or no: to a new device, or to new credentials of a known one. */
export function isWaiting(device: Device): boolean {
  return !device.approved;
}

export function place(devices: readonly Device[], plants: readonly Plant[]): PlacedDevice[] {
  const byId = new Map(plants.map((plant) => [plant.id, plant]));
  return devices.map((device) => ({
    device, plant: device.plant_id === null ? undefined : byId.get(device.plant_id),
  }));
}

export function passes(device: Device, filter: DeviceFilter): boolean {
  if (filter === "all") return true;
  return filter === "no_plant" ? device.plant_id === null : device.status === filter;
}

function matches({ device, plant }: PlacedDevice, words: readonly string[]): boolean {
  const text = [device.name, device.mac_address, device.id, device.firmware_version, plant?.name, plant?.room]
    .filter(Boolean).join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

const urgency: Record<DeviceStatus, number> = { offline: 0, provisioning: 1, online: 2, disabled: 3 };

/** What is worst or oldest first, but names from A; what is not known comes last. */
const comparisons: Record<DeviceOrder, (a: PlacedDevice, b: PlacedDevice) => number> = {
  name: () => 0,
  status: (a, b) => urgency[a.device.status] - urgency[b.device.status],
  plant: (a, b) => byText(a.plant?.name, b.plant?.name),
  battery: (a, b) => byNumber(a.device.battery, b.device.battery),
  signal: (a, b) => byNumber(a.device.rssi, b.device.rssi),
  seen: (a, b) => byNumber(time(a.device.last_seen_at), time(b.device.last_seen_at)),
};

function time(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}

function byNumber(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a - b;
}

function byText(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a.localeCompare(b, undefined, { numeric: true });
}

export function arrange(
  devices: readonly PlacedDevice[], search: string, filter: DeviceFilter, order: DeviceOrder, isReversed: boolean,
): PlacedDevice[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const compare = comparisons[order];
  const sign = isReversed ? -1 : 1;
  return devices
    .filter((one) => passes(one.device, filter) && matches(one, words))
    .sort((a, b) => sign * (compare(a, b) || byText(a.device.name, b.device.name)) || byText(a.device.id, b.device.id));
}

/** One of the known words, or the first: an address may say anything. */
export function choice<Value extends string>(text: string | null, known: readonly Value[]): Value {
  return known.find((one) => one === text) ?? (known[0] as Value);
}
