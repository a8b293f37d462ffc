import { useState } from "react";
import type { Device } from "../../api/types";
import { useSession } from "../../app/session";
import { useT } from "../../i18n";
import { DeviceBadge } from "../../ui/Badges";
import { Tabs } from "../../ui/Choice";
import { Dialog } from "../../ui/Dialog";
import { Notice } from "../../ui/Notice";
import { DeviceAccess } from "./DeviceAccess";
import { DeviceCommands } from "./DeviceCommands";
import { DeviceForm } from "./DeviceForm";
import { DeviceNow } from "./DeviceNow";

type Part = "now" | "settings" | "commands" | "access";

/** In no plant, and nothing said yet: where it stands is what is to be done first. */
function isNew(device: Device): boolean {
  return device.plant_id === null && device.last_seen_at === null && device.approved;
}

/** Everything about one device. */
export function DeviceDialog({ device, onClose }: { device: Device; onClose: () => void }): JSX.Element {
  const t = useT();
  const { may } = useSession();
  const [part, setPart] = useState<Part>(() => (isNew(device) && may("member") ? "settings" : "now"));
  const parts: readonly Part[] = may("member") ? ["now", "settings", "commands", "access"] : ["now", "commands"];
  return (
    <Dialog title={device.name} onClose={onClose} wide>
      <div className="device-dialog">
        <div className="device-dialog-lead">
          <DeviceBadge status={device.status} />
          <code className="soft small">{device.mac_address}</code>
        </div>
        {device.needs_enrollment && <Notice tone="critical">{t("devices.needs_enrollment")}</Notice>}
        {!device.approved && <Notice tone="warning">{t("devices.waits")}</Notice>}
        <Tabs label={t("devices.parts")} value={part} onValue={setPart}
          tabs={parts.map((value) => ({ value, label: t(`devices.part_${value}`) }))}>
          {part === "now" && <DeviceNow device={device} />}
          {part === "settings" && <DeviceForm device={device} />}
          {part === "commands" && <DeviceCommands device={device} mayChange={may("member")} />}
          {part === "access" && <DeviceAccess device={device} onGone={onClose} />}
        </Tabs>
      </div>
    </Dialog>
  );
}
