import { useState, type FormEvent } from "react";
import { api } from "../../api/client";
import type { Plant, PlantEvent } from "../../api/types";
import { useT } from "../../i18n";
import { Button } from "../../ui/Button";
import { Segmented } from "../../ui/Choice";
import { Dialog } from "../../ui/Dialog";
import { TextAreaField, TextField } from "../../ui/Field";
import { readNumber, useSubmission } from "../../ui/form";
import { FormProblem } from "../../ui/Notice";
import { toast } from "../../ui/Toasts";

type Kind = PlantEvent["kind"];

const kinds: readonly Kind[] = ["watering", "fertilizing", "repotting", "note"];
const amounts = { min: 0.1, max: 100_000 };

/** What `<input type="datetime-local">` wants: the time of the wall. */
function localTime(moment: Date): string {
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function EventDialog({
  plant, onClose, onAdded,
}: { plant: Plant; onClose: () => void; onAdded: () => void }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  const [kind, setKind] = useState<Kind>("watering");
  const [opened] = useState(() => localTime(new Date()));
  const [at, setAt] = useState(opened);
  const [amount, setAmount] = useState("");
  const [note, setNote] = useState("");
  const hasAmount = kind === "watering" || kind === "fertilizing";

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    const found: Record<string, string> = {};
    const millilitres = hasAmount ? readNumber(amount) : null;
    if (millilitres === undefined) found["amount_ml"] = t("form.number");
    else if (millilitres !== null && (millilitres < amounts.min || millilitres > amounts.max)) {
      found["amount_ml"] = t("form.range", { min: amounts.min, max: amounts.max });
    }
    if (kind === "note" && note.trim() === "") found["note"] = t("form.required");
    const moment = new Date(at);
    if (Number.isNaN(moment.getTime())) found["at"] = t("plant.event.wrong_time");
    if (!submission.check(found)) return;
    const isDone = await submission.run(() => api("POST", `/plants/${plant.id}/events`, {
      body: {
        kind, note: note.trim() || null,
        // Unless it was changed it is now, to the second: waterings that sensors see are joined by their time.
        ...(at === opened ? {} : { at: moment.toISOString() }),
        ...(millilitres === null ? {} : { amount_ml: millilitres }),
      },
    }));
    if (!isDone) return;
    toast(t("plant.event.added"));
    onAdded();
    onClose();
  }
  const { errors } = submission;
  return (
    <Dialog title={t("plant.event.add")} onClose={onClose}>
      <form noValidate onSubmit={(event) => void save(event)}>
        <FormProblem problem={submission.problem} />
        <Segmented label={t("plant.event.kind")} value={kind} onValue={setKind}
          options={kinds.map((one) => ({ value: one, label: t(`plant.event.${one}`) }))} />
        {hasAmount && (
          <TextField label={t("plant.event.amount")} value={amount} onValue={setAmount} inputMode="decimal" isOptional
            error={errors["amount_ml"]} />
        )}
        <TextAreaField label={t("plant.event.note")} value={note} onValue={setNote} maxLength={2000}
          isOptional={kind !== "note"} error={errors["note"]} />
        <TextField label={t("plant.event.at")} type="datetime-local" value={at} onValue={setAt} error={errors["at"]} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={submission.isBusy}>{t("action.save")}</Button>
        </div>
      </form>
    </Dialog>
  );
}
