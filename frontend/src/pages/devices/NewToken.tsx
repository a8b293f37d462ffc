import { useEffect, useMemo, useRef, useState } from "react";
import type { Device, EnrollmentToken, SystemConnection } from "../../api/types";
import { navigate } from "../../app/router";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { useDevices } from "../../live/hooks";
import { Button, CopyButton } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { addressForDevices, bracketed, enrollmentCode, isOfThisMachine, readAddress } from "./enrollment";
import { esp32Sketch } from "./esp32Sketch";
import { QrCode } from "./QrCode";

/** A new token: to copy, to scan, and within a firmware. Shows who has come in by now. */
export function NewToken({
  made, connection, onDone,
}: {
  made: EnrollmentToken & { token: string }; connection: SystemConnection | undefined; onDone: () => void;
}): JSX.Element {
  const t = useT();
  const format = useFormat();
  const heading = useRef<HTMLHeadingElement>(null);
  const suggested = addressForDevices(connection?.public_url ?? null);
  const [typed, setTyped] = useState<string | null>(null);
  const address = readAddress(typed ?? suggested);
  const certificate = connection?.ca_certificate ?? null;
  useEffect(() => heading.current?.focus(), []);
  const sketch = useMemo(
    () => esp32Sketch(address ?? suggested, made.token, certificate), [address, suggested, made.token, certificate],
  );
  return (
    <div className="new-token shown-once">
      <h3 ref={heading} tabIndex={-1}>{t("devices.token_made", { label: made.label })}</h3>
      <Notice tone="warning">{t("devices.token_once", {
        count: made.max_uses, time: format.dateTime(made.expires_at),
      })}</Notice>
      <div className="new-token-parts">
        <QrCode text={enrollmentCode(address ?? suggested, made.token)} label={t("devices.qr_label")} />
        <div>
          <dl>
            <div>
              <dt>{t("devices.token")}</dt>
              <dd><code data-token>{made.token}</code></dd>
            </div>
          </dl>
          <CopyButton text={made.token} label={t("devices.copy_token")} />
          <TextField label={t("devices.address")} hint={t("devices.address_hint")} value={typed ?? suggested} onValue={setTyped}
            type="url" autoComplete="off" spellCheck={false}
            error={address === undefined ? t("devices.address_wrong") : undefined} />
          {address !== undefined && isOfThisMachine(address) && (
            <Notice tone="warning">{t("devices.address_local")}</Notice>
          )}
          {connection && isOfThisMachine(`mqtts://${bracketed(connection.mqtt_host)}`) && (
            <Notice tone="warning">{t("devices.broker_local", { host: connection.mqtt_host })}</Notice>
          )}
          {address?.startsWith("http:") && !isOfThisMachine(address) && <Notice>{t("devices.address_plain")}</Notice>}
        </div>
      </div>
      <Arrivals since={made.created_at} />
      <details className="firmware">
        <summary>{t("devices.firmware_title")}</summary>
        <p className="soft">{t("devices.firmware_text")}</p>
        <pre tabIndex={0} aria-label={t("devices.firmware_title")}><code>{sketch}</code></pre>
        <CopyButton text={sketch} label={t("devices.copy_firmware")} />
      </details>
      <div className="dialog-actions">
        <Button kind="primary" onClick={onDone}>{t("devices.done")}</Button>
      </div>
    </div>
  );
}

/** Devices that registered since. They come by the live stream. */
function Arrivals({ since }: { since: string }): JSX.Element {
  const t = useT();
  const devices = useDevices();
  const arrived = devices.filter((device) => Date.parse(device.created_at) > Date.parse(since));
  const open = (device: Device): void => navigate(`/devices?device=${device.id}`);
  return (
    <div className="arrivals" role="status">
      {arrived.length === 0 ? <p className="soft">{t("devices.waiting_for_device")}</p> : arrived.map((device) => (
        <p key={device.id}>
          <span>{t("devices.arrived", { name: device.name, mac: device.mac_address })}</span>
          <Button onClick={() => open(device)}>{t("devices.set_up")}</Button>
        </p>
      ))}
    </div>
  );
}
