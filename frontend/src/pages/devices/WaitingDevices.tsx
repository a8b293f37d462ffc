import { useState } from "react";
import { api } from "../../api/client";
import type { Device } from "../../api/types";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { live } from "../../live/hooks";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/Dialog";
import { FormProblem } from "../../ui/Notice";
import { Card } from "../../ui/Page";
import { toast } from "../../ui/Toasts";
import { useSubmission } from "../../ui/form";

/** Devices that ask to be let in, and known ones that ask with new credentials. */
export function WaitingDevices({ devices, mayChange }: { devices: readonly Device[]; mayChange: boolean }): JSX.Element {
  const t = useT();
  return (
    <Card title={t("devices.waiting", { count: devices.length })} className="device-waiting">
      <p className="soft">{t("devices.waiting_text")}</p>
      <ul>
        {devices.map((device) => <Waiting key={device.id} device={device} mayChange={mayChange} />)}
      </ul>
    </Card>
  );
}

function Waiting({ device, mayChange }: { device: Device; mayChange: boolean }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const approval = useSubmission();
  const rejection = useSubmission();
  const [isRejecting, setRejecting] = useState(false);
  // A device that was never heard of and stands nowhere is new; rejecting it forgets it.
  const isNew = device.last_seen_at === null;

  const approve = (): Promise<boolean> => approval.run(async () => {
    live.putDevice(await api<Device>("POST", `/devices/${device.id}/approve`));
    toast(t("devices.approved", { name: device.name }));
  });
  async function reject(): Promise<void> {
    const isDone = await rejection.run(async () => {
      await api("POST", `/devices/${device.id}/reject`);
      if (isNew) live.removeDevice(device.id);
      else live.putDevice(await api<Device>("GET", `/devices/${device.id}`));
      toast(t("devices.rejected", { name: device.name }));
    });
    if (isDone) setRejecting(false);
  }
  return (
    <li>
      <div>
        <h3>{device.name}</h3>
        <p>{t(isNew ? "devices.waits_new" : "devices.waits_known")}</p>
        <dl className="facts small">
          <dt>{t("devices.mac")}</dt>
          <dd><code>{device.mac_address}</code></dd>
          {device.requested_from !== null && (
            <>
              <dt>{t("devices.asked_from")}</dt>
              <dd><code>{device.requested_from}</code></dd>
            </>
          )}
          {device.requested_at !== null && (
            <>
              <dt>{t("devices.asked_at")}</dt>
              <dd>
                <time dateTime={device.requested_at}>
                  {format.relative(device.requested_at, now)} ({format.dateTime(device.requested_at)})
                </time>
              </dd>
            </>
          )}
        </dl>
        <FormProblem problem={approval.problem} />
      </div>
      {mayChange && (
        <div className="device-waiting-actions">
          <Button kind="primary" icon="check" busy={approval.isBusy} aria-label={t("devices.approve_name", { name: device.name })}
            onClick={() => void approve()}>
            {t("devices.approve")}
          </Button>
          <Button kind="danger" icon="close" aria-label={t("devices.reject_name", { name: device.name })}
            onClick={() => setRejecting(true)}>
            {t("devices.reject")}
          </Button>
        </div>
      )}
      {isRejecting && (
        <ConfirmDialog title={t("devices.reject_name", { name: device.name })} action={t("devices.reject")}
          text={t(isNew ? "devices.reject_new_text" : "devices.reject_known_text")} isBusy={rejection.isBusy}
          problem={rejection.problem} onConfirm={() => void reject()}
          onClose={() => {
            rejection.clear();
            setRejecting(false);
          }} />
      )}
    </li>
  );
}
