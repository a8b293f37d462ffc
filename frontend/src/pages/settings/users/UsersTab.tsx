import { useState } from "react";
import { api, everything } from "../../../api/client";
import { useResource } from "../../../api/useResource";
import type { User } from "../../../api/types";
import { useSession } from "../../../app/session";
import { useFormat, useNow } from "../../../format";
import { useT } from "../../../i18n";
import { Badge } from "../../../ui/Badges";
import { Button } from "../../../ui/Button";
import { ConfirmDialog } from "../../../ui/Dialog";
import { Loaded, Notice } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { toast } from "../../../ui/Toasts";
import { useSubmission } from "../../../ui/form";
import { PasswordDialog, UserDialog } from "./UserDialogs";

type Doing = { kind: "add" } | { kind: "edit" | "password" | "delete"; user: User };

/** Who may sign in. */
export default function UsersTab(): JSX.Element {
  const t = useT();
  const { me } = useSession();
  const users = useResource("users", (signal) => everything<"users", User>("/users", "users", {}, signal));
  const [doing, setDoing] = useState<Doing | null>(null);
  const close = (): void => setDoing(null);
  const done = (text: string): void => {
    close();
    toast(text);
    users.reload();
  };
  const isFixed = me.auth_mode === "disabled";
  return (
    <Card title={t("settings.users")} actions={!isFixed && (
      <Button kind="primary" icon="plus" onClick={() => setDoing({ kind: "add" })}>{t("settings.users.add")}</Button>
    )}>
      {isFixed && <Notice>{t("settings.users.fixed")}</Notice>}
      <Loaded resource={users}>
        {(list) => (
          <ul className="settings-list">
            {list.map((user) => (
              <UserRow key={user.id} user={user} isSelf={user.id === me.id} isFixed={isFixed}
                onDo={(kind) => setDoing({ kind, user })} />
            ))}
          </ul>
        )}
      </Loaded>
      <RolesExplained />
      {doing?.kind === "add" && <UserDialog user={null} onDone={done} onClose={close} />}
      {doing?.kind === "edit" && <UserDialog user={doing.user} onDone={done} onClose={close} />}
      {doing?.kind === "password" && <PasswordDialog user={doing.user} onDone={done} onClose={close} />}
      {doing?.kind === "delete" && <DeleteDialog user={doing.user} onDone={done} onClose={close} />}
    </Card>
  );
}

function UserRow({
  user, isSelf, isFixed, onDo,
}: { user: User; isSelf: boolean; isFixed: boolean; onDo: (kind: "edit" | "password" | "delete") => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  return (
    <li>
      <div className="settings-item">
        <h3>
          {user.email} <Badge tone="neutral" icon="user">{t(`role.${user.role}`)}</Badge>
          {isSelf && <span className="soft"> {t("settings.users.self")}</span>}
        </h3>
        <p className="small soft">
          {user.last_sign_in_at === null ? t("settings.users.never_signed_in")
            : t("settings.users.signed_in", { time: format.relative(user.last_sign_in_at, now) })}
          {" · "}
          {t("settings.users.since", { date: format.date(user.created_at) })}
        </p>
      </div>
      {!isFixed && (
        <div className="card-actions">
          <Button icon="pencil" aria-label={t("settings.users.edit_named", { email: user.email })}
            onClick={() => onDo("edit")}>
            {t("action.edit")}
          </Button>
          {!isSelf && (
            <>
              <Button icon="key" aria-label={t("settings.users.password_named", { email: user.email })}
                onClick={() => onDo("password")}>
                {t("settings.users.password")}
              </Button>
              <Button kind="danger" icon="trash" aria-label={t("settings.users.delete_named", { email: user.email })}
                onClick={() => onDo("delete")}>
                {t("action.delete")}
              </Button>
            </>
          )}
        </div>
      )}
    </li>
  );
}

function DeleteDialog({ user, onDone, onClose }: { user: User; onDone: (text: string) => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  async function remove(): Promise<void> {
    if (!await submission.run(() => api("DELETE", `/users/${user.id}`))) return;
    onDone(t("settings.users.deleted", { email: user.email }));
  }
  return (
    <ConfirmDialog title={t("settings.users.delete_title", { email: user.email })}
      text={t("settings.users.delete_text")}
      action={t("settings.users.delete")} isBusy={submission.isBusy} problem={submission.problem}
      onConfirm={() => void remove()} onClose={onClose} />
  );
}

function RolesExplained(): JSX.Element {
  const t = useT();
  return (
    <dl className="facts settings-roles small">
      {(["viewer", "member", "admin"] as const).map((role) => (
        <div key={role}>
          <dt>{t(`role.${role}`)}</dt>
          <dd>{t(`settings.role.${role}`)}</dd>
        </div>
      ))}
    </dl>
  );
}
