import { useT } from "../i18n";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { FormProblem } from "../ui/Notice";
import { useSubmission } from "../ui/form";
import { DisplayPreferences } from "./DisplayPreferences";
import { useSession } from "./session";

/** Who is signed in, and how this browser shows things. */
export function AccountDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const t = useT();
  const { me, signOut } = useSession();
  const submission = useSubmission();
  return (
    <Dialog title={t("nav.account")} onClose={onClose}>
      <p>
        {me.auth_mode === "disabled" || me.email === null
          ? t("nav.no_sign_in")
          : `${t("nav.signed_in_as", { email: me.email })} (${t(`role.${me.role}`)})`}
      </p>
      <DisplayPreferences />
      <FormProblem problem={submission.problem} />
      {me.via === "session" && (
        <div className="dialog-actions">
          <Button icon="logout" busy={submission.isBusy} onClick={() => void submission.run(signOut)}>
            {t("nav.sign_out")}
          </Button>
        </div>
      )}
    </Dialog>
  );
}
