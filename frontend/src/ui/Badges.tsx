import type { DeviceStatus, PlantStatus, Severity } from "../api/types";
import { Icon, type IconName } from "../drawings/icons";
import { useT } from "../i18n";

export type Tone = "ok" | "warning" | "critical" | "stale" | "neutral";

/** A sign, a word and a colour: never the colour alone. */
export function Badge({ tone, icon, children }: { tone: Tone; icon: IconName; children: string }): JSX.Element {
  return <span className={`badge badge-${tone}`}><Icon name={icon} />{children}</span>;
}

/** How each status looks, also where there is no room for its word. */
export const plantSigns: Record<PlantStatus, [Tone, IconName]> = {
  ok: ["ok", "check"], warning: ["warning", "warning"], critical: ["critical", "critical"],
  stale: ["stale", "clock"], unknown: ["neutral", "question"],
};

export function statusIcon(status: PlantStatus): IconName {
  return plantSigns[status][1];
}

export function StatusBadge({ status }: { status: PlantStatus }): JSX.Element {
  const t = useT();
  const [tone, icon] = plantSigns[status];
  return <Badge tone={tone} icon={icon}>{t(`status.${status}`)}</Badge>;
}

const deviceSigns: Record<DeviceStatus, [Tone, IconName]> = {
  online: ["ok", "check"], offline: ["critical", "offline"], provisioning: ["neutral", "clock"],
  disabled: ["neutral", "bell-off"],
};

export function DeviceBadge({ status }: { status: DeviceStatus }): JSX.Element {
  const t = useT();
  const [tone, icon] = deviceSigns[status];
  return <Badge tone={tone} icon={icon}>{t(`device_status.${status}`)}</Badge>;
}

export function SeverityBadge({ severity }: { severity: Severity }): JSX.Element {
  const t = useT();
  return <Badge tone={severity} icon={severity}>{t(`severity.${severity}`)}</Badge>;
}
