import { useEffect, useRef } from "react";
import type { Credentials } from "../../api/types";
import { useT } from "../../i18n";
import { Button, CopyButton } from "../../ui/Button";
import { Notice } from "../../ui/Notice";

/** A device's new identity at the broker. Whoever leaves this has seen it for the last time. */
export function NewCredentials({ credentials, onDone }: { credentials: Credentials; onDone: () => void }): JSX.Element {
  const t = useT();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const rows: readonly [label: string, value: string][] = [
    [t("devices.mqtt_host"), `${credentials.mqtt_host}:${credentials.mqtt_port}`],
    [t("devices.mqtt_client_id"), credentials.mqtt_client_id],
    [t("devices.mqtt_username"), credentials.mqtt_username],
    [t("devices.mqtt_password"), credentials.mqtt_password],
  ];
  return (
    <div className="shown-once">
      <h3 ref={heading} tabIndex={-1}>{t("devices.new_credentials")}</h3>
      <Notice tone="warning">{t("devices.new_credentials_text")}</Notice>
      <dl>
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd><code>{value}</code></dd>
          </div>
        ))}
      </dl>
      {credentials.ca_certificate !== null && (
        <details>
          <summary>{t("devices.ca_certificate")}</summary>
          <pre tabIndex={0}>{credentials.ca_certificate}</pre>
        </details>
      )}
      <div className="dialog-actions">
        <CopyButton text={credentials.mqtt_password} label={t("devices.copy_password")} />
        <CopyButton text={JSON.stringify(credentials, null, 2)} label={t("devices.copy_all")} />
        <Button kind="primary" onClick={onDone}>{t("devices.kept")}</Button>
      </div>
    </div>
  );
}
