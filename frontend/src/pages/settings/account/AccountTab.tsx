import { useSession } from "../../../app/session";
import { DisplayPreferences } from "../../../app/DisplayPreferences";
import { useT } from "../../../i18n";
import { Notice } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { PasswordForm } from "./PasswordForm";
import { TokensCard } from "./TokensCard";

/** What everybody may set: how this browser shows things, the own password, the own tokens. */
export default function AccountTab(): JSX.Element {
  const t = useT();
  const { me } = useSession();
  return (
    <>
      <DisplayCard />
      {me.via === "session" ? (
        <>
          <PasswordForm email={me.email ?? ""} role={me.role} />
          <TokensCard />
        </>
      ) : <Notice>{t("settings.account.no_sign_in")}</Notice>}
    </>
  );
}

function DisplayCard(): JSX.Element {
  const t = useT();
  return (
    <Card title={t("settings.account.display")}>
      <p className="settings-explanation">{t("settings.account.display_text")}</p>
      <div className="settings-choices">
        <DisplayPreferences />
      </div>
    </Card>
  );
}
