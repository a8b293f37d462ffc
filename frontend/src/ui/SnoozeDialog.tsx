import { api } from "../api/client";
import type { Plant } from "../api/types";
import { useFormat, useNow } from "../format";
import { useT } from "../i18n";
import { live } from "../live/hooks";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { FormProblem } from "./Notice";
import { toast } from "./Toasts";
import { useSubmission } from "./form";

const choices = [
  { label: "snooze.hours", count: 1, minutes: 60 }, { label: "snooze.hours", count: 8, minutes: 480 },
  { label: "snooze.days", count: 1, minutes: 1_440 }, { label: "snooze.days", count: 3, minutes: 4_320 },
  { label: "snooze.days", count: 7, minutes: 10_080 },
] as const;

/** Nobody is told of this plant for a while. */
export function SnoozeDialog({ plant, onClose }: { plant: Plant; onClose: () => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const submission = useSubmission();
  const isSnoozed = plant.snoozed_until !== null && Date.parse(plant.snoozed_until) > now;

  async function snooze(minutes: number): Promise<void> {
    const isDone = await submission.run(async () => {
      live.putPlant(await api<Plant>("POST", `/plants/${plant.id}/snooze`, { body: { minutes } }));
    });
    if (!isDone) return;
    toast(t(minutes === 0 ? "snooze.over" : "snooze.done", { name: plant.name }));
    onClose();
  }
  return (
    <Dialog title={t("snooze.plant", { name: plant.name })} onClose={onClose}>
      <p className="soft">{t("snooze.text")}</p>
      <FormProblem problem={submission.problem} />
      <div className="snooze-choices">
        {choices.map(({ label, count, minutes }) => (
          <Button key={minutes} disabled={submission.isBusy} onClick={() => void snooze(minutes)}>
            {t(label, { count })}
          </Button>
        ))}
      </div>
      {isSnoozed && (
        <p className="snooze-end">
          <span>{t("snooze.until", { time: format.dateTime(plant.snoozed_until ?? "") })}</span>
          <Button icon="bell" disabled={submission.isBusy} onClick={() => void snooze(0)}>{t("snooze.end")}</Button>
        </p>
      )}
    </Dialog>
  );
}
