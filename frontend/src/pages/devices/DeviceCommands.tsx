import { useState, type FormEvent } from "react";
import { api } from "../../api/client";
import type { Device, DeviceCommand, Page } from "../../api/types";
import { useResource } from "../../api/useResource";
import { Icon, type IconName } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT, type MessageKey } from "../../i18n";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { ConfirmDialog } from "../../ui/Dialog";
import { FormProblem, Loaded, Notice } from "../../ui/Notice";
import { useSubmission } from "../../ui/form";
import { useDeviceNews } from "./useDeviceNews";
import { found, wholeNumber } from "./wholeNumber";

type Commands = Page & { commands: DeviceCommand[] };

const known: Record<string, MessageKey> = {
  identify: "devices.command_identify", set_interval: "devices.command_set_interval", reboot: "devices.command_reboot",
};

/** Telling a device to do something, and what became of it. */
export function DeviceCommands({ device, mayChange }: { device: Device; mayChange: boolean }): JSX.Element {
  const t = useT();
  const commands = useResource<Commands>(`commands ${device.id}`, (signal) =>
    api("GET", `/devices/${device.id}/commands`, { query: { limit: 20 }, signal }));
  useDeviceNews(device.id, commands.reload);
  const hearsNothing = !device.enabled || !device.approved;
  return (
    <>
      {mayChange && hearsNothing && <Notice>{t("devices.hears_nothing")}</Notice>}
      {mayChange && !hearsNothing && <Send device={device} onSent={commands.reload} />}
      <h3>{t("devices.commands_sent")}</h3>
      <Loaded resource={commands}>
        {({ commands: list }) => list.length === 0 ? <p className="soft">{t("devices.no_commands")}</p> : (
          <ul className="device-commands">{list.map((command) => <Sent key={command.id} command={command} />)}</ul>
        )}
      </Loaded>
    </>
  );
}

function Send({ device, onSent }: { device: Device; onSent: () => void }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  const [seconds, setSeconds] = useState(String(Math.round(device.expected_interval_seconds)));
  const [isRebooting, setRebooting] = useState(false);

  async function send(command: string, args: Record<string, unknown> = {}): Promise<void> {
    await submission.run(() => api<DeviceCommand>("POST", `/devices/${device.id}/commands`, { body: { command, args } }));
    onSent();
  }
  async function setInterval(event: FormEvent): Promise<void> {
    event.preventDefault();
    const read = wholeNumber(seconds, 1, 86_400, t);
    const isFine = submission.check(found({ seconds: read.error ?? (read.value === null ? t("form.required") : undefined) }));
    if (isFine) await send("set_interval", { seconds: read.value });
  }
  return (
    <div className="device-send">
      <FormProblem problem={submission.problem} />
      <div className="device-send-buttons">
        <Button icon="eye" disabled={submission.isBusy} onClick={() => void send("identify")}>{t("devices.command_identify")}</Button>
        <Button icon="power" disabled={submission.isBusy} onClick={() => setRebooting(true)}>{t("devices.command_reboot")}</Button>
      </div>
      <form noValidate onSubmit={(event) => void setInterval(event)}>
        <TextField label={t("devices.set_interval")} value={seconds} onValue={setSeconds} inputMode="numeric"
          autoComplete="off" error={submission.errors["seconds"] ?? submission.errors["args/seconds"]} />
        <Button type="submit" icon="send" disabled={submission.isBusy}>{t("devices.send")}</Button>
      </form>
      <p className="soft small">{t("devices.commands_hint")}</p>
      {isRebooting && (
        <ConfirmDialog title={t("devices.reboot_title", { name: device.name })} text={t("devices.reboot_text")}
          action={t("devices.command_reboot")} onClose={() => setRebooting(false)}
          onConfirm={() => {
            setRebooting(false);
            void send("reboot");
          }} />
      )}
    </div>
  );
}

const signs: Record<DeviceCommand["status"], [tone: string, icon: IconName]> = {
  pending: ["neutral", "clock"], sent: ["neutral", "send"], succeeded: ["ok", "check"], failed: ["critical", "critical"],
  expired: ["stale", "clock"],
};

function Sent({ command }: { command: DeviceCommand }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const [tone, icon] = signs[command.status];
  const key = known[command.command];
  const seconds = command.command === "set_interval" ? command.args?.["seconds"] : undefined;
  return (
    <li>
      <div>
        <strong>{key === undefined ? <code>{command.command}</code> : t(key)}</strong>
        {typeof seconds === "number" && <span> {t("devices.every", { duration: format.duration(seconds) })}</span>}
        {command.detail !== null && command.detail !== "" && <p className="soft small">{command.detail}</p>}
      </div>
      <div>
        <span className={`badge badge-${tone}`}><Icon name={icon} />{t(`devices.result_${command.status}`)}</span>
        <time className="soft small" dateTime={command.created_at} title={format.dateTime(command.created_at)}>
          {format.relative(command.created_at, now)}
        </time>
      </div>
    </li>
  );
}
