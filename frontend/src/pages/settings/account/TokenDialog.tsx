import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import type { ApiToken, Role } from "../../../api/types";
import { useSession } from "../../../app/session";
import { useT, type MessageKey } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { SelectField, TextField } from "../../../ui/Field";
import { FormProblem } from "../../../ui/Notice";
import { useSubmission } from "../../../ui/form";
import { OnceSecret } from "../OnceSecret";

const roles: readonly Role[] = ["viewer", "member", "admin"];
const lifetimes: readonly { value: string; label: MessageKey }[] = [
  { value: "7", label: "settings.tokens.week" }, { value: "30", label: "settings.tokens.month" },
  { value: "90", label: "settings.tokens.quarter" }, { value: "365", label: "settings.tokens.year" },
  { value: "never", label: "settings.tokens.for_ever" },
];

/** Makes a token, then shows it this once. */
export function TokenDialog({ onMade, onClose }: { onMade: () => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const { may } = useSession();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [lifetime, setLifetime] = useState("90");
  // Only while this dialog is open.
  const [made, setMade] = useState<ApiToken | null>(null);
  const submission = useSubmission();
  const { errors } = submission;

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (!submission.check(name.trim() === "" ? { name: t("form.required") } : {})) return;
    await submission.run(async () => {
      setMade(await api<ApiToken>("POST", "/tokens", {
        body: { name: name.trim(), role, expires_in_days: lifetime === "never" ? null : Number(lifetime) },
      }));
      onMade();
    });
  }

  if (made) {
    return (
      <Dialog title={t("settings.tokens.made", { name: made.name })} onClose={onClose}>
        <OnceSecret label={t("settings.tokens.token")} secret={made.token ?? ""}>
          <p className="small soft">{t("settings.tokens.how")} <code>Authorization: Bearer …</code></p>
        </OnceSecret>
        <div className="dialog-actions">
          <Button kind="primary" onClick={onClose}>{t("settings.once_kept")}</Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("settings.tokens.make")} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <TextField label={t("settings.tokens.name")} hint={t("settings.tokens.name_hint")} value={name}
          onValue={setName}
          maxLength={100} autoComplete="off" required error={errors["name"]} />
        <div className="field-row">
          <SelectField label={t("settings.role")} value={role} onValue={setRole} error={errors["role"]}
            hint={t(`settings.role.${role}`)}
            options={roles.filter(may).map((value) => ({ value, label: t(`role.${value}`) }))} />
          <SelectField label={t("settings.tokens.lifetime")} value={lifetime} onValue={setLifetime}
            error={errors["expires_in_days"]}
            options={lifetimes.map(({ value, label }) => ({ value, label: t(label) }))} />
        </div>
        <FormProblem problem={submission.problem} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={submission.isBusy}>{t("settings.tokens.make")}</Button>
        </div>
      </form>
    </Dialog>
  );
}
