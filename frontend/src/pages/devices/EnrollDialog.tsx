import { useState, type FormEvent } from "react";
import { api } from "../../api/client";
import type { EnrollmentToken, SystemConnection } from "../../api/types";
import { useResource } from "../../api/useResource";
import { useT } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { FormProblem, Notice } from "../../ui/Notice";
import { useSubmission } from "../../ui/form";
import { NewToken } from "./NewToken";
import { found, wholeNumber } from "./wholeNumber";

/** Lets devices in: a token is made, and shown this once. */
export function EnrollDialog({ onMade, onClose }: { onMade: () => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const [made, setMade] = useState<(EnrollmentToken & { token: string }) | null>(null);
  const { value: connection } = useResource<SystemConnection>("connection", (signal) =>
    api("GET", "/system/connection", { signal }));
  return (
    <Dialog title={t("devices.enroll")} onClose={onClose} wide={made !== null}>
      {made ? <NewToken made={made} connection={connection} onDone={onClose} /> : (
        <>
          {connection && connection.enrollment_mode !== "token" && (
            <Notice>{t(`devices.mode_${connection.enrollment_mode}`)}</Notice>
          )}
          <TokenForm onClose={onClose} onToken={(token) => {
            setMade(token);
            onMade();
          }} />
        </>
      )}
    </Dialog>
  );
}

function TokenForm({
  onToken, onClose,
}: { onToken: (token: EnrollmentToken & { token: string }) => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  const [label, setLabel] = useState("");
  const [uses, setUses] = useState("1");
  const [hours, setHours] = useState("24");

  async function make(event: FormEvent): Promise<void> {
    event.preventDefault();
    const maxUses = wholeNumber(uses, 1, 1_000_000, t);
    const expires = wholeNumber(hours, 1, 87_600, t);
    const isFine = submission.check(found({
      label: label.trim() === "" ? t("form.required") : undefined,
      max_uses: maxUses.error ?? (maxUses.value === null ? t("form.required") : undefined),
      expires_in_hours: expires.error ?? (expires.value === null ? t("form.required") : undefined),
    }));
    if (!isFine) return;
    await submission.run(async () => {
      onToken(await api("POST", "/enrollment-tokens", {
        body: { label: label.trim(), max_uses: maxUses.value, expires_in_hours: expires.value },
      }));
    });
  }
  return (
    <form noValidate onSubmit={(event) => void make(event)}>
      <p className="soft device-enroll-lead">{t("devices.enroll_text")}</p>
      <FormProblem problem={submission.problem} />
      <TextField label={t("devices.token_label")} hint={t("devices.token_label_hint")} value={label} onValue={setLabel}
        error={submission.errors["label"]} maxLength={100} autoComplete="off" required />
      <div className="field-row">
        <TextField label={t("devices.token_uses")} value={uses} onValue={setUses} inputMode="numeric" autoComplete="off"
          error={submission.errors["max_uses"]} required />
        <TextField label={t("devices.token_hours")} value={hours} onValue={setHours} inputMode="numeric"
          autoComplete="off" error={submission.errors["expires_in_hours"]} required />
      </div>
      <div className="dialog-actions">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button kind="primary" type="submit" icon="qr" busy={submission.isBusy}>{t("devices.token_make")}</Button>
      </div>
    </form>
  );
}
