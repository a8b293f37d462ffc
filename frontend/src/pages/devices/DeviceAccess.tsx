import { useState } from "react";
import { api } from "../../api/client";
import type { Credentials, Device } from "../../api/types";
import { useT } from "../../i18n";
import { live } from "../../live/hooks";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/Dialog";
import { toast } from "../../ui/Toasts";
import { useSubmission } from "../../ui/form";
import { NewCredentials } from "./NewCredentials";

/** New credentials, and farewell. */
export function DeviceAccess({ device, onGone }: { device: Device; onGone: () => void }): JSX.Element {
  const t = useT();
  const [asked, setAsked] = useState<"rotate" | "delete" | null>(null);
  const [credentials, setCredentials] = useState<Credentials | null>(null);
  const submission = useSubmission();

  async function rotate(): Promise<void> {
    const isDone = await submission.run(async () => {
      setCredentials(await api<Credentials>("POST", `/devices/${device.id}/rotate-credentials`));
    });
    if (isDone) setAsked(null);
  }
  async function remove(): Promise<void> {
    const isDone = await submission.run(() => api("DELETE", `/devices/${device.id}`));
    if (!isDone) return;
    toast(t("devices.deleted", { name: device.name }));
    onGone();
    live.removeDevice(device.id);
  }
  function giveUp(): void {
    submission.clear();
    setAsked(null);
  }
  if (credentials) return <NewCredentials credentials={credentials} onDone={() => setCredentials(null)} />;
  return (
    <div className="device-access">
      <section>
        <h3>{t("devices.rotate")}</h3>
        <p className="soft">{t("devices.rotate_hint")}</p>
        <Button icon="key" disabled={!device.approved} onClick={() => setAsked("rotate")}>{t("devices.rotate")}</Button>
      </section>
      <section>
        <h3>{t("devices.delete")}</h3>
        <p className="soft">{t("devices.delete_hint")}</p>
        <Button kind="danger" icon="trash" onClick={() => setAsked("delete")}>{t("devices.delete")}</Button>
      </section>
      {asked === "rotate" && (
        <ConfirmDialog title={t("devices.rotate_title", { name: device.name })} text={t("devices.rotate_text")}
          action={t("devices.rotate")} isBusy={submission.isBusy} problem={submission.problem}
          onConfirm={() => void rotate()} onClose={giveUp} />
      )}
      {asked === "delete" && (
        <ConfirmDialog title={t("devices.delete_title", { name: device.name })} text={t("devices.delete_text")}
          action={t("devices.delete")} isBusy={submission.isBusy} problem={submission.problem}
          onConfirm={() => void remove()} onClose={giveUp} />
      )}
    </div>
  );
}
