import { useState } from "react";
import { api } from "../../../api/client";
import type { LLMSettings } from "../../../api/types";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { ConfirmDialog } from "../../../ui/Dialog";
import { CheckField, TextField } from "../../../ui/Field";
import { toast } from "../../../ui/Toasts";
import { useSubmission } from "../../../ui/form";

export interface KeyDraft {
  mode: "keep" | "give" | "none";
  text: string;
}

/** The key goes in and never comes out: shown by its last characters, replaced or forgotten. */
export function KeyField({
  saved, isOtherServer, draft, onDraft, onForgotten, error,
}: {
  saved: LLMSettings; isOtherServer: boolean; draft: KeyDraft; onDraft: (draft: KeyDraft) => void;
  onForgotten: (saved: LLMSettings) => void; error: string | undefined;
}): JSX.Element {
  const t = useT();
  const [isForgetting, setForgetting] = useState(false);
  const submission = useSubmission();

  async function forget(): Promise<void> {
    const isDone = await submission.run(async () =>
      onForgotten(await api<LLMSettings>("PUT", "/settings/llm", { body: { api_key: null } })));
    if (!isDone) return;
    setForgetting(false);
    toast(t("settings.advisor.key_forgotten"));
  }

  if (draft.mode === "keep") {
    return (
      <div className={error ? "field field-wrong" : "field"}>
        <p className="settings-label">{t("settings.advisor.key")}</p>
        <div className="settings-key">
          <code>{saved.api_key_masked ?? "…"}</code>
          <Button icon="pencil"
            onClick={() => onDraft({ mode: "give", text: "" })}>{t("settings.advisor.key_replace")}</Button>
          <Button kind="danger" icon="trash"
            onClick={() => setForgetting(true)}>{t("settings.advisor.key_forget")}</Button>
        </div>
        {error && <p className="field-error">{error}</p>}
        {isForgetting && (
          <ConfirmDialog title={t("settings.advisor.key_forget_title")} text={t("settings.advisor.key_forget_text")}
            action={t("settings.advisor.key_forget")} isBusy={submission.isBusy} problem={submission.problem}
            onConfirm={() => void forget()} onClose={() => setForgetting(false)} />
        )}
      </div>
    );
  }
  return (
    <>
      {draft.mode === "give" && (
        <TextField label={t("settings.advisor.key")} type="password" autoComplete="off" spellCheck={false}
          hint={isOtherServer ? t("settings.advisor.key_other") : t("settings.advisor.key_hint")}
          value={draft.text} onValue={(text) => onDraft({ mode: "give", text })} error={error} />
      )}
      {isOtherServer && (
        <CheckField label={t("settings.advisor.key_none")} checked={draft.mode === "none"}
          onValue={(isNone) => onDraft({ mode: isNone ? "none" : "give", text: "" })} />
      )}
      {saved.api_key_set && !isOtherServer && (
        <div className="field">
          <Button kind="quiet"
            onClick={() => onDraft({ mode: "keep", text: "" })}>{t("settings.advisor.key_keep")}</Button>
        </div>
      )}
    </>
  );
}
