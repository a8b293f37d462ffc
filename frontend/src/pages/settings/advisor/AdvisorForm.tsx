import { useState, type FormEvent } from "react";
import { api } from "../../../api/client";
import type { LLMSettings } from "../../../api/types";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { Segmented } from "../../../ui/Choice";
import { CheckField, TextField } from "../../../ui/Field";
import { FormProblem } from "../../../ui/Notice";
import { toast } from "../../../ui/Toasts";
import { readNumber, useSubmission } from "../../../ui/form";
import { KeyField, type KeyDraft } from "./KeyField";

type Provider = "anthropic" | "openai";
const budgetRange = { min: 1_000, max: 1_000_000_000 };

/** What was typed stays when it cannot be saved; a key only until it is. */
export function AdvisorForm({ saved, onSaving, onSaved }: {
  saved: LLMSettings; onSaving: (isSaving: boolean) => void; onSaved: (saved: LLMSettings) => void;
}): JSX.Element {
  const t = useT();
  const [provider, setProvider] = useState<Provider>(saved.provider ?? "anthropic");
  const [model, setModel] = useState(saved.model ?? "");
  const [baseURL, setBaseURL] = useState(saved.base_url ?? "");
  const [budget, setBudget] = useState(saved.monthly_token_budget === null ? "" : String(saved.monthly_token_budget));
  const [automatic, setAutomatic] = useState(saved.automatic);
  const [key, setKey] = useState<KeyDraft>({ mode: saved.api_key_set ? "keep" : "give", text: "" });
  const submission = useSubmission();
  const { errors } = submission;
  // A key goes to no other server than the one it was given for.
  const isOtherServer = saved.api_key_set && (provider !== saved.provider || baseURL.trim() !== (saved.base_url ?? ""));
  const mode = isOtherServer && key.mode === "keep" ? "give" : key.mode;

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const tokens = readNumber(budget);
    const isBudget = tokens === null ||
      (tokens !== undefined && Number.isInteger(tokens) && tokens >= budgetRange.min && tokens <= budgetRange.max);
    const isFine = submission.check({
      ...(isBudget ? {} : { monthly_token_budget: t("settings.advisor.budget_wrong", budgetRange) }),
      // Other servers may want none.
      ...(mode === "give" && key.text.trim() === "" && (saved.api_key_set || baseURL.trim() === "")
        ? { api_key: t(isOtherServer ? "settings.advisor.key_again" : "form.required") } : {}),
    });
    if (!isFine) return;
    onSaving(true);
    await submission.run(async () => {
      const answer = await api<LLMSettings>("PUT", "/settings/llm", {
        body: {
          ...(provider === saved.provider ? {} : { provider }),
          ...(model.trim() === (saved.model ?? "") ? {} : { model: model.trim() || null }),
          ...(baseURL.trim() === (saved.base_url ?? "") ? {} : { base_url: baseURL.trim() || null }),
          ...(tokens === saved.monthly_token_budget ? {} : { monthly_token_budget: tokens }),
          ...(automatic === saved.automatic ? {} : { automatic }),
          ...(mode === "give" && key.text.trim() !== "" ? { api_key: key.text.trim() } : {}),
          ...(mode === "none" && saved.api_key_set ? { api_key: null } : {}),
        },
      });
      setKey({ mode: answer.api_key_set ? "keep" : "give", text: "" });
      setBaseURL(answer.base_url ?? "");
      onSaved(answer);
      toast(t("settings.advisor.saved"));
    });
    onSaving(false);
  }

  return (
    <form className="settings-form" onSubmit={(event) => void submit(event)} noValidate>
      <Segmented label={t("settings.advisor.provider")} value={provider} onValue={setProvider} options={[
        { value: "anthropic", label: t("settings.advisor.anthropic") },
        { value: "openai", label: t("settings.advisor.openai") },
      ]} />
      <TextField label={t("settings.advisor.model")} isOptional autoComplete="off" spellCheck={false} maxLength={200}
        placeholder={saved.defaults[provider]}
        hint={t("settings.advisor.model_hint", { model: saved.defaults[provider] })}
        value={model} onValue={setModel} error={errors["model"]} />
      <TextField label={t("settings.advisor.base_url")} isOptional type="url" autoComplete="off" spellCheck={false}
        placeholder={provider === "openai" ? "http://192.168.1.20:11434/v1" : "https://"}
        hint={t(provider === "openai" ? "settings.advisor.base_url_openai" : "settings.advisor.base_url_anthropic")}
        value={baseURL} onValue={setBaseURL} error={errors["base_url"]} />
      <KeyField saved={saved} isOtherServer={isOtherServer} draft={{ mode, text: key.text }} onDraft={setKey}
        error={errors["api_key"]}
        onForgotten={(answer) => {
          setKey({ mode: "give", text: "" });
          onSaved(answer);
        }} />
      <TextField label={t("settings.advisor.budget")} isOptional inputMode="numeric" autoComplete="off"
        hint={t("settings.advisor.budget_hint")} value={budget} onValue={setBudget}
        error={errors["monthly_token_budget"]} />
      <CheckField label={t("settings.advisor.automatic")} hint={t("settings.advisor.automatic_hint")}
        checked={automatic} onValue={setAutomatic} />
      <FormProblem problem={submission.problem} />
      <Button kind="primary" type="submit" busy={submission.isBusy}>{t("action.save")}</Button>
    </form>
  );
}
