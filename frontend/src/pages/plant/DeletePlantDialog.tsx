import { api } from "../../api/client";
import type { Plant } from "../../api/types";
import { navigate } from "../../app/router";
import { useT } from "../../i18n";
import { live } from "../../live/hooks";
import { ConfirmDialog } from "../../ui/Dialog";
import { useSubmission } from "../../ui/form";
import { toast } from "../../ui/Toasts";

export function DeletePlantDialog({ plant, onClose }: { plant: Plant; onClose: () => void }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  async function remove(): Promise<void> {
    const isDone = await submission.run(() => api("DELETE", `/plants/${plant.id}`));
    if (!isDone) return;
    toast(t("plant.delete.done", { name: plant.name }));
    navigate("/");
    live.removePlant(plant.id);
  }
  return (
    <ConfirmDialog title={t("plant.delete.title", { name: plant.name })} text={t("plant.delete.text")}
      action={t("plant.delete.action")} isBusy={submission.isBusy} problem={submission.problem}
      onConfirm={() => void remove()} onClose={onClose} />
  );
}
