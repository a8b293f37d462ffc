import { useState } from "react";
import { api, everything } from "../../../api/client";
import { useResource } from "../../../api/useResource";
import type { Channel } from "../../../api/types";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { ConfirmDialog, Dialog } from "../../../ui/Dialog";
import { Empty, Loaded } from "../../../ui/Notice";
import { toast } from "../../../ui/Toasts";
import { useSubmission } from "../../../ui/form";
import { OnceSecret } from "../OnceSecret";
import { ChannelCard } from "./ChannelCard";
import { ChannelDialog } from "./ChannelDialog";

type Doing = { kind: "add" } | { kind: "edit" | "delete"; channel: Channel } | { kind: "secret"; name: string; secret: string };

/** Where notifications go. */
export default function ChannelsTab(): JSX.Element {
  const t = useT();
  const channels = useResource("channels", (signal) => everything<"channels", Channel>("/channels", "channels", {}, signal));
  const [doing, setDoing] = useState<Doing | null>(null);
  const close = (): void => setDoing(null);
  const replace = (channel: Channel): void =>
    channels.set((channels.value ?? []).map((one) => one.id === channel.id ? channel : one));
  const add = <Button kind="primary" icon="plus" onClick={() => setDoing({ kind: "add" })}>{t("settings.channels.add")}</Button>;
  return (
    <>
      <Loaded resource={channels}>
        {(list) => list.length === 0
          ? <div className="card"><Empty title={t("settings.channels.none")}><p>{t("settings.channels.none_text")}</p>{add}</Empty></div>
          : (
            <>
              <div className="settings-bar">
                {add}
                <Button icon="refresh" busy={channels.isLoading}
                  onClick={channels.reload}>{t("settings.reload")}</Button>
              </div>
              {list.map((channel) => (
                <ChannelCard key={channel.id} channel={channel} onChanged={replace} onTested={channels.reload}
                  onEdit={() => setDoing({ kind: "edit", channel })}
                  onDelete={() => setDoing({ kind: "delete", channel })} />
              ))}
            </>
          )}
      </Loaded>
      {doing?.kind === "add" && (
        <ChannelDialog channel={null} onClose={close} onSaved={(channel, shownSecret) => {
          channels.reload();
          toast(t("settings.channels.added", { name: channel.name }));
          if (shownSecret === null) close();
          else setDoing({ kind: "secret", name: channel.name, secret: shownSecret });
        }} />
      )}
      {doing?.kind === "edit" && (
        <ChannelDialog channel={doing.channel} onClose={close} onSaved={(channel) => {
          replace(channel);
          close();
          toast(t("settings.channels.changed", { name: channel.name }));
        }} />
      )}
      {doing?.kind === "secret" && (
        <Dialog title={t("settings.channels.secret_of", { name: doing.name })} onClose={close}>
          <OnceSecret label={t("settings.channels.secret")} secret={doing.secret}>
            <p className="small soft">{t("settings.channels.secret_use")}</p>
          </OnceSecret>
          <div
            className="dialog-actions"><Button kind="primary" onClick={close}>{t("settings.once_kept")}</Button></div>
        </Dialog>
      )}
      {doing?.kind === "delete" && (
        <DeleteDialog channel={doing.channel} onClose={close} onDeleted={() => {
          close();
          channels.reload();
        }} />
      )}
    </>
  );
}

function DeleteDialog({ channel, onDeleted, onClose }: { channel: Channel; onDeleted: () => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  async function remove(): Promise<void> {
    if (!await submission.run(() => api("DELETE", `/channels/${channel.id}`))) return;
    toast(t("settings.channels.deleted", { name: channel.name }));
    onDeleted();
  }
  return (
    <ConfirmDialog title={t("settings.channels.delete_title", { name: channel.name })}
      text={t("settings.channels.delete_text")}
      action={t("settings.channels.delete")} isBusy={submission.isBusy} problem={submission.problem}
      onConfirm={() => void remove()} onClose={onClose} />
  );
}
