import { useState } from "react";
import { api } from "../../../api/client";
import type { CareFeedback, CareItem, CarePlan, Plant } from "../../../api/types";
import { useSession } from "../../../app/session";
import { Icon, type IconName } from "../../../drawings/icons";
import { useT } from "../../../i18n";
import { problemText } from "../../../ui/form";
import { toast } from "../../../ui/Toasts";

const verdicts: readonly [CareFeedback, IconName][] = [["done", "check"], ["not_helpful", "close"]];

/** What became of a part of the plan. Pressed once more, it is taken back. */
export function Feedback({
  item, title, plant, plan, onChanged,
}: { item: CareItem; title: string; plant: Plant; plan: CarePlan; onChanged: (plan: CarePlan) => void }): JSX.Element | null {
  const t = useT();
  const session = useSession();
  const [isBusy, setBusy] = useState(false);
  const given = plan.feedback.find((one) => one.item === item)?.feedback ?? null;
  if (!session.may("member")) {
    return given === null ? null : <p className="soft small">{t(`plant.care.${given}`)}</p>;
  }
  async function judge(feedback: CareFeedback): Promise<void> {
    setBusy(true);
    try {
      const changed = await api<CarePlan>("PUT", `/plants/${plant.id}/care-plans/${plan.id}/feedback`, {
        body: { item, feedback: feedback === given ? null : feedback },
      });
      onChanged(changed);
    } catch (error) {
      toast(problemText(error, t), "critical");
    } finally {
      setBusy(false);
    }
  }
  return (
    <div className="feedback" role="group" aria-label={t("plant.care.feedback_of", { part: title })}>
      {verdicts.map(([verdict, icon]) => (
        <button key={verdict} type="button" className="feedback-button" aria-pressed={given === verdict} disabled={isBusy}
          onClick={() => void judge(verdict)}>
          <Icon name={icon} />{t(`plant.care.${verdict}`)}
        </button>
      ))}
    </div>
  );
}
