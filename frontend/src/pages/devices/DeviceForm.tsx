import { useState, type FormEvent } from "react";
import { api } from "../../api/client";
import type { Device } from "../../api/types";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { live, usePlants } from "../../live/hooks";
import { Button } from "../../ui/Button";
import { CheckField, SelectField, TextField } from "../../ui/Field";
import { FormProblem } from "../../ui/Notice";
import { toast } from "../../ui/Toasts";
import { useSubmission } from "../../ui/form";
import { found, wholeNumber } from "./wholeNumber";

interface Fields {
  name: string;
  plantId: string;
  interval: string;
  isEnabled: boolean;
}

function fieldsOf(device: Device): Fields {
  return {
    name: device.name, plantId: device.plant_id ?? "", interval: device.reporting_interval_seconds?.toString() ?? "",
    isEnabled: device.enabled,
  };
}

/** What people decide of a device: its name, where it stands, how often it is expected, and whether it may speak at all. */
export function DeviceForm({ device }: { device: Device }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const plants = usePlants();
  const submission = useSubmission();
  /** Only what was touched: the rest stays as it is, also when somebody else changes it while this is open. */
  const [edits, setEdits] = useState<Partial<Fields>>({});
  const { name, plantId, interval, isEnabled } = { ...fieldsOf(device), ...edits };
  const edit = (change: Partial<Fields>): void => setEdits((old) => ({ ...old, ...change }));

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    const seconds = wholeNumber(interval, 1, 86_400, t);
    const errors = found({
      name: name.trim() === "" ? t("form.required") : name.trim().length > 100 ? t("devices.name_long") : undefined,
      reporting_interval_seconds: seconds.error,
    });
    if (!submission.check(errors)) return;
    const isDone = await submission.run(async () => {
      const changes = {
        ...(name.trim() === device.name ? {} : { name: name.trim() }),
        ...(seconds.value === device.reporting_interval_seconds ? {} : { reporting_interval_seconds: seconds.value }),
        ...(isEnabled === device.enabled ? {} : { enabled: isEnabled }),
      };
      if (Object.keys(changes).length > 0) {
        live.putDevice(await api<Device>("PATCH", `/devices/${device.id}`, { body: changes }));
      }
      if (plantId !== (device.plant_id ?? "")) await stand(device.id, plantId);
    });
    if (!isDone) return;
    setEdits({});
    toast(t("action.saved"));
  }
  const sorted = [...plants].sort((a, b) => a.name.localeCompare(b.name));
  return (
    <form noValidate onSubmit={(event) => void save(event)}>
      <FormProblem problem={submission.problem} />
      <TextField label={t("devices.name")} value={name} onValue={(text) => edit({ name: text })} error={submission.errors["name"]}
        maxLength={100} autoComplete="off" required />
      <SelectField label={t("devices.plant")} value={plantId} onValue={(id) => edit({ plantId: id })} error={submission.errors["plant_id"]}
        hint={t("devices.plant_hint")} options={[
          { value: "", label: t("devices.no_plant") },
          ...sorted.map((plant) => ({
            value: plant.id, label: plant.room === null ? plant.name : `${plant.name} (${plant.room})`,
          })),
        ]} />
      <TextField label={t("devices.interval")} value={interval} onValue={(text) => edit({ interval: text })} inputMode="numeric" isOptional
        error={submission.errors["reporting_interval_seconds"]} autoComplete="off"
        hint={t("devices.interval_hint", { duration: format.duration(device.expected_interval_seconds) })} />
      <CheckField label={t("devices.enabled")} hint={t("devices.enabled_hint")} checked={isEnabled} onValue={(enabled) => edit({ isEnabled: enabled })} />
      <div className="dialog-actions">
        <Button kind="primary" type="submit" busy={submission.isBusy}>{t("action.save")}</Button>
      </div>
    </form>
  );
}

/** Puts a device into a plant, or with "" out of the one it is in. */
async function stand(id: string, plantId: string): Promise<void> {
  live.putDevice(plantId === ""
    ? await api<Device>("POST", `/devices/${id}/unassign`)
    : await api<Device>("POST", `/devices/${id}/provision`, { body: { plant_id: plantId } }));
}
