import { useState } from "react";
import { ApiError, api } from "../../../api/client";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { Notice } from "../../../ui/Notice";
import { problemText } from "../../../ui/form";

/** Asks the stored model something short now; while another is being stored, neither is meant. */
export function AdvisorTest({ isSaving, onTested }: { isSaving: boolean; onTested: () => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<{ isFine: boolean; text: string } | null>(null);
  async function test(): Promise<void> {
    setBusy(true);
    setOutcome(null);
    try {
      const { model, milliseconds } = await api<{ model: string; milliseconds: number }>("POST", "/settings/llm/test");
      setOutcome({ isFine: true, text: t("settings.advisor.answered", { model, milliseconds: format.number(milliseconds) }) });
    } catch (error) {
      // The other side's refusal, in the server's words.
      const reason = error instanceof ApiError && error.status === 502 && error.problem ? error.problem.detail : null;
      setOutcome({ isFine: false, text: reason === null ? problemText(error, t) : t("settings.advisor.no_answer", { reason }) });
    } finally {
      setBusy(false);
    }
    onTested();
  }
  return (
    <div className="settings-test">
      {outcome && <Notice tone={outcome.isFine ? "ok" : "critical"} isUrgent>{outcome.text}</Notice>}
      <Button icon="send" busy={isBusy} disabled={isSaving} onClick={() => void test()}>{t("settings.advisor.test")}</Button>
    </div>
  );
}
