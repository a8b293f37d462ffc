import { useState } from "react";
import { api } from "../../../api/client";
import { useResource } from "../../../api/useResource";
import type { LLMSettings } from "../../../api/types";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { ConfirmDialog } from "../../../ui/Dialog";
import { Loaded, Notice } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { toast } from "../../../ui/Toasts";
import { useSubmission } from "../../../ui/form";
import { AdvisorForm } from "./AdvisorForm";
import { AdvisorTest } from "./AdvisorTest";
import { Usage } from "./Usage";

/** Which language model writes care plans, if any. */
export default function AdvisorTab(): JSX.Element {
  const t = useT();
  const settings = useResource("llm", (signal) => api<LLMSettings>("GET", "/settings/llm", { signal }));
  // A form begins anew only when all of its settings were forgotten.
  const [round, setRound] = useState(0);
  const [isSaving, setSaving] = useState(false);
  return (
    <>
      <Loaded resource={settings}>
        {(value) => (
          <>
            <Card title={t("settings.advisor.state")}>
              <State settings={value} />
              {value.provider !== null && <AdvisorTest key={model(value)} isSaving={isSaving} onTested={settings.reload} />}
            </Card>
            <Card title={t("settings.advisor.model_card")}
              actions={value.provider !== null && (
                <Forget onForgotten={() => {
                  setRound(round + 1);
                  settings.reload();
                }} />
              )}>
              <AdvisorForm key={round} saved={value} onSaving={setSaving} onSaved={settings.set} />
            </Card>
          </>
        )}
      </Loaded>
      <Privacy />
    </>
  );
}

/** What was answered was answered by this one, and is not shown beside another. */
const model = ({ provider, model, base_url, api_key_masked: key }: LLMSettings): string => JSON.stringify([provider, model, base_url, key]);

function State({ settings }: { settings: LLMSettings }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const { provider, last_error: error } = settings;
  if (provider === null) return <p>{t("settings.advisor.builtin")}</p>;
  return (
    <>
      <p className="settings-explanation">
        {t("settings.advisor.writes", { model: settings.model ?? settings.defaults[provider], provider: t(`settings.advisor.${provider}`) })}
      </p>
      {error && (
        <Notice
          tone="warning">{t("settings.advisor.last_error", { time: format.dateTime(error.at), error: error.text })}</Notice>
      )}
      <Usage settings={settings} />
    </>
  );
}

function Forget({ onForgotten }: { onForgotten: () => void }): JSX.Element {
  const t = useT();
  const [isAsking, setAsking] = useState(false);
  const submission = useSubmission();
  async function forget(): Promise<void> {
    if (!await submission.run(() => api("DELETE", "/settings/llm"))) return;
    setAsking(false);
    toast(t("settings.advisor.forgotten"));
    onForgotten();
  }
  return (
    <>
      <Button kind="danger" icon="trash" onClick={() => setAsking(true)}>{t("settings.advisor.forget")}</Button>
      {isAsking && (
        <ConfirmDialog title={t("settings.advisor.forget_title")} text={t("settings.advisor.forget_text")}
          action={t("settings.advisor.forget")} isBusy={submission.isBusy} problem={submission.problem}
          onConfirm={() => void forget()} onClose={() => setAsking(false)} />
      )}
    </>
  );
}

function Privacy(): JSX.Element {
  const t = useT();
  return (
    <Card title={t("settings.advisor.privacy")}>
      <p>{t("settings.advisor.privacy_without")}</p>
      <p>{t("settings.advisor.privacy_with")}</p>
      <p>{t("settings.advisor.privacy_never")}</p>
      <p>{t("settings.advisor.privacy_key")}</p>
    </Card>
  );
}
