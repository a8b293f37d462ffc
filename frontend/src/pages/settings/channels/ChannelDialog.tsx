import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import type { Channel } from "../../../api/types";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { Segmented } from "../../../ui/Choice";
import { Dialog } from "../../../ui/Dialog";
import { CheckField, SelectField, TextField } from "../../../ui/Field";
import { FormProblem } from "../../../ui/Notice";
import { useSubmission } from "../../../ui/form";
import { QuietHoursFields } from "../QuietHoursFields";
import { ChannelScope } from "./ChannelScope";
import { changes, draftOf, type ChannelDraft } from "./draft";

/** Adds a channel, or changes one. What is secret leaves the state with the dialog. */
export function ChannelDialog({
  channel, onSaved, onClose,
}: { channel: Channel | null; onSaved: (channel: Channel, shownSecret: string | null) => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const [draft, setDraft] = useState<ChannelDraft>(() => draftOf(channel));
  const submission = useSubmission();
  const { errors } = submission;
  const set = (change: Partial<ChannelDraft>): void => setDraft((old) => ({ ...old, ...change }));
  const isNew = channel === null;

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const isFine = submission.check({
      ...(draft.name.trim() === "" ? { name: t("form.required") } : {}),
      ...(isNew && draft.url.trim() === "" ? { url: t("form.required") } : {}),
      ...(draft.kind === "webhook" && draft.secretMode === "given" && draft.secret.length < 8
        ? { secret: t("settings.channels.secret_short") } : {}),
      ...(draft.scope === "rooms" && draft.rooms.length === 0 ? { rooms: t("settings.channels.choose_one") } : {}),
      ...(draft.scope === "plants" && draft.plantIds.length === 0 ? { plant_ids: t("settings.channels.choose_one") } : {}),
      ...(draft.quiet === "own" && draft.hours.from === "" ? { "quiet_hours/from": t("form.required") } : {}),
      ...(draft.quiet === "own" && draft.hours.to === "" ? { "quiet_hours/to": t("form.required") } : {}),
    });
    if (!isFine) return;
    await submission.run(async () => {
      const body = changes(draft, channel);
      const saved = isNew ? await api<Channel>("POST", "/channels", { body })
        : await api<Channel>("PUT", `/channels/${channel.id}`, { body });
      // Only a secret that the server has made is answered in full.
      onSaved(saved, isNew && draft.kind === "webhook" && draft.secretMode === "made" ? saved.secret : null);
    });
  }

  return (
    <Dialog wide title={isNew ? t("settings.channels.add") : t("settings.channels.edit_title", { name: channel.name })}
      onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        {isNew && (
          <Segmented label={t("settings.channels.kind")} value={draft.kind} onValue={(kind) => set({ kind })} options={[
            { value: "discord", label: t("settings.channels.kind.discord") },
            { value: "webhook", label: t("settings.channels.kind.webhook") },
          ]} />
        )}
        <TextField label={t("settings.channels.name")} value={draft.name} onValue={(name) => set({ name })}
          maxLength={100}
          autoComplete="off" required error={errors["name"]} />
        <TextField label={t("settings.channels.url")} type="url" autoComplete="off" spellCheck={false} required={isNew}
          hint={t(draft.kind === "discord" ? "settings.channels.url_discord" : "settings.channels.url_webhook")}
          placeholder={channel ? t("settings.channels.url_stays", { url: channel.url })
            : draft.kind === "discord" ? "https://discord.com/api/webhooks/…" : "https://"}
          value={draft.url} onValue={(url) => set({ url })} error={errors["url"]} />
        {draft.kind === "webhook" && <SecretFields channel={channel} draft={draft} set={set} error={errors["secret"]} />}
        <Segmented label={t("settings.channels.min_severity")} value={draft.severity}
          onValue={(severity) => set({ severity })} options={[
          { value: "warning", label: t("settings.channels.severity.warning") },
          { value: "critical", label: t("settings.channels.severity.critical") },
        ]} />
        <ChannelScope draft={draft} set={set} errors={errors} />
        <Segmented label={t("settings.quiet")} value={draft.quiet} onValue={(quiet) => set({ quiet })} options={[
          { value: "inherited", label: t("settings.channels.quiet_as_all") },
          { value: "own", label: t("settings.channels.quiet_of_its_own") },
          { value: "none", label: t("settings.channels.quiet_never") },
        ]} />
        {draft.quiet === "own" && <QuietHoursFields value={draft.hours} onValue={(hours) => set({ hours })} errors={errors} />}
        {draft.quiet !== "none" && (
          <SelectField label={t("settings.channels.digest")} value={draft.digest} onValue={(digest) => set({ digest })}
            error={errors["digest"]} options={[
              { value: "inherited", label: t("settings.channels.digest_as_all") },
              { value: "yes", label: t("settings.channels.digest_yes") },
              { value: "no", label: t("settings.channels.digest_no") },
            ]} />
        )}
        <CheckField label={t("settings.channels.enabled")} checked={draft.enabled}
          onValue={(enabled) => set({ enabled })} />
        <FormProblem problem={submission.problem} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={submission.isBusy}>
            {isNew ? t("settings.channels.add") : t("action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function SecretFields({
  channel, draft, set, error,
}: { channel: Channel | null; draft: ChannelDraft; set: (change: Partial<ChannelDraft>) => void; error: string | undefined }): JSX.Element {
  const t = useT();
  return (
    <>
      <Segmented label={t("settings.channels.secret")} value={draft.secretMode}
        onValue={(secretMode) => set({ secretMode, secret: "" })}
        options={[
          channel === null ? { value: "made", label: t("settings.channels.secret_made") }
            : { value: "kept", label: channel.secret === null ? t("settings.channels.secret_still_none")
              : t("settings.channels.secret_kept", { secret: channel.secret }) },
          { value: "given", label: t("settings.channels.secret_given") },
          ...(channel !== null && channel.secret === null ? []
            : [{ value: "none" as const, label: t("settings.channels.secret_none") }]),
        ]} />
      {draft.secretMode === "given" && (
        <TextField label={t("settings.channels.secret_own")} type="password" autoComplete="off" required
          hint={t("settings.channels.secret_hint")} value={draft.secret} onValue={(secret) => set({ secret })}
          error={error} />
      )}
    </>
  );
}
