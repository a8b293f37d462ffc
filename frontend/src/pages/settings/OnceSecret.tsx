import type { ReactNode } from "react";
import { useT } from "../../i18n";
import { CopyButton } from "../../ui/Button";
import { Notice } from "../../ui/Notice";

/** Something that is said this once. Whoever shows it forgets it when it is closed. */
export function OnceSecret({ label, secret, children }: { label: string; secret: string; children?: ReactNode }): JSX.Element {
  const t = useT();
  return (
    <>
      <Notice tone="warning">{t("settings.once")}</Notice>
      <p className="settings-label">{label}</p>
      <div className="settings-secret">
        <code>{secret}</code>
        <CopyButton text={secret} />
      </div>
      {children}
    </>
  );
}
