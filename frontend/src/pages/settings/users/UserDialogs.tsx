import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import type { Role, User } from "../../../api/types";
import { useSession } from "../../../app/session";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { SelectField, TextField } from "../../../ui/Field";
import { FormProblem } from "../../../ui/Notice";
import { useSubmission } from "../../../ui/form";
import { passwordLength } from "../account/PasswordForm";

const roles: readonly Role[] = ["viewer", "member", "admin"];
interface Props { onDone: (text: string) => void; onClose: () => void }

/** Adds a user, or changes address and role of one. */
export function UserDialog({ user, onDone, onClose }: Props & { user: User | null }): JSX.Element {
  const t = useT();
  const { me, refresh } = useSession();
  const [email, setEmail] = useState(user?.email ?? "");
  const [role, setRole] = useState<Role>(user?.role ?? "viewer");
  const [password, setPassword] = useState("");
  const submission = useSubmission();
  const { errors } = submission;
  const isSelf = user !== null && user.id === me.id;

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const isFine = submission.check({
      ...(/^\S+@\S+$/.test(email.trim()) ? {} : { email: t("settings.users.email_wrong") }),
      ...(user === null && password.length < passwordLength.min ? { password: t("settings.password_length", passwordLength) } : {}),
    });
    if (!isFine) return;
    const isDone = await submission.run(async () => {
      if (user === null) {
        await api("POST", "/users", { body: { email: email.trim(), role, password } });
      } else {
        await api("PATCH", `/users/${user.id}`, {
          body: { ...(email.trim() === user.email ? {} : { email: email.trim() }), ...(role === user.role ? {} : { role }) },
        });
        if (isSelf) await refresh();
      }
    });
    if (isDone) onDone(t(user === null ? "settings.users.added" : "settings.users.changed", { email: email.trim() }));
  }

  return (
    <Dialog title={user === null ? t("settings.users.add") : t("settings.users.edit_title", { email: user.email })}
      onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <TextField label={t("settings.users.email")} type="email" autoComplete="off" autoCapitalize="none"
          spellCheck={false}
          required maxLength={254} value={email} onValue={setEmail} error={errors["email"]} />
        <SelectField label={t("settings.role")} value={role} onValue={setRole} error={errors["role"]} disabled={isSelf}
          hint={isSelf ? t("settings.users.own_role") : t(`settings.role.${role}`)}
          options={roles.map((value) => ({ value, label: t(`role.${value}`) }))} />
        {user === null && (
          <TextField label={t("settings.users.first_password")} type="password" autoComplete="new-password" required
            hint={t("settings.users.first_password_hint", passwordLength)}
            value={password} onValue={setPassword} error={errors["password"]} />
        )}
        <FormProblem problem={submission.problem} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={submission.isBusy}>
            {user === null ? t("settings.users.add") : t("action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Sets somebody's password, who then has to sign in anew everywhere. */
export function PasswordDialog({ user, onDone, onClose }: Props & { user: User }): JSX.Element {
  const t = useT();
  const [password, setPassword] = useState("");
  const submission = useSubmission();
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (!submission.check(password.length < passwordLength.min ? { password: t("settings.password_length", passwordLength) } : {})) return;
    if (!await submission.run(() => api("PATCH", `/users/${user.id}`, { body: { password } }))) return;
    onDone(t("settings.users.password_set", { email: user.email }));
  }
  return (
    <Dialog title={t("settings.users.password_title", { email: user.email })} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <p className="settings-explanation">{t("settings.users.password_text")}</p>
        <TextField label={t("settings.account.new_password")} type="password" autoComplete="new-password" required
          hint={t("settings.password_length", passwordLength)}
          value={password} onValue={setPassword} error={submission.errors["password"]} />
        <FormProblem problem={submission.problem} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={submission.isBusy}>{t("settings.users.password")}</Button>
        </div>
      </form>
    </Dialog>
  );
}
