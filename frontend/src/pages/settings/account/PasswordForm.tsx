import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import type { Role } from "../../../api/types";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { TextField } from "../../../ui/Field";
import { FormProblem } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { toast } from "../../../ui/Toasts";
import { useSubmission } from "../../../ui/form";

/** As the API has it. */
export const passwordLength = { min: 8, max: 200 };

export function PasswordForm({ email, role }: { email: string; role: Role }): JSX.Element {
  const t = useT();
  const [current, setCurrent] = useState("");
  const [wanted, setWanted] = useState("");
  const [again, setAgain] = useState("");
  const submission = useSubmission();
  const { errors } = submission;

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const isFine = submission.check({
      ...(current === "" ? { current_password: t("form.required") } : {}),
      ...(wanted.length < passwordLength.min ? { new_password: t("settings.password_length", passwordLength) } : {}),
      ...(wanted !== again ? { again: t("settings.account.password_differs") } : {}),
    });
    if (!isFine) return;
    const isDone = await submission.run(() =>
      api("PUT", "/auth/password", { body: { current_password: current, new_password: wanted } }));
    if (!isDone) return;
    setCurrent("");
    setWanted("");
    setAgain("");
    toast(t("settings.account.password_changed"));
  }

  return (
    <Card title={t("settings.account.password")}>
      <form className="settings-form" onSubmit={(event) => void submit(event)} noValidate>
        <p className="settings-explanation">
          {t("nav.signed_in_as", { email })} ({t(`role.${role}`)}). {t("settings.account.password_text")}
        </p>
        {/* Tells password managers whose password that is. */}
        <span className="visually-hidden" aria-hidden="true">
          <input type="text" name="username" autoComplete="username" value={email} readOnly tabIndex={-1} />
        </span>
        <TextField label={t("settings.account.current_password")} type="password" autoComplete="current-password"
          required
          value={current} onValue={setCurrent} error={errors["current_password"]} />
        <div className="field-row">
          <TextField label={t("settings.account.new_password")} type="password" autoComplete="new-password" required
            hint={t("settings.password_length", passwordLength)} value={wanted} onValue={setWanted}
            error={errors["new_password"]} />
          <TextField label={t("settings.account.password_again")} type="password" autoComplete="new-password" required
            value={again} onValue={setAgain} error={errors["again"]} />
        </div>
        <FormProblem problem={submission.problem} />
        <Button kind="primary" type="submit" busy={submission.isBusy}>{t("settings.account.change_password")}</Button>
      </form>
    </Card>
  );
}
